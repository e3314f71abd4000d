-- +goose Up
-- How far the morning's run over a residence has come, one row a civil day. It is
-- somebody's until lease_ms, so that two programs do not do the same work; after a
-- kill another takes it over and does the homes that are left.
CREATE TABLE nightly_run (
    residence_id TEXT    NOT NULL REFERENCES residence (id) ON DELETE CASCADE,
    on_date      TEXT    NOT NULL CHECK (on_date LIKE '____-__-__'),
    begun_ms     BIGINT  NOT NULL CHECK (begun_ms > 0),
    lease_ms     BIGINT  NOT NULL CHECK (lease_ms > 0),
    holder       TEXT    NOT NULL CHECK (length(holder) BETWEEN 1 AND 64),
    ended_ms     BIGINT  CHECK (ended_ms >= begun_ms),
    PRIMARY KEY (residence_id, on_date)
);

-- The homes that a run has done, with what it counted there.
CREATE TABLE nightly_home (
    residence_id TEXT    NOT NULL,
    on_date      TEXT    NOT NULL,
    dwelling_id  TEXT    NOT NULL CHECK (length(dwelling_id) BETWEEN 1 AND 64),
    done_ms      BIGINT  NOT NULL CHECK (done_ms > 0),
    counts       TEXT    NOT NULL,
    PRIMARY KEY (residence_id, on_date, dwelling_id),
    FOREIGN KEY (residence_id, on_date) REFERENCES nightly_run (residence_id, on_date) ON DELETE CASCADE
);

-- The quietest window of each morning-to-morning day of a water meter, as its
-- curve told it, so that the curve of weeks need not be read each night. Step is
-- what a pulse of the meter was taken for, in mL; the indexes are continuous over
-- rollovers of the register. Known is 0 for a day with a gap.
CREATE TABLE quiet_day (
    meter_id   TEXT    NOT NULL REFERENCES meter (id) ON DELETE CASCADE,
    about_s    INTEGER NOT NULL CHECK (about_s > 0),
    on_date    TEXT    NOT NULL CHECK (on_date LIKE '____-__-__'),
    known      INTEGER NOT NULL CHECK (known IN (0, 1)),
    step       BIGINT  NOT NULL CHECK (step > 0),
    from_ms    BIGINT  NOT NULL CHECK (from_ms >= 0),
    to_ms      BIGINT  NOT NULL CHECK (to_ms >= from_ms),
    from_index BIGINT  NOT NULL CHECK (from_index >= 0),
    to_index   BIGINT  NOT NULL CHECK (to_index >= from_index),
    PRIMARY KEY (meter_id, about_s, on_date)
);
CREATE INDEX quiet_day_age ON quiet_day (on_date);

-- What similar homes of a residence use, by month: told once and for good, so that
-- no difference of two tells of a home. Homes is 0 where nothing may be told.
CREATE TABLE similar_month (
    residence_id TEXT    NOT NULL REFERENCES residence (id) ON DELETE CASCADE,
    measure      TEXT    NOT NULL CHECK (measure IN ('water', 'base', 'heat')),
    month        TEXT    NOT NULL CHECK (month LIKE '____-__'),
    homes        INTEGER NOT NULL CHECK (homes >= 0),
    quarter      DOUBLE PRECISION NOT NULL,
    middle       DOUBLE PRECISION NOT NULL,
    upper        DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (residence_id, measure, month)
);
