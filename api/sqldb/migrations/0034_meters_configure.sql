-- +goose Up
-- The configurations that were published to each gateway. The last version is
-- the one that the gateway should apply.
CREATE TABLE gateway_config (
    gateway_id   TEXT   NOT NULL REFERENCES gateway (id) ON DELETE CASCADE,
    version      BIGINT NOT NULL CHECK (version > 0),
    document     TEXT   NOT NULL CHECK (length(document) <= 1000000),
    published_ms BIGINT NOT NULL,
    person_id    TEXT   NOT NULL,
    PRIMARY KEY (gateway_id, version)
);
