-- +goose Up
-- The sales whose household gave the machine back for good: that machine, or the
-- last of those that it was given in exchange. Such a household has nothing of the
-- sale any more, and owes nothing for it.
CREATE VIEW returned_sale AS
WITH RECURSIVE chain (id, next_id) AS (
    SELECT machine_sale.id, machine_sale.exchange_of
      FROM machine_sale
     WHERE machine_sale.ended_why = 'returned'
     UNION
    SELECT machine_sale.id, machine_sale.exchange_of
      FROM machine_sale
      JOIN chain ON machine_sale.id = chain.next_id
)
SELECT id
  FROM chain;
