-- +goose Up
-- What happened to a machine stays as it was written, as long as the machine does.

-- +goose StatementBegin
CREATE TRIGGER machine_event_keep_update BEFORE UPDATE ON machine_event
BEGIN
    SELECT RAISE(ABORT, 'machine_event_keep');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER machine_event_keep_delete BEFORE DELETE ON machine_event
WHEN EXISTS (SELECT 1 FROM machine WHERE id = OLD.machine_id)
BEGIN
    SELECT RAISE(ABORT, 'machine_event_keep');
END;
-- +goose StatementEnd
