-- +goose Up
-- Why the last run claimed nothing of a point, for who lives there: the key of a
-- sentence and the figures that it needs. A point of which something is known has
-- no row.
CREATE TABLE alert_refusal (
    point_id     TEXT   NOT NULL PRIMARY KEY REFERENCES point (id) ON DELETE CASCADE,
    household_id TEXT   REFERENCES household (id) ON DELETE CASCADE,
    reason       TEXT   NOT NULL CHECK (length(reason) BETWEEN 1 AND 64),
    smallest     BIGINT NOT NULL CHECK (smallest >= 0),
    window_s     BIGINT NOT NULL CHECK (window_s >= 0),
    on_date      TEXT   NOT NULL CHECK (on_date LIKE '____-__-__')
);
CREATE INDEX alert_refusal_household ON alert_refusal (household_id);
