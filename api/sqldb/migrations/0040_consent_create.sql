-- +goose Up
-- The finest that may be read of a meter whatever is agreed to: what the meter,
-- its line or the landlord allow. The column resolution is worked out from it,
-- the legal bases and the consents.
ALTER TABLE meter ADD COLUMN resolution_most TEXT NOT NULL DEFAULT 'fine'
    CHECK (resolution_most IN ('fine', 'hour', 'day', 'month', 'off'));
UPDATE meter
   SET resolution_most = resolution;

-- Resolutions from the finest on: the larger rank is the coarser.
CREATE TABLE resolution_rank (
    resolution TEXT    NOT NULL PRIMARY KEY,
    step       INTEGER NOT NULL UNIQUE
);
INSERT INTO resolution_rank (resolution, step)
VALUES ('fine', 0), ('hour', 1), ('day', 2), ('month', 3), ('off', 4);

-- How finely a dwelling's meter may be read, by kind: without any consent, and
-- with each. Ground names the basis of what is read without.
CREATE TABLE legal_basis (
    kind         TEXT NOT NULL PRIMARY KEY CHECK (kind IN ('cold_water', 'hot_water', 'electricity', 'heat', 'gas', 'temperature')),
    without_any  TEXT NOT NULL REFERENCES resolution_rank (resolution),
    with_daily   TEXT NOT NULL REFERENCES resolution_rank (resolution),
    with_fine    TEXT NOT NULL REFERENCES resolution_rank (resolution),
    ground       TEXT NOT NULL CHECK (ground IN ('charges', 'monthly_note', 'consent'))
);
INSERT INTO legal_basis (kind, without_any, with_daily, with_fine, ground)
VALUES ('cold_water', 'day', 'day', 'fine', 'charges'),
       ('hot_water', 'month', 'day', 'fine', 'monthly_note'),
       ('heat', 'month', 'day', 'fine', 'monthly_note'),
       ('electricity', 'off', 'day', 'fine', 'consent'),
       ('gas', 'off', 'day', 'fine', 'consent'),
       ('temperature', 'off', 'day', 'fine', 'consent');

-- What a household agreed to for one tenancy: it does not move with the family,
-- nor pass to the next. A row is the proof and outlives what it speaks of, so
-- there are no foreign keys; it is never changed but to say when and why it
-- ended. Given_by is empty where the landlord's file said so.
CREATE TABLE consent (
    id            TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    household_id  TEXT    NOT NULL CHECK (length(household_id) BETWEEN 1 AND 64),
    tenancy_id    TEXT    NOT NULL CHECK (length(tenancy_id) BETWEEN 1 AND 64),
    purpose       TEXT    NOT NULL CHECK (purpose IN ('daily_follow_up', 'fine_curve', 'personal_advice')),
    text_version  INTEGER NOT NULL CHECK (text_version > 0),
    language      TEXT    NOT NULL CHECK (length(language) BETWEEN 2 AND 3),
    channel       TEXT    NOT NULL CHECK (channel IN ('page', 'paper', 'telephone')),
    given_by      TEXT    NOT NULL CHECK (length(given_by) <= 64),
    collected_by  TEXT    NOT NULL CHECK (length(collected_by) BETWEEN 1 AND 64),
    from_ms       BIGINT  NOT NULL CHECK (from_ms > 0),
    to_ms         BIGINT  NOT NULL CHECK (to_ms > from_ms AND to_ms - from_ms <= 94780800000),
    ended_ms      BIGINT  CHECK (ended_ms > 0),
    ended_why     TEXT    CHECK (ended_why IN ('withdrawn', 'expired', 'left')),
    ended_by      TEXT    CHECK (length(ended_by) <= 64),
    ended_channel TEXT    CHECK (ended_channel IN ('page', 'paper', 'telephone')),
    CHECK ((ended_ms IS NULL) = (ended_why IS NULL))
);
-- One at a time for a purpose.
CREATE UNIQUE INDEX consent_open ON consent (tenancy_id, purpose) WHERE ended_ms IS NULL;
CREATE INDEX consent_household ON consent (household_id, from_ms);
CREATE INDEX consent_ended ON consent (ended_ms);
