-- +goose Up
ALTER TABLE person ADD COLUMN version BIGINT NOT NULL DEFAULT 1 CHECK (version > 0);

-- How a person comes in besides the code of a letter. The name is what the
-- letter prints, in small letters without accents; the e-mail address is one
-- whose owner answered, in small letters.
CREATE TABLE way_in (
    person_id     TEXT NOT NULL PRIMARY KEY REFERENCES person (id) ON DELETE CASCADE,
    name          TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 3 AND 40),
    password_hash TEXT CHECK (password_hash LIKE '$argon2id$%'),
    password_ms   BIGINT CHECK (password_ms > 0),
    email         TEXT UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
    CHECK ((password_hash IS NULL) = (password_ms IS NULL))
);

-- The address that a code was sent to, whose owner is who signs in with it.
ALTER TABLE sign_in ADD COLUMN email TEXT CHECK (length(email) BETWEEN 3 AND 254);

-- Sessions are short-lived: those of before end, and people sign in again.
DROP TABLE session;
CREATE TABLE session (
    id         TEXT   NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    token_hash TEXT   NOT NULL UNIQUE CHECK (length(token_hash) = 64),
    person_id  TEXT   NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    way        TEXT   NOT NULL CHECK (way IN ('code', 'password', 'email')),
    browser    TEXT   NOT NULL CHECK (length(browser) <= 60),
    created_ms BIGINT NOT NULL CHECK (created_ms > 0),
    seen_ms    BIGINT NOT NULL CHECK (seen_ms >= created_ms),
    expires_ms BIGINT NOT NULL CHECK (expires_ms > 0),
    form_token TEXT   NOT NULL CHECK (length(form_token) = 43)
);
CREATE INDEX session_person ON session (person_id);
CREATE INDEX session_expiry ON session (expires_ms);

-- A code by e-mail: asked for by one browser, which alone can use it, once. The
-- person is null where nobody has the address; the hash is null until the code
-- is drawn, when the message leaves.
CREATE TABLE email_code (
    id           TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    browser_hash TEXT    NOT NULL UNIQUE CHECK (length(browser_hash) = 64),
    person_id    TEXT    REFERENCES person (id) ON DELETE CASCADE,
    purpose      TEXT    NOT NULL CHECK (purpose IN ('sign_in', 'address')),
    email        TEXT    NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    hash         TEXT    CHECK (hash LIKE '$argon2id$%'),
    tries        INTEGER NOT NULL CHECK (tries >= 0),
    expires_ms   BIGINT  NOT NULL CHECK (expires_ms > 0)
);
CREATE INDEX email_code_expiry ON email_code (expires_ms);
CREATE INDEX email_code_person ON email_code (person_id);

CREATE UNIQUE INDEX api_token_label ON api_token (person_id, label);
