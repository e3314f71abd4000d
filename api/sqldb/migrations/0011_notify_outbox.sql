-- +goose Up
-- What is to be sent by e-mail or printed as a letter. No text and no code is
-- kept: both are made at the moment of sending. The recipient is emptied once
-- the message has left.
CREATE TABLE outbox (
    id          TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    channel     TEXT    NOT NULL CHECK (channel IN ('email', 'letter')),
    kind        TEXT    NOT NULL CHECK (length(kind) BETWEEN 1 AND 40),
    person_id   TEXT    REFERENCES person (id) ON DELETE CASCADE,
    subject     TEXT    NOT NULL CHECK (length(subject) <= 64),
    recipient   TEXT    NOT NULL CHECK (length(recipient) <= 254),
    state       TEXT    NOT NULL CHECK (state IN ('waiting', 'leaving', 'sent', 'dropped', 'failed')),
    attempts    INTEGER NOT NULL CHECK (attempts >= 0),
    created_ms  BIGINT  NOT NULL CHECK (created_ms > 0),
    next_ms     BIGINT  NOT NULL CHECK (next_ms > 0),
    done_ms     BIGINT  CHECK (done_ms > 0),
    CHECK ((state IN ('sent', 'dropped', 'failed')) = (done_ms IS NOT NULL))
);
CREATE INDEX outbox_due ON outbox (state, channel, next_ms);
CREATE INDEX outbox_person ON outbox (person_id);
