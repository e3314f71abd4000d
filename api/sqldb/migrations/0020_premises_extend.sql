-- +goose Up
-- A version grows with each change of its row, so that the second of two who
-- change it at once is told.
ALTER TABLE residence ADD COLUMN version BIGINT NOT NULL DEFAULT 1 CHECK (version > 0);
ALTER TABLE residence ADD COLUMN street TEXT NOT NULL DEFAULT '' CHECK (length(street) <= 200);
ALTER TABLE residence ADD COLUMN postcode TEXT NOT NULL DEFAULT '' CHECK (length(postcode) <= 20);
ALTER TABLE residence ADD COLUMN town TEXT NOT NULL DEFAULT '' CHECK (length(town) <= 100);

-- Share of the heat that is split by the meters; the rest is common.
ALTER TABLE residence ADD COLUMN heat_individual_percent INTEGER NOT NULL DEFAULT 70
    CHECK (heat_individual_percent BETWEEN 0 AND 100);

ALTER TABLE dwelling ADD COLUMN version BIGINT NOT NULL DEFAULT 1 CHECK (version > 0);
ALTER TABLE dwelling ADD COLUMN heating_kind TEXT NOT NULL DEFAULT 'unknown'
    CHECK (heating_kind IN ('unknown', 'collective', 'gas', 'electric', 'heat_pump', 'wood', 'other', 'none'));
ALTER TABLE dwelling ADD COLUMN hot_water_kind TEXT NOT NULL DEFAULT 'unknown'
    CHECK (hot_water_kind IN ('unknown', 'collective', 'gas', 'electric', 'heat_pump', 'wood', 'other', 'none'));
CREATE INDEX dwelling_order ON dwelling (residence_id, building, staircase, floor, label, id);

ALTER TABLE household ADD COLUMN version BIGINT NOT NULL DEFAULT 1 CHECK (version > 0);
ALTER TABLE household ADD COLUMN telephone TEXT NOT NULL DEFAULT '' CHECK (length(telephone) <= 30);
ALTER TABLE household ADD COLUMN email TEXT NOT NULL DEFAULT '' CHECK (length(email) <= 254);

-- How the household wants to be told things; what that needs must be there.
ALTER TABLE household ADD COLUMN contact_by TEXT NOT NULL DEFAULT 'letter'
    CHECK (contact_by = 'letter'
        OR contact_by = 'telephone' AND telephone <> ''
        OR contact_by = 'e-mail' AND email <> '');

ALTER TABLE tenancy ADD COLUMN version BIGINT NOT NULL DEFAULT 1 CHECK (version > 0);
ALTER TABLE membership ADD COLUMN version BIGINT NOT NULL DEFAULT 1 CHECK (version > 0);
