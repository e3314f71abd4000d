-- +goose Up
CREATE TABLE residence (
    id          TEXT   NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    name        TEXT   NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    zone        TEXT   NOT NULL CHECK (length(zone) BETWEEN 1 AND 64),
    earliest_ms BIGINT NOT NULL CHECK (earliest_ms >= 0)
);

CREATE TABLE dwelling (
    id           TEXT             NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    residence_id TEXT             NOT NULL REFERENCES residence (id),
    building     TEXT             NOT NULL CHECK (length(building) <= 100),
    staircase    TEXT             NOT NULL CHECK (length(staircase) <= 100),
    label        TEXT             NOT NULL CHECK (length(label) BETWEEN 1 AND 100),
    floor        INTEGER          NOT NULL CHECK (floor BETWEEN -10 AND 200),
    rooms        INTEGER          NOT NULL CHECK (rooms BETWEEN 0 AND 50),
    area_m2      DOUBLE PRECISION NOT NULL CHECK (area_m2 >= 0 AND area_m2 <= 2000)
);
CREATE INDEX dwelling_residence ON dwelling (residence_id);

CREATE TABLE household (
    id        TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    occupants INTEGER NOT NULL CHECK (occupants BETWEEN 1 AND 30),
    language  TEXT    NOT NULL CHECK (length(language) BETWEEN 2 AND 3)
);

-- Dates are civil days, from included, to excluded, no end where null.
CREATE TABLE membership (
    person_id    TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    household_id TEXT NOT NULL REFERENCES household (id) ON DELETE CASCADE,
    from_date    TEXT NOT NULL CHECK (from_date LIKE '____-__-__'),
    to_date      TEXT CHECK (to_date LIKE '____-__-__' AND to_date > from_date),
    PRIMARY KEY (person_id, household_id, from_date)
);
CREATE INDEX membership_household ON membership (household_id);

CREATE TABLE tenancy (
    id           TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    household_id TEXT NOT NULL REFERENCES household (id),
    dwelling_id  TEXT NOT NULL REFERENCES dwelling (id),
    moved_in     TEXT NOT NULL CHECK (moved_in LIKE '____-__-__'),
    moved_out    TEXT CHECK (moved_out LIKE '____-__-__' AND moved_out > moved_in)
);
CREATE INDEX tenancy_household ON tenancy (household_id, moved_in);
CREATE INDEX tenancy_dwelling ON tenancy (dwelling_id, moved_in);
