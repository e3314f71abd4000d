-- +goose Up
-- Money that no sale, purchase or service of the workshop tells of.
CREATE TABLE ledger_entry (
    id           TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    residence_id TEXT    NOT NULL REFERENCES residence (id),
    on_date      TEXT    NOT NULL CHECK (on_date LIKE '____-__-__'),
    side         TEXT    NOT NULL CHECK (side IN ('revenue', 'cost')),
    category     TEXT    NOT NULL CHECK (category IN ('computers', 'grant', 'internet', 'training', 'communication', 'staff', 'other')),
    cents        BIGINT  NOT NULL CHECK (cents BETWEEN 1 AND 100000000000),
    label        TEXT    NOT NULL CHECK (length(label) BETWEEN 1 AND 200),
    source       TEXT    NOT NULL CHECK (length(source) BETWEEN 1 AND 300),
    version      BIGINT  NOT NULL DEFAULT 1 CHECK (version > 0)
);
CREATE INDEX ledger_entry_date ON ledger_entry (residence_id, on_date);

-- A figure that somebody declared for the days [from_date, until_date), kept apart
-- from what records tell. Thousandths of the indicator's unit.
CREATE TABLE declared_figure (
    id           TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    residence_id TEXT    NOT NULL REFERENCES residence (id),
    indicator    TEXT    NOT NULL CHECK (length(indicator) BETWEEN 1 AND 40),
    from_date    TEXT    NOT NULL CHECK (from_date LIKE '____-__-__'),
    until_date   TEXT    NOT NULL CHECK (until_date LIKE '____-__-__' AND until_date > from_date),
    thousandths  BIGINT  NOT NULL,
    about        INTEGER NOT NULL CHECK (about IN (0, 1)),
    source       TEXT    NOT NULL CHECK (length(source) BETWEEN 1 AND 300),
    source_date  TEXT    CHECK (source_date LIKE '____-__-__'),
    note         TEXT    NOT NULL CHECK (length(note) <= 500),
    version      BIGINT  NOT NULL DEFAULT 1 CHECK (version > 0),
    UNIQUE (residence_id, indicator, from_date, until_date, source)
);
