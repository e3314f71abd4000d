-- +goose Up
-- Who works with the landlord for a residence.
CREATE TABLE partner (
    id           TEXT   NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    residence_id TEXT   NOT NULL REFERENCES residence (id),
    name         TEXT   NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    kind         TEXT   NOT NULL CHECK (kind IN ('workshop', 'training', 'internet', 'institution', 'association', 'other')),
    registration TEXT   NOT NULL CHECK (length(registration) <= 20),
    contact      TEXT   NOT NULL CHECK (length(contact) <= 200),
    telephone    TEXT   NOT NULL CHECK (length(telephone) <= 30),
    email        TEXT   NOT NULL CHECK (length(email) <= 254),
    address      TEXT   NOT NULL CHECK (length(address) <= 300),
    version      BIGINT NOT NULL DEFAULT 1 CHECK (version > 0),
    UNIQUE (residence_id, name)
);

-- Persons of the staff who work for a partner: a technician reads what the
-- convention of their own workshop measures.
CREATE TABLE partner_person (
    partner_id TEXT NOT NULL REFERENCES partner (id) ON DELETE CASCADE,
    person_id  TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    PRIMARY KEY (partner_id, person_id)
);
CREATE INDEX partner_person_person ON partner_person (person_id);

-- What landlord and partner agreed to, on the days [from_date, until_date). Return
-- days are those from a request for repair until the household has its computer
-- again, waiting included; notice days how long before the end it is talked about.
CREATE TABLE convention (
    id           TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    residence_id TEXT    NOT NULL REFERENCES residence (id),
    partner_id   TEXT    NOT NULL REFERENCES partner (id),
    title        TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    signed_on    TEXT    NOT NULL CHECK (signed_on LIKE '____-__-__'),
    from_date    TEXT    NOT NULL CHECK (from_date LIKE '____-__-__'),
    until_date   TEXT    CHECK (until_date LIKE '____-__-__' AND until_date > from_date),
    notice_days  INTEGER NOT NULL CHECK (notice_days BETWEEN 0 AND 366),
    return_days  INTEGER NOT NULL CHECK (return_days BETWEEN 0 AND 90),
    version      BIGINT  NOT NULL DEFAULT 1 CHECK (version > 0)
);
CREATE INDEX convention_partner ON convention (partner_id);
CREATE INDEX convention_residence ON convention (residence_id, from_date);

CREATE TABLE convention_commitment (
    convention_id TEXT    NOT NULL REFERENCES convention (id) ON DELETE CASCADE,
    number        INTEGER NOT NULL CHECK (number BETWEEN 1 AND 50),
    side          TEXT    NOT NULL CHECK (side IN ('landlord', 'partner')),
    topic         TEXT    NOT NULL CHECK (topic IN ('stock', 'quality', 'turnaround', 'price', 'training', 'place', 'other')),
    promise       TEXT    NOT NULL CHECK (length(promise) BETWEEN 1 AND 500),
    PRIMARY KEY (convention_id, number)
);

CREATE TABLE convention_price (
    convention_id TEXT    NOT NULL REFERENCES convention (id) ON DELETE CASCADE,
    service       TEXT    NOT NULL CHECK (service IN ('refurbish', 'repair', 'recycle', 'training', 'internet', 'other')),
    price_cents   INTEGER NOT NULL CHECK (price_cents BETWEEN 0 AND 1000000),
    PRIMARY KEY (convention_id, service)
);
