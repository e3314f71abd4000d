-- +goose Up
-- Working time for the programme on [from_date, until_date): hours in tenths, or a
-- share of a full-time post in thousandths.
CREATE TABLE staff_time (
    id           TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    residence_id TEXT    NOT NULL REFERENCES residence (id),
    role         TEXT    NOT NULL CHECK (role IN ('advisor', 'technical', 'lead', 'trainer', 'other')),
    from_date    TEXT    NOT NULL CHECK (from_date LIKE '____-__-__'),
    until_date   TEXT    NOT NULL CHECK (until_date LIKE '____-__-__' AND until_date > from_date),
    hour_tenths  INTEGER CHECK (hour_tenths BETWEEN 0 AND 10000000),
    post_thousandths INTEGER CHECK (post_thousandths BETWEEN 1 AND 10000),
    label        TEXT    NOT NULL CHECK (length(label) <= 200),
    source       TEXT    NOT NULL CHECK (length(source) BETWEEN 1 AND 300),
    version      BIGINT  NOT NULL DEFAULT 1 CHECK (version > 0),
    CHECK ((hour_tenths IS NULL) <> (post_thousandths IS NULL))
);
CREATE INDEX staff_time_date ON staff_time (residence_id, from_date);

-- Hours of persons in a post of insertion that the landlord paid for.
CREATE TABLE insertion_hours (
    id           TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    residence_id TEXT    NOT NULL REFERENCES residence (id),
    partner_id   TEXT    NOT NULL REFERENCES partner (id),
    from_date    TEXT    NOT NULL CHECK (from_date LIKE '____-__-__'),
    until_date   TEXT    NOT NULL CHECK (until_date LIKE '____-__-__' AND until_date > from_date),
    hour_tenths  INTEGER NOT NULL CHECK (hour_tenths BETWEEN 0 AND 10000000),
    source       TEXT    NOT NULL CHECK (length(source) BETWEEN 1 AND 300),
    version      BIGINT  NOT NULL DEFAULT 1 CHECK (version > 0)
);
CREATE INDEX insertion_hours_date ON insertion_hours (residence_id, from_date);
