-- +goose Up
CREATE TABLE person (
    id       TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    name     TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    language TEXT NOT NULL CHECK (length(language) BETWEEN 2 AND 3)
);

-- The code of a letter: the selector finds the row, only the hash of the rest
-- is kept. One code a person.
CREATE TABLE sign_in (
    person_id  TEXT   NOT NULL PRIMARY KEY REFERENCES person (id) ON DELETE CASCADE,
    selector   TEXT   NOT NULL UNIQUE CHECK (length(selector) = 4),
    hash       TEXT   NOT NULL CHECK (hash LIKE '$argon2id$%'),
    expires_ms BIGINT NOT NULL CHECK (expires_ms > 0)
);

CREATE TABLE session (
    token_hash TEXT   NOT NULL PRIMARY KEY CHECK (length(token_hash) = 64),
    person_id  TEXT   NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    expires_ms BIGINT NOT NULL CHECK (expires_ms > 0),
    form_token TEXT   NOT NULL CHECK (length(form_token) = 43)
);
CREATE INDEX session_person ON session (person_id);
CREATE INDEX session_expiry ON session (expires_ms);
