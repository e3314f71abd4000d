-- +goose Up
-- Never two tenancies at once in a dwelling.

-- +goose StatementBegin
CREATE TRIGGER tenancy_overlap_insert BEFORE INSERT ON tenancy
WHEN EXISTS (
    SELECT 1
      FROM tenancy
     WHERE dwelling_id = NEW.dwelling_id
       AND id <> NEW.id
       AND (NEW.moved_out IS NULL OR moved_in < NEW.moved_out)
       AND (moved_out IS NULL OR NEW.moved_in < moved_out))
BEGIN
    SELECT RAISE(ABORT, 'tenancy_overlap');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER tenancy_overlap_update BEFORE UPDATE ON tenancy
WHEN EXISTS (
    SELECT 1
      FROM tenancy
     WHERE dwelling_id = NEW.dwelling_id
       AND id <> OLD.id
       AND (NEW.moved_out IS NULL OR moved_in < NEW.moved_out)
       AND (moved_out IS NULL OR NEW.moved_in < moved_out))
BEGIN
    SELECT RAISE(ABORT, 'tenancy_overlap');
END;
-- +goose StatementEnd
