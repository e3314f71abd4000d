-- +goose Up
ALTER TABLE gateway ADD COLUMN name TEXT NOT NULL DEFAULT '' CHECK (length(name) <= 100);
ALTER TABLE gateway ADD COLUMN place TEXT NOT NULL DEFAULT '' CHECK (length(place) <= 200);
ALTER TABLE gateway ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
CREATE INDEX gateway_residence ON gateway (residence_id);

-- A line of meters, or one Modbus TCP server.
CREATE TABLE bus (
    gateway_id      TEXT    NOT NULL REFERENCES gateway (id) ON DELETE CASCADE,
    name            TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    url             TEXT    NOT NULL CHECK (length(url) BETWEEN 1 AND 200),
    baud            INTEGER NOT NULL CHECK (baud BETWEEN 300 AND 1000000),
    parity          TEXT    NOT NULL CHECK (parity IN ('none', 'even', 'odd')),
    stop_bits       INTEGER NOT NULL CHECK (stop_bits IN (1, 2)),
    timeout_ms      INTEGER NOT NULL CHECK (timeout_ms BETWEEN 1 AND 60000),
    interval_s      INTEGER NOT NULL CHECK (interval_s BETWEEN 1 AND 2678400),
    rs485           INTEGER NOT NULL CHECK (rs485 IN (0, 1)),
    rts_on_send     INTEGER NOT NULL CHECK (rts_on_send IN (0, 1)),
    delay_before_ms INTEGER NOT NULL CHECK (delay_before_ms BETWEEN 0 AND 100),
    delay_after_ms  INTEGER NOT NULL CHECK (delay_after_ms BETWEEN 0 AND 100),
    PRIMARY KEY (gateway_id, name),
    UNIQUE (gateway_id, url)
);

-- Where the gateway finds a meter: bus, slave and channel; none where its
-- readings come another way. The pulse is what a pulse is worth in the base unit
-- of the kind, 0 where the register counts in units itself. What the meter
-- showed before erased_until_ms was erased and must not come back.
ALTER TABLE meter ADD COLUMN serial TEXT NOT NULL DEFAULT '' CHECK (length(serial) <= 64);
ALTER TABLE meter ADD COLUMN profile TEXT NOT NULL DEFAULT '' CHECK (length(profile) <= 64);
ALTER TABLE meter ADD COLUMN bus TEXT NOT NULL DEFAULT '' CHECK (length(bus) <= 64);
ALTER TABLE meter ADD COLUMN slave INTEGER NOT NULL DEFAULT 0 CHECK (slave BETWEEN 0 AND 247);
ALTER TABLE meter ADD COLUMN channel INTEGER NOT NULL DEFAULT 0 CHECK (channel BETWEEN 0 AND 255);
ALTER TABLE meter ADD COLUMN pulse BIGINT NOT NULL DEFAULT 0 CHECK (pulse BETWEEN 0 AND 1000000000);
ALTER TABLE meter ADD COLUMN start_index BIGINT NOT NULL DEFAULT 0;
ALTER TABLE meter ADD COLUMN erased_until_ms BIGINT NOT NULL DEFAULT 0 CHECK (erased_until_ms >= 0);
ALTER TABLE meter ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
-- Two makers may give the same number, two meters of a gateway hardly.
CREATE UNIQUE INDEX meter_serial_once ON meter (gateway_id, serial) WHERE serial <> '';
CREATE INDEX meter_serial ON meter (serial) WHERE serial <> '';
CREATE UNIQUE INDEX meter_socket ON meter (gateway_id, bus, slave, channel) WHERE bus <> '';

ALTER TABLE binding ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- Where each point is, for people and for clipping by residence.
CREATE VIEW point_site AS
SELECT point.id AS point_id,
       point.kind AS kind,
       point.version AS version,
       point.dwelling_id AS dwelling_id,
       COALESCE(dwelling.residence_id, point.residence_id) AS residence_id,
       COALESCE(dwelling.building, point.building) AS building,
       COALESCE(dwelling.staircase, '') AS staircase,
       COALESCE(dwelling.label, '') AS label
  FROM point
  LEFT JOIN dwelling ON dwelling.id = point.dwelling_id;
