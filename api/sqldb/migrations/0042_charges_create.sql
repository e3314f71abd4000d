-- +goose Up
-- What a unit of a kind costs in a residence from a day on, until the next tariff
-- of the kind or until_date. Prices are millionths of a euro, taxes included. Hot
-- water is water (price) and heat (heat_micro_eur a kWh, of which a cubic metre
-- takes wh_per_m3); gas that is sold by the kWh has wh_per_m3 as well.
CREATE TABLE tariff (
    id                  TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    residence_id        TEXT    NOT NULL REFERENCES residence (id),
    kind                TEXT    NOT NULL CHECK (kind IN ('cold_water', 'hot_water', 'electricity', 'heat', 'gas')),
    from_date           TEXT    NOT NULL CHECK (from_date LIKE '____-__-__'),
    until_date          TEXT    CHECK (until_date LIKE '____-__-__' AND until_date > from_date),
    bill                TEXT    NOT NULL CHECK (bill IN ('charges', 'supplier')),
    fixed_monthly_cents BIGINT  NOT NULL CHECK (fixed_monthly_cents BETWEEN 0 AND 100000),
    price_micro_eur     BIGINT  NOT NULL CHECK (price_micro_eur BETWEEN 0 AND 100000000),
    per                 TEXT    NOT NULL CHECK (per IN ('kWh', 'm3')),
    heat_micro_eur      BIGINT  NOT NULL CHECK (heat_micro_eur BETWEEN 0 AND 100000000),
    wh_per_m3           BIGINT  NOT NULL CHECK (wh_per_m3 BETWEEN 0 AND 1000000),
    individual_percent  INTEGER NOT NULL CHECK (individual_percent BETWEEN 0 AND 100),
    source              TEXT    NOT NULL CHECK (length(source) <= 200),
    version             BIGINT  NOT NULL DEFAULT 1 CHECK (version > 0),
    UNIQUE (residence_id, kind, from_date),
    CHECK (kind = 'gas' OR (per = 'm3') = (kind IN ('cold_water', 'hot_water'))),
    CHECK (heat_micro_eur = 0 OR (kind = 'hot_water' AND wh_per_m3 > 0)),
    CHECK ((wh_per_m3 > 0) = (heat_micro_eur > 0 OR (kind = 'gas' AND per = 'kWh')))
);

-- What a dwelling pays in advance each month for its charges, from a day on.
CREATE TABLE provision (
    dwelling_id   TEXT   NOT NULL REFERENCES dwelling (id),
    from_date     TEXT   NOT NULL CHECK (from_date LIKE '____-__-__'),
    monthly_cents BIGINT NOT NULL CHECK (monthly_cents BETWEEN 0 AND 1000000),
    PRIMARY KEY (dwelling_id, from_date)
);
