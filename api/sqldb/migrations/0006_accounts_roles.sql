-- +goose Up
-- What a person does for the landlord; in every residence where residence_id is
-- null. Tenants and helpers have no row: their rights come from where they live
-- and from mandates.
CREATE TABLE staff_role (
    person_id    TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    role         TEXT NOT NULL CHECK (role IN ('advisor', 'manager', 'technician', 'trainer', 'installer', 'administrator')),
    residence_id TEXT REFERENCES residence (id)
);
CREATE UNIQUE INDEX staff_role_once ON staff_role (person_id, role, COALESCE(residence_id, ''));

-- A key for a program that acts for a person: it may do what the person may, as
-- far as its scopes go. Only the hash of the secret is kept. Scopes are
-- separated by spaces.
CREATE TABLE api_token (
    id         TEXT   NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    person_id  TEXT   NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    label      TEXT   NOT NULL CHECK (length(label) BETWEEN 1 AND 100),
    hash       TEXT   NOT NULL UNIQUE CHECK (length(hash) = 64),
    scopes     TEXT   NOT NULL CHECK (length(scopes) BETWEEN 1 AND 500),
    created_ms BIGINT NOT NULL CHECK (created_ms > 0),
    expires_ms BIGINT NOT NULL CHECK (expires_ms > created_ms),
    used_ms    BIGINT CHECK (used_ms > 0)
);
CREATE INDEX api_token_person ON api_token (person_id);

-- Answers to requests that bore an idempotency key; status 0 while the first
-- of them is being worked on.
CREATE TABLE idempotency (
    person_id    TEXT    NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    request_key  TEXT    NOT NULL CHECK (length(request_key) BETWEEN 1 AND 100),
    request_hash TEXT    NOT NULL CHECK (length(request_hash) = 64),
    status       INTEGER NOT NULL,
    media_type   TEXT    NOT NULL,
    body         TEXT    NOT NULL,
    created_ms   BIGINT  NOT NULL,
    PRIMARY KEY (person_id, request_key)
);
CREATE INDEX idempotency_age ON idempotency (created_ms);
