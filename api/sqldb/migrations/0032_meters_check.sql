-- +goose Up
-- How far the dial and tap check of a meter at a point has come. The row belongs
-- to the binding that began at bound_ms; another binding begins without one,
-- which is unverified. The open_ columns are a dial or a running tap that waits
-- for the next reading.
CREATE TABLE meter_check (
    meter_id      TEXT   NOT NULL REFERENCES meter (id) ON DELETE CASCADE,
    point_id      TEXT   NOT NULL REFERENCES point (id) ON DELETE CASCADE,
    bound_ms      BIGINT NOT NULL,
    state         TEXT   NOT NULL CHECK (state IN ('unverified', 'verified', 'disputed')),
    dial_ms       BIGINT CHECK (dial_ms > 0),
    tap_ms        BIGINT CHECK (tap_ms > 0),
    due_ms        BIGINT CHECK (due_ms > 0),
    open_dial_ms  BIGINT CHECK (open_dial_ms > 0),
    open_index    BIGINT CHECK (open_index >= 0),
    open_digit    BIGINT CHECK (open_digit > 0),
    open_by       TEXT,
    open_tap_ms   BIGINT CHECK (open_tap_ms > 0),
    version       BIGINT NOT NULL DEFAULT 1,
    PRIMARY KEY (meter_id, point_id, bound_ms)
);

-- What was done, by whom, and what came of it: the evidence where a check is
-- disputed later. Indexes are in the base unit of the meter's kind.
CREATE TABLE meter_check_step (
    id          TEXT   NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    meter_id    TEXT   NOT NULL REFERENCES meter (id) ON DELETE CASCADE,
    point_id    TEXT   NOT NULL REFERENCES point (id) ON DELETE CASCADE,
    bound_ms    BIGINT NOT NULL,
    at_ms       BIGINT NOT NULL,
    person_id   TEXT   NOT NULL,
    step        TEXT   NOT NULL CHECK (step IN ('dial', 'tap')),
    outcome     TEXT   NOT NULL CHECK (outcome IN ('agrees', 'differs', 'moved', 'other_moved')),
    dial_index  BIGINT,
    read_index  BIGINT,
    others      TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX meter_check_step_of ON meter_check_step (meter_id, point_id, bound_ms, at_ms);
