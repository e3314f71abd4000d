-- +goose Up
-- Never two meters at once at a point, nor a meter at two points at once.

-- +goose StatementBegin
CREATE TRIGGER binding_overlap_insert BEFORE INSERT ON binding
WHEN EXISTS (
    SELECT 1
      FROM binding
     WHERE (point_id = NEW.point_id OR meter_id = NEW.meter_id)
       AND (NEW.to_ms IS NULL OR from_ms < NEW.to_ms)
       AND (to_ms IS NULL OR NEW.from_ms < to_ms))
BEGIN
    SELECT RAISE(ABORT, 'binding_overlap');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER binding_overlap_update BEFORE UPDATE ON binding
WHEN EXISTS (
    SELECT 1
      FROM binding
     WHERE (point_id = NEW.point_id OR meter_id = NEW.meter_id)
       AND NOT (meter_id = OLD.meter_id AND from_ms = OLD.from_ms)
       AND (NEW.to_ms IS NULL OR from_ms < NEW.to_ms)
       AND (to_ms IS NULL OR NEW.from_ms < to_ms))
BEGIN
    SELECT RAISE(ABORT, 'binding_overlap');
END;
-- +goose StatementEnd
