-- +goose Up
-- What was said to households, how, and with what aim, on [from_date, until_date).
CREATE TABLE campaign (
    id           TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    residence_id TEXT    NOT NULL REFERENCES residence (id),
    title        TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    goal         TEXT    NOT NULL CHECK (goal IN ('follow_up', 'computers', 'training', 'internet')),
    audience     TEXT    NOT NULL CHECK (length(audience) BETWEEN 1 AND 200),
    channel      TEXT    NOT NULL CHECK (channel IN ('article', 'radio', 'poster', 'meeting', 'letter', 'portal', 'visit', 'other')),
    from_date    TEXT    NOT NULL CHECK (from_date LIKE '____-__-__'),
    until_date   TEXT    NOT NULL CHECK (until_date LIKE '____-__-__' AND until_date > from_date),
    reach        INTEGER CHECK (reach BETWEEN 0 AND 1000000),
    note         TEXT    NOT NULL CHECK (length(note) <= 500),
    version      BIGINT  NOT NULL DEFAULT 1 CHECK (version > 0)
);
CREATE INDEX campaign_residence ON campaign (residence_id, from_date);
