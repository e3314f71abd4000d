-- +goose Up
-- Never two meters at once at a point, nor a meter at two points at once.
ALTER TABLE binding
    ADD CONSTRAINT binding_overlap_point
    EXCLUDE USING gist (point_id WITH =, int8range(from_ms, to_ms) WITH &&);

ALTER TABLE binding
    ADD CONSTRAINT binding_overlap_meter
    EXCLUDE USING gist (meter_id WITH =, int8range(from_ms, to_ms) WITH &&);
