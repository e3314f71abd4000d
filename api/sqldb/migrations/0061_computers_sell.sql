-- +goose Up
-- A machine that a household bought, or got in exchange for one it had bought.
-- Money stays in the books, so a sale outlives household and buyer: no foreign
-- keys to them. A machine has one sale at a time, and of subsidised ones a
-- household one a slot.
CREATE TABLE machine_sale (
    id             TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    machine_id     TEXT    NOT NULL REFERENCES machine (id) ON DELETE CASCADE,
    residence_id   TEXT    NOT NULL REFERENCES residence (id),
    household_id   TEXT    NOT NULL CHECK (length(household_id) BETWEEN 1 AND 64),
    buyer_id       TEXT    NOT NULL CHECK (length(buyer_id) BETWEEN 1 AND 64),
    kind           TEXT    NOT NULL CHECK (kind IN ('used', 'new')),
    exchange_of    TEXT    REFERENCES machine_sale (id),
    price_cents    INTEGER NOT NULL CHECK (price_cents BETWEEN 0 AND 1000000),
    list_cents     INTEGER NOT NULL CHECK (list_cents BETWEEN 0 AND 1000000),
    subsidised     INTEGER NOT NULL CHECK (subsidised IN (0, 1)),
    slot           INTEGER CHECK (slot > 0),
    payment        TEXT    NOT NULL CHECK (payment IN ('cash', 'card', 'transfer', 'cheque', 'none')),
    receipt_no     TEXT    NOT NULL UNIQUE CHECK (length(receipt_no) BETWEEN 1 AND 20),
    sold_on        TEXT    NOT NULL CHECK (sold_on LIKE '____-__-__'),
    sold_by        TEXT    NOT NULL CHECK (length(sold_by) BETWEEN 1 AND 64),
    programme_from TEXT    NOT NULL CHECK (programme_from LIKE '____-__-__'),
    programme_months INTEGER NOT NULL CHECK (programme_months BETWEEN 0 AND 60),
    handed_on      TEXT    CHECK (handed_on LIKE '____-__-__' AND handed_on >= sold_on),
    accessories    TEXT    NOT NULL CHECK (length(accessories) <= 500),
    signed_by      TEXT    NOT NULL CHECK (length(signed_by) <= 200),
    ended_on       TEXT    CHECK (ended_on LIKE '____-__-__' AND ended_on >= sold_on),
    ended_why      TEXT    CHECK (ended_why IN ('returned', 'exchanged')),
    return_reason  TEXT    NOT NULL CHECK (length(return_reason) <= 500),
    refund_cents   INTEGER NOT NULL CHECK (refund_cents >= 0 AND refund_cents <= price_cents),
    CHECK ((subsidised = 1) = (slot IS NOT NULL)),
    CHECK ((ended_on IS NULL) = (ended_why IS NULL)),
    CHECK (handed_on IS NULL OR signed_by <> '')
);
CREATE UNIQUE INDEX machine_sale_once ON machine_sale (machine_id) WHERE ended_on IS NULL;
CREATE UNIQUE INDEX machine_sale_slot ON machine_sale (household_id, slot) WHERE ended_on IS NULL AND slot IS NOT NULL;
CREATE INDEX machine_sale_machine ON machine_sale (machine_id, sold_on);
CREATE INDEX machine_sale_household ON machine_sale (household_id);
CREATE INDEX machine_sale_date ON machine_sale (residence_id, sold_on);

-- Households that wait for a computer, the first first.
CREATE TABLE machine_wait (
    id           TEXT   NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    residence_id TEXT   NOT NULL REFERENCES residence (id),
    household_id TEXT   NOT NULL REFERENCES household (id) ON DELETE CASCADE,
    kind         TEXT   NOT NULL CHECK (kind IN ('used', 'new')),
    asked_on     TEXT   NOT NULL CHECK (asked_on LIKE '____-__-__'),
    ended_ms     BIGINT CHECK (ended_ms > 0),
    ended_why    TEXT   CHECK (ended_why IN ('sold', 'withdrawn')),
    CHECK ((ended_ms IS NULL) = (ended_why IS NULL))
);
CREATE UNIQUE INDEX machine_wait_once ON machine_wait (household_id) WHERE ended_ms IS NULL;
CREATE INDEX machine_wait_order ON machine_wait (residence_id, asked_on, id);

-- A repair. Legal says that it was asked for under the legal guarantee.
CREATE TABLE repair_ticket (
    id           TEXT   NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    machine_id   TEXT   NOT NULL REFERENCES machine (id) ON DELETE CASCADE,
    sale_id      TEXT   NOT NULL REFERENCES machine_sale (id),
    state        TEXT   NOT NULL CHECK (state IN ('opened', 'diagnosed', 'waiting_parts', 'waiting_tenant', 'repaired',
                                                  'replaced', 'refused', 'given_back', 'closed')),
    problem      TEXT   NOT NULL CHECK (length(problem) BETWEEN 1 AND 1000),
    cover        TEXT   NOT NULL CHECK (cover IN ('legal', 'programme', 'none')),
    outcome      TEXT   CHECK (outcome IN ('repaired', 'replaced', 'refused')),
    target_days  INTEGER NOT NULL CHECK (target_days > 0),
    opened_on    TEXT   NOT NULL CHECK (opened_on LIKE '____-__-__'),
    opened_by    TEXT   NOT NULL CHECK (length(opened_by) BETWEEN 1 AND 64),
    given_on     TEXT   CHECK (given_on LIKE '____-__-__' AND given_on >= opened_on),
    replacement  TEXT   REFERENCES machine (id),
    version      BIGINT NOT NULL CHECK (version > 0)
);
CREATE UNIQUE INDEX repair_ticket_once ON repair_ticket (machine_id) WHERE state <> 'closed';
CREATE INDEX repair_ticket_machine ON repair_ticket (machine_id, opened_on);
CREATE INDEX repair_ticket_sale ON repair_ticket (sale_id);

CREATE TABLE repair_step (
    ticket_id TEXT   NOT NULL REFERENCES repair_ticket (id) ON DELETE CASCADE,
    number    BIGINT NOT NULL CHECK (number > 0),
    state     TEXT   NOT NULL CHECK (length(state) BETWEEN 1 AND 32),
    at_ms     BIGINT NOT NULL CHECK (at_ms > 0),
    on_date   TEXT   NOT NULL CHECK (on_date LIKE '____-__-__'),
    by_whom   TEXT   NOT NULL CHECK (length(by_whom) BETWEEN 1 AND 64),
    note      TEXT   NOT NULL CHECK (length(note) <= 1000),
    PRIMARY KEY (ticket_id, number)
);

-- Each registration check, as typed. It outlives what it speaks of.
CREATE TABLE registration_check (
    id         TEXT   NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    at_ms      BIGINT NOT NULL CHECK (at_ms > 0),
    person_id  TEXT   NOT NULL CHECK (length(person_id) BETWEEN 1 AND 64),
    typed      TEXT   NOT NULL CHECK (length(typed) BETWEEN 1 AND 200),
    answer     TEXT   NOT NULL CHECK (answer IN ('covered', 'expired', 'not_sold', 'unknown')),
    machine_id TEXT   NOT NULL CHECK (length(machine_id) <= 64)
);
CREATE INDEX registration_check_age ON registration_check (at_ms);
