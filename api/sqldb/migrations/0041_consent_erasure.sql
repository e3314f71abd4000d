-- +goose Up
-- What is to be erased of a tenancy's readings, and when it was: a job until
-- done_ms, a log for ever. It names no person but who asked, by id.
CREATE TABLE erasure (
    id           TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    household_id TEXT    NOT NULL CHECK (length(household_id) BETWEEN 1 AND 64),
    tenancy_id   TEXT    NOT NULL CHECK (length(tenancy_id) BETWEEN 1 AND 64),
    what         TEXT    NOT NULL CHECK (what IN ('fine', 'daily', 'all')),
    why          TEXT    NOT NULL CHECK (why IN ('withdrawn', 'request', 'move', 'retention')),
    asked_ms     BIGINT  NOT NULL CHECK (asked_ms > 0),
    asked_by     TEXT    NOT NULL CHECK (length(asked_by) <= 64),
    due_ms       BIGINT  NOT NULL CHECK (due_ms > 0),
    done_ms      BIGINT  CHECK (done_ms > 0),
    attempts     INTEGER NOT NULL CHECK (attempts >= 0),
    fault        TEXT    NOT NULL CHECK (length(fault) <= 500)
);
CREATE INDEX erasure_open ON erasure (due_ms) WHERE done_ms IS NULL;
CREATE INDEX erasure_household ON erasure (household_id, asked_ms);
CREATE INDEX erasure_tenancy ON erasure (tenancy_id);

-- The meters of an erasure: what they showed in [from_ms, to_ms) becomes as
-- coarse as keep.
CREATE TABLE erasure_part (
    erasure_id TEXT   NOT NULL REFERENCES erasure (id) ON DELETE CASCADE,
    meter_id   TEXT   NOT NULL CHECK (length(meter_id) BETWEEN 1 AND 64),
    from_ms    BIGINT NOT NULL CHECK (from_ms >= 0),
    to_ms      BIGINT NOT NULL CHECK (to_ms > from_ms),
    keep       TEXT   NOT NULL REFERENCES resolution_rank (resolution),
    zone       TEXT   NOT NULL CHECK (length(zone) BETWEEN 1 AND 64),
    PRIMARY KEY (erasure_id, meter_id, from_ms)
);

-- When the people of a household that has left were forgotten; what stays of it
-- names nobody.
ALTER TABLE household ADD COLUMN erased_ms BIGINT CHECK (erased_ms > 0);

-- The instants up to which the retention has last done its work, by rule.
CREATE TABLE retention_run (
    rule    TEXT   NOT NULL PRIMARY KEY CHECK (length(rule) BETWEEN 1 AND 64),
    ran_ms  BIGINT NOT NULL CHECK (ran_ms > 0),
    dropped BIGINT NOT NULL CHECK (dropped >= 0)
);
