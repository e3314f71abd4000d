-- +goose Up
-- What happened to a machine stays as it was written, as long as the machine does.
-- +goose StatementBegin
CREATE FUNCTION machine_event_keep() RETURNS TRIGGER
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' OR EXISTS (SELECT 1 FROM machine WHERE id = OLD.machine_id) THEN
        RAISE EXCEPTION 'machine_event_keep';
    END IF;
    RETURN OLD;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER machine_event_keep BEFORE UPDATE OR DELETE ON machine_event
FOR EACH ROW EXECUTE FUNCTION machine_event_keep();
