-- +goose Up
-- Buildings and staircases have the names that dwellings give them; empty for
-- the only one. They appear with their first dwelling and stay.
CREATE TABLE building (
    residence_id TEXT   NOT NULL REFERENCES residence (id),
    name         TEXT   NOT NULL CHECK (length(name) <= 100),
    version      BIGINT NOT NULL DEFAULT 1 CHECK (version > 0),
    PRIMARY KEY (residence_id, name)
);

CREATE TABLE staircase (
    residence_id TEXT   NOT NULL,
    building     TEXT   NOT NULL,
    name         TEXT   NOT NULL CHECK (length(name) <= 100),
    version      BIGINT NOT NULL DEFAULT 1 CHECK (version > 0),
    PRIMARY KEY (residence_id, building, name),
    FOREIGN KEY (residence_id, building) REFERENCES building (residence_id, name)
);

INSERT INTO building (residence_id, name)
SELECT DISTINCT residence_id, building
  FROM dwelling;

INSERT INTO staircase (residence_id, building, name)
SELECT DISTINCT residence_id, building, staircase
  FROM dwelling;

-- +goose StatementBegin
CREATE TRIGGER dwelling_place_insert BEFORE INSERT ON dwelling
WHEN NOT EXISTS (
    SELECT 1
      FROM staircase
     WHERE residence_id = NEW.residence_id
       AND building = NEW.building
       AND name = NEW.staircase)
BEGIN
    INSERT INTO building (residence_id, name)
    SELECT NEW.residence_id, NEW.building
     WHERE NOT EXISTS (SELECT 1
                         FROM building
                        WHERE residence_id = NEW.residence_id
                          AND name = NEW.building);
    INSERT INTO staircase (residence_id, building, name)
    VALUES (NEW.residence_id, NEW.building, NEW.staircase);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER dwelling_place_update BEFORE UPDATE OF residence_id, building, staircase ON dwelling
WHEN NOT EXISTS (
    SELECT 1
      FROM staircase
     WHERE residence_id = NEW.residence_id
       AND building = NEW.building
       AND name = NEW.staircase)
BEGIN
    INSERT INTO building (residence_id, name)
    SELECT NEW.residence_id, NEW.building
     WHERE NOT EXISTS (SELECT 1
                         FROM building
                        WHERE residence_id = NEW.residence_id
                          AND name = NEW.building);
    INSERT INTO staircase (residence_id, building, name)
    VALUES (NEW.residence_id, NEW.building, NEW.staircase);
END;
-- +goose StatementEnd
