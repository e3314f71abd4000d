-- +goose Up
-- A point of delivery is a dwelling's or, for main meters, a building's.
ALTER TABLE point ALTER COLUMN dwelling_id DROP NOT NULL;
ALTER TABLE point ADD COLUMN residence_id TEXT REFERENCES residence (id);
ALTER TABLE point ADD COLUMN building TEXT CHECK (length(building) <= 100);
ALTER TABLE point ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE point
    ADD CONSTRAINT point_place
    CHECK ((dwelling_id IS NOT NULL AND residence_id IS NULL AND building IS NULL)
        OR (dwelling_id IS NULL AND residence_id IS NOT NULL AND building IS NOT NULL));
ALTER TABLE point
    ADD CONSTRAINT point_of_building
    FOREIGN KEY (residence_id, building) REFERENCES building (residence_id, name);
CREATE INDEX point_building ON point (residence_id, building);
