-- +goose NO TRANSACTION
-- +goose Up
-- A point of delivery is a dwelling's or, for main meters, a building's. SQLite
-- cannot drop NOT NULL, so the table is made again.
PRAGMA foreign_keys = OFF;

BEGIN;

DROP TABLE IF EXISTS point_anew;

CREATE TABLE point_anew (
    id           TEXT   NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    dwelling_id  TEXT   REFERENCES dwelling (id),
    residence_id TEXT   REFERENCES residence (id),
    building     TEXT   CHECK (length(building) <= 100),
    kind         TEXT   NOT NULL CHECK (kind IN ('cold_water', 'hot_water', 'electricity', 'heat', 'gas', 'temperature')),
    version      BIGINT NOT NULL DEFAULT 1,
    FOREIGN KEY (residence_id, building) REFERENCES building (residence_id, name),
    CHECK ((dwelling_id IS NOT NULL AND residence_id IS NULL AND building IS NULL)
        OR (dwelling_id IS NULL AND residence_id IS NOT NULL AND building IS NOT NULL))
);

INSERT INTO point_anew (id, dwelling_id, kind)
SELECT id, dwelling_id, kind
  FROM point;

DROP TABLE point;

ALTER TABLE point_anew RENAME TO point;

CREATE INDEX point_dwelling ON point (dwelling_id);

CREATE INDEX point_building ON point (residence_id, building);

-- A reference that leads nowhere makes this fail, and with it the migration.
CREATE TEMP TABLE broken (found INTEGER NOT NULL CHECK (found = 0));

INSERT INTO broken (found)
SELECT COUNT(*)
  FROM pragma_foreign_key_check;

DROP TABLE broken;

COMMIT;

PRAGMA foreign_keys = ON;
