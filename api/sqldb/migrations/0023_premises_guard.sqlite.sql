-- +goose Up
-- Nobody is a member of a household twice at once.

-- +goose StatementBegin
CREATE TRIGGER membership_overlap_insert BEFORE INSERT ON membership
WHEN EXISTS (
    SELECT 1
      FROM membership
     WHERE person_id = NEW.person_id
       AND household_id = NEW.household_id
       AND (NEW.to_date IS NULL OR from_date < NEW.to_date)
       AND (to_date IS NULL OR NEW.from_date < to_date))
BEGIN
    SELECT RAISE(ABORT, 'membership_overlap');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER membership_overlap_update BEFORE UPDATE ON membership
WHEN EXISTS (
    SELECT 1
      FROM membership
     WHERE person_id = NEW.person_id
       AND household_id = NEW.household_id
       AND from_date <> OLD.from_date
       AND (NEW.to_date IS NULL OR from_date < NEW.to_date)
       AND (to_date IS NULL OR NEW.from_date < to_date))
BEGIN
    SELECT RAISE(ABORT, 'membership_overlap');
END;
-- +goose StatementEnd

-- What was looked at stays as it was written.

-- +goose StatementBegin
CREATE TRIGGER access_log_keep BEFORE UPDATE ON access_log
BEGIN
    SELECT RAISE(ABORT, 'access_log_keep');
END;
-- +goose StatementEnd
