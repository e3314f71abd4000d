-- +goose Up
-- Never two tenancies at once in a dwelling.
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- A cast of text to date depends on the session's settings, so that an index
-- may not use it; this may.
-- +goose StatementBegin
CREATE FUNCTION civil_date(day TEXT) RETURNS DATE
LANGUAGE sql IMMUTABLE STRICT
RETURN make_date(substr(day, 1, 4)::int, substr(day, 6, 2)::int, substr(day, 9, 2)::int);
-- +goose StatementEnd

ALTER TABLE tenancy
    ADD CONSTRAINT tenancy_overlap
    EXCLUDE USING gist (dwelling_id WITH =, daterange(civil_date(moved_in), civil_date(moved_out)) WITH &&);
