-- +goose Up
-- What was typical in a residence in a month, once it was told: it never changes,
-- so that a home that comes or goes later cannot be told by the difference. Typical
-- and quarter are in the unit of the kind by the measure, 0 for none to be told.
CREATE TABLE typical_month (
    residence_id TEXT    NOT NULL REFERENCES residence (id) ON DELETE CASCADE,
    kind         TEXT    NOT NULL CHECK (kind IN ('cold_water', 'hot_water', 'electricity', 'heat', 'gas')),
    month        TEXT    NOT NULL CHECK (month LIKE '____-__'),
    band         INTEGER NOT NULL CHECK (band BETWEEN 0 AND 30),
    homes        INTEGER NOT NULL CHECK (homes >= 0),
    typical      BIGINT  NOT NULL CHECK (typical >= 0),
    quarter      BIGINT  NOT NULL CHECK (quarter >= 0),
    PRIMARY KEY (residence_id, kind, month, band)
);

-- The outdoors of a residence, in thousandths of a degree Celsius.
CREATE TABLE outdoor_day (
    residence_id TEXT   NOT NULL REFERENCES residence (id) ON DELETE CASCADE,
    day          TEXT   NOT NULL CHECK (day LIKE '____-__-__'),
    low_mc       BIGINT NOT NULL CHECK (low_mc BETWEEN -60000 AND 60000),
    high_mc      BIGINT NOT NULL CHECK (high_mc BETWEEN low_mc AND 60000),
    PRIMARY KEY (residence_id, day)
);
