-- +goose Up
-- The last that each gateway said of itself, registered or not. Heard is when,
-- by our clock.
CREATE TABLE gateway_report (
    residence_id    TEXT    NOT NULL CHECK (length(residence_id) BETWEEN 1 AND 64),
    gateway_id      TEXT    NOT NULL CHECK (length(gateway_id) BETWEEN 1 AND 64),
    heard_ms        BIGINT  NOT NULL CHECK (heard_ms >= 0),
    online          INTEGER NOT NULL CHECK (online IN (0, 1)),
    program         TEXT    NOT NULL CHECK (length(program) <= 100),
    boot            TEXT    NOT NULL CHECK (length(boot) <= 100),
    clock           TEXT    NOT NULL CHECK (length(clock) <= 20),
    spool_packs     BIGINT  NOT NULL,
    spool_oldest_ms BIGINT  NOT NULL,
    spool_alarm     INTEGER NOT NULL CHECK (spool_alarm IN (0, 1)),
    config          TEXT    NOT NULL CHECK (length(config) <= 100),
    config_fault    TEXT    NOT NULL CHECK (length(config_fault) <= 1000),
    PRIMARY KEY (residence_id, gateway_id)
);

-- The last that each gateway said of each meter that it reads.
CREATE TABLE meter_report (
    residence_id TEXT   NOT NULL,
    gateway_id   TEXT   NOT NULL,
    meter_id     TEXT   NOT NULL CHECK (length(meter_id) BETWEEN 1 AND 64),
    serial       TEXT   NOT NULL CHECK (length(serial) <= 100),
    kind         TEXT   NOT NULL CHECK (length(kind) <= 20),
    resolution   TEXT   NOT NULL CHECK (length(resolution) <= 20),
    last_good_ms BIGINT NOT NULL CHECK (last_good_ms >= 0),
    faults       BIGINT NOT NULL CHECK (faults >= 0),
    heard_ms     BIGINT NOT NULL CHECK (heard_ms >= 0),
    PRIMARY KEY (residence_id, gateway_id, meter_id)
);
CREATE INDEX meter_report_meter ON meter_report (meter_id);

-- Meters whose index has not moved: since when, as far as the days tell.
CREATE TABLE meter_still (
    meter_id TEXT   NOT NULL PRIMARY KEY REFERENCES meter (id) ON DELETE CASCADE,
    since_ms BIGINT NOT NULL CHECK (since_ms > 0)
);

-- How each meter fares, as the last survey found it, and since when.
CREATE TABLE meter_standing (
    meter_id TEXT   NOT NULL PRIMARY KEY REFERENCES meter (id) ON DELETE CASCADE,
    standing TEXT   NOT NULL CHECK (standing IN ('bound', 'late', 'silent', 'stuck', 'wrong_place', 'never_seen', 'unbound', 'gateway_silent')),
    from_ms  BIGINT NOT NULL CHECK (from_ms >= 0)
);
CREATE INDEX meter_standing_kind ON meter_standing (standing);

-- What is or was wrong with a gateway or one of its meters (meter_id is empty
-- for the gateway itself), until to_ms.
CREATE TABLE incident (
    id           TEXT   NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    residence_id TEXT   NOT NULL REFERENCES residence (id),
    kind         TEXT   NOT NULL CHECK (kind IN ('gateway_silent', 'spool_alarm', 'config_fault', 'meter_silent', 'meter_stuck', 'meter_wrong_place')),
    gateway_id   TEXT   NOT NULL CHECK (length(gateway_id) BETWEEN 1 AND 64),
    meter_id     TEXT   NOT NULL CHECK (length(meter_id) <= 64),
    from_ms      BIGINT NOT NULL CHECK (from_ms >= 0),
    to_ms        BIGINT CHECK (to_ms >= from_ms)
);
-- Two servers that see the same open one incident.
CREATE UNIQUE INDEX incident_open ON incident (kind, residence_id, gateway_id, meter_id) WHERE to_ms IS NULL;
CREATE INDEX incident_residence ON incident (residence_id, from_ms);
