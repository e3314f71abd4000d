-- +goose Up
-- What the homes of a residence used together in a month, once it was told: it
-- never changes, so that a home whose readings come later cannot be told by the
-- difference. Homes is a digest of which homes it is of and what each used. Days
-- says whether it was told by day: 0 nobody asked, 1 yes, 2 it may not be.
CREATE TABLE told_month (
    residence_id TEXT    NOT NULL REFERENCES residence (id) ON DELETE CASCADE,
    kind         TEXT    NOT NULL CHECK (kind IN ('cold_water', 'hot_water', 'electricity', 'heat', 'gas')),
    month        TEXT    NOT NULL CHECK (month LIKE '____-__'),
    homes        TEXT    NOT NULL CHECK (length(homes) = 64),
    days         INTEGER NOT NULL DEFAULT 0 CHECK (days BETWEEN 0 AND 2),
    told_ms      BIGINT  NOT NULL CHECK (told_ms > 0),
    PRIMARY KEY (residence_id, kind, month)
);

-- The groups of such a month, never of fewer than ten homes. Members are the names
-- of the buildings or staircases, as a list in JSON: more than one where each alone
-- has too few homes. Homes are lived in and known, metered are lived in and have a
-- point of the kind, dwellings are all. Used and empty_used are in the unit of the
-- kind, of homes and of dwellings in which nobody lived; whole says that every
-- dwelling is known. Area is 0 where it is not known of each home. By_day is a list
-- of days in JSON, each its amount and quality; empty where not told.
CREATE TABLE told_group (
    residence_id TEXT             NOT NULL,
    kind         TEXT             NOT NULL,
    month        TEXT             NOT NULL,
    level        TEXT             NOT NULL CHECK (level IN ('residence', 'building', 'staircase')),
    building     TEXT             NOT NULL CHECK (length(building) <= 100),
    members      TEXT             NOT NULL,
    homes        INTEGER          NOT NULL CHECK (homes >= 10),
    metered      INTEGER          NOT NULL CHECK (metered >= homes),
    dwellings    INTEGER          NOT NULL CHECK (dwellings >= metered),
    used         BIGINT           NOT NULL CHECK (used >= 0),
    empty_used   BIGINT           NOT NULL CHECK (empty_used >= 0),
    quality      INTEGER          NOT NULL CHECK (quality BETWEEN 0 AND 1),
    whole        INTEGER          NOT NULL CHECK (whole IN (0, 1)),
    person_days  BIGINT           NOT NULL CHECK (person_days >= 0),
    area_m2      DOUBLE PRECISION NOT NULL CHECK (area_m2 >= 0),
    by_day       TEXT             NOT NULL DEFAULT '',
    PRIMARY KEY (residence_id, kind, month, level, building, members),
    FOREIGN KEY (residence_id, kind, month) REFERENCES told_month (residence_id, kind, month) ON DELETE CASCADE
);
