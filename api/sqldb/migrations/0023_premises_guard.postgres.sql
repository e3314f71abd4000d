-- +goose Up
-- Nobody is a member of a household twice at once.
ALTER TABLE membership
    ADD CONSTRAINT membership_overlap
    EXCLUDE USING gist (person_id WITH =, household_id WITH =, daterange(civil_date(from_date), civil_date(to_date)) WITH &&);

-- What was looked at stays as it was written.
-- +goose StatementBegin
CREATE FUNCTION access_log_keep() RETURNS TRIGGER
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'access_log_keep';
END
$$;
-- +goose StatementEnd

CREATE TRIGGER access_log_keep BEFORE UPDATE ON access_log
FOR EACH ROW EXECUTE FUNCTION access_log_keep();
