-- +goose Up
-- A code with which a gateway fetches its access once; of the code only a digest.
CREATE TABLE gateway_code (
    gateway_id TEXT   NOT NULL PRIMARY KEY REFERENCES gateway (id) ON DELETE CASCADE,
    digest     TEXT   NOT NULL UNIQUE CHECK (length(digest) = 64),
    made_by    TEXT   NOT NULL REFERENCES person (id),
    made_ms    BIGINT NOT NULL,
    until_ms   BIGINT NOT NULL CHECK (until_ms > made_ms)
);

-- How a gateway is known to the broker, as the broker's own file has it.
CREATE TABLE gateway_access (
    gateway_id TEXT   NOT NULL PRIMARY KEY REFERENCES gateway (id) ON DELETE CASCADE,
    password   TEXT   NOT NULL CHECK (length(password) BETWEEN 20 AND 300),
    since_ms   BIGINT NOT NULL
);
