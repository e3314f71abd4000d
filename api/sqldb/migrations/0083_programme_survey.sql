-- +goose Up
-- How many households said yes to a question. Where a source tells the share and
-- not how many answered, answered and yes are null. Tenths: 600 is 60.0 %.
CREATE TABLE survey (
    id           TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    residence_id TEXT    NOT NULL REFERENCES residence (id),
    question     TEXT    NOT NULL CHECK (question IN ('computer', 'internet')),
    on_date      TEXT    NOT NULL CHECK (on_date LIKE '____-__-__'),
    dwellings    INTEGER NOT NULL CHECK (dwellings BETWEEN 1 AND 1000000),
    answered     INTEGER CHECK (answered BETWEEN 1 AND dwellings),
    yes          INTEGER CHECK (yes BETWEEN 0 AND answered),
    tenths       INTEGER NOT NULL CHECK (tenths BETWEEN 0 AND 1000),
    source       TEXT    NOT NULL CHECK (length(source) BETWEEN 1 AND 300),
    version      BIGINT  NOT NULL DEFAULT 1 CHECK (version > 0),
    CHECK ((answered IS NULL) = (yes IS NULL)),
    UNIQUE (residence_id, question, on_date)
);

CREATE TABLE internet_offer (
    id            TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    residence_id  TEXT    NOT NULL REFERENCES residence (id),
    operator      TEXT    NOT NULL CHECK (length(operator) BETWEEN 1 AND 200),
    title         TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    monthly_cents INTEGER NOT NULL CHECK (monthly_cents BETWEEN 0 AND 100000),
    from_date     TEXT    NOT NULL CHECK (from_date LIKE '____-__-__'),
    until_date    TEXT    CHECK (until_date LIKE '____-__-__' AND until_date > from_date),
    source        TEXT    NOT NULL CHECK (length(source) <= 300),
    version       BIGINT  NOT NULL DEFAULT 1 CHECK (version > 0),
    UNIQUE (residence_id, operator, title, from_date)
);

-- What internet a household has, from a day on until the next row.
CREATE TABLE household_internet (
    household_id TEXT NOT NULL REFERENCES household (id) ON DELETE CASCADE,
    from_date    TEXT NOT NULL CHECK (from_date LIKE '____-__-__'),
    has          TEXT NOT NULL CHECK (has IN ('offer', 'own', 'none')),
    offer_id     TEXT REFERENCES internet_offer (id),
    recorded_by  TEXT NOT NULL CHECK (length(recorded_by) BETWEEN 1 AND 64),
    PRIMARY KEY (household_id, from_date),
    CHECK ((has = 'offer') = (offer_id IS NOT NULL))
);
CREATE INDEX household_internet_offer ON household_internet (offer_id, from_date);
