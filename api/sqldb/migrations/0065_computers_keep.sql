-- +goose Up
-- Each time that somebody set a price, by number; the last number is the version of
-- a residence's prices, 1 before anything was set. It is only ever added to.
CREATE TABLE workshop_price_change (
    residence_id TEXT    NOT NULL REFERENCES residence (id),
    number       BIGINT  NOT NULL CHECK (number > 1),
    what         TEXT    NOT NULL CHECK (what IN ('used', 'new', 'refurbish', 'repair', 'recycle')),
    from_date    TEXT    NOT NULL CHECK (from_date LIKE '____-__-__'),
    price_cents  INTEGER NOT NULL CHECK (price_cents BETWEEN 0 AND 1000000),
    was_cents    INTEGER CHECK (was_cents BETWEEN 0 AND 1000000),
    at_ms        BIGINT  NOT NULL CHECK (at_ms > 0),
    by_whom      TEXT    NOT NULL CHECK (length(by_whom) BETWEEN 1 AND 64),
    PRIMARY KEY (residence_id, number)
);

-- What a household got back for a machine that it had been given in exchange: its
-- sale has no price, so that the bound of refund_cents does not fit. At most what
-- it paid for the first machine.
ALTER TABLE machine_sale ADD COLUMN exchange_refund_cents INTEGER NOT NULL DEFAULT 0
    CHECK (exchange_refund_cents BETWEEN 0 AND 1000000 AND (exchange_refund_cents = 0 OR exchange_of IS NOT NULL));
CREATE INDEX machine_sale_exchange ON machine_sale (exchange_of);

-- A repair is over with the exchange: the household has another machine. Those that
-- were left open get the step that was missing.
INSERT INTO repair_step (ticket_id, number, state, at_ms, on_date, by_whom, note)
SELECT repair_ticket.id, last.number + 1, 'closed', last.at_ms, last.on_date, 'system', ''
  FROM repair_ticket
  JOIN repair_step AS last ON last.ticket_id = repair_ticket.id
 WHERE repair_ticket.outcome = 'replaced'
   AND repair_ticket.state <> 'closed'
   AND last.number = (SELECT MAX(step.number) FROM repair_step AS step WHERE step.ticket_id = repair_ticket.id);
UPDATE repair_ticket
   SET state = 'closed',
       given_on = COALESCE(given_on, (SELECT MAX(repair_step.on_date)
                                        FROM repair_step
                                       WHERE repair_step.ticket_id = repair_ticket.id
                                         AND repair_step.state = 'replaced')),
       version = version + 1
 WHERE outcome = 'replaced'
   AND state <> 'closed';
