-- +goose Up
CREATE TABLE gateway (
    id           TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    residence_id TEXT NOT NULL REFERENCES residence (id)
);

CREATE TABLE point (
    id          TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    dwelling_id TEXT NOT NULL REFERENCES dwelling (id),
    kind        TEXT NOT NULL CHECK (kind IN ('cold_water', 'hot_water', 'electricity', 'heat', 'gas', 'temperature'))
);
CREATE INDEX point_dwelling ON point (dwelling_id);

-- Amounts are in the base unit of the kind: Wh or mL. 0 means never for the
-- modulus and not known for the largest consumption in an hour.
CREATE TABLE meter (
    id            TEXT   NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    gateway_id    TEXT   NOT NULL REFERENCES gateway (id),
    kind          TEXT   NOT NULL CHECK (kind IN ('cold_water', 'hot_water', 'electricity', 'heat', 'gas', 'temperature')),
    index_modulus BIGINT NOT NULL CHECK (index_modulus >= 0),
    max_per_hour  BIGINT NOT NULL CHECK (max_per_hour >= 0),
    interval_s    BIGINT NOT NULL CHECK (interval_s BETWEEN 1 AND 2678400),
    resolution    TEXT   NOT NULL CHECK (resolution IN ('fine', 'hour', 'day', 'month', 'off'))
);
CREATE INDEX meter_gateway ON meter (gateway_id);

CREATE TABLE binding (
    meter_id    TEXT   NOT NULL REFERENCES meter (id),
    point_id    TEXT   NOT NULL REFERENCES point (id),
    from_ms     BIGINT NOT NULL CHECK (from_ms >= 0),
    to_ms       BIGINT CHECK (to_ms > from_ms),
    first_index BIGINT CHECK (first_index >= 0),
    last_index  BIGINT CHECK (last_index IS NULL OR (last_index >= 0 AND to_ms IS NOT NULL)),
    PRIMARY KEY (meter_id, from_ms)
);
CREATE INDEX binding_point ON binding (point_id, from_ms);
