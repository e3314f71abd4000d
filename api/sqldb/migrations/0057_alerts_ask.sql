-- +goose Up
-- A question to a household whether a day's water was drawn on purpose. Finding is
-- what was seen, as JSON; the dates are civil days in the zone of the residence, as
-- those of a case. Said is what the household answered, once.
CREATE TABLE alert_question (
    id           TEXT   NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    point_id     TEXT   NOT NULL REFERENCES point (id) ON DELETE CASCADE,
    household_id TEXT   NOT NULL REFERENCES household (id) ON DELETE CASCADE,
    on_date      TEXT   NOT NULL CHECK (on_date LIKE '____-__-__'),
    first_date   TEXT   NOT NULL CHECK (first_date LIKE '____-__-__'),
    last_date    TEXT   NOT NULL CHECK (last_date LIKE '____-__-__' AND last_date >= first_date),
    finding      TEXT   NOT NULL,
    asked_ms     BIGINT NOT NULL CHECK (asked_ms > 0),
    said         TEXT   CHECK (said IN ('ours', 'not_ours')),
    said_ms      BIGINT CHECK (said_ms >= asked_ms),
    said_by      TEXT   CHECK (length(said_by) BETWEEN 1 AND 64),
    CHECK ((said IS NULL) = (said_ms IS NULL) AND (said IS NULL) = (said_by IS NULL))
);
CREATE UNIQUE INDEX alert_question_once ON alert_question (point_id, on_date);
CREATE INDEX alert_question_household ON alert_question (household_id);
