-- +goose Up
-- What the advisor noted about a household, for the household to read. It is
-- struck, never changed. Due_date is when she means to come back to it.
CREATE TABLE household_note (
    id           TEXT   NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    household_id TEXT   NOT NULL REFERENCES household (id) ON DELETE CASCADE,
    author_id    TEXT   NOT NULL CHECK (length(author_id) BETWEEN 1 AND 64),
    on_date      TEXT   NOT NULL CHECK (on_date LIKE '____-__-__'),
    written_ms   BIGINT NOT NULL CHECK (written_ms > 0),
    words        TEXT   NOT NULL CHECK (length(words) BETWEEN 1 AND 1000),
    due_date     TEXT   CHECK (due_date LIKE '____-__-__' AND due_date >= on_date),
    done_ms      BIGINT CHECK (done_ms >= written_ms),
    struck_ms    BIGINT CHECK (struck_ms >= written_ms),
    CHECK (done_ms IS NULL OR due_date IS NOT NULL)
);
CREATE INDEX household_note_household ON household_note (household_id, on_date);
CREATE INDEX household_note_due ON household_note (due_date) WHERE due_date IS NOT NULL AND done_ms IS NULL AND struck_ms IS NULL;
