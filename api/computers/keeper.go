package computers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// Who sells is told whose a machine is; the workshop only while a repair is open,
// and then of that repair's household.
const (
	toldSeller = clipHead + sellerRoles + clipMachine
	openTicket = ` EXISTS (SELECT 1
                 FROM repair_ticket
                WHERE repair_ticket.machine_id = machine.id
                  AND repair_ticket.sale_id = machine_sale.id
                  AND repair_ticket.state <> 'closed') `
	told = `(` + toldSeller + ` OR ` + byWorkshop + ` AND ` + openTicket + `)`
)

// The last sale is the machine's; whom it names is empty for who may not be told.
const saleColumns = `machine_sale.id, machine_sale.machine_id, machine_sale.residence_id,
       CASE WHEN ` + told + ` THEN machine_sale.household_id ELSE '' END,
       CASE WHEN ` + toldSeller + ` THEN machine_sale.buyer_id ELSE '' END,
       machine_sale.kind, COALESCE(machine_sale.exchange_of, ''), machine_sale.price_cents, machine_sale.list_cents,
       machine_sale.subsidised, COALESCE(machine_sale.slot, 0), machine_sale.payment, machine_sale.receipt_no, machine_sale.sold_on,
       machine_sale.sold_by, machine_sale.programme_from, machine_sale.programme_months, COALESCE(machine_sale.handed_on, ''),
       machine_sale.accessories,
       CASE WHEN ` + toldSeller + ` THEN machine_sale.signed_by ELSE '' END,
       COALESCE(machine_sale.ended_on, ''), COALESCE(machine_sale.ended_why, ''), machine_sale.return_reason, machine_sale.refund_cents + machine_sale.exchange_refund_cents,
       (SELECT COUNT(*)
          FROM repair_ticket
         WHERE repair_ticket.sale_id = machine_sale.id
           AND repair_ticket.cover = 'legal'
           AND repair_ticket.outcome = 'repaired'
           AND repair_ticket.given_on IS NOT NULL)
  FROM machine_sale
  JOIN machine ON machine.id = machine_sale.machine_id
`

const lastSale = `
SELECT ` + saleColumns + `
 WHERE machine_sale.machine_id = $2
   AND` + byReaders + `
 ORDER BY CASE WHEN machine_sale.ended_on IS NULL THEN 0 ELSE 1 END, machine_sale.id DESC
 LIMIT 1`

func scanSale(rows *sql.Rows) (Sale, error) {
	var s Sale
	var subsidised, repairs int
	var sold, from, handed, ended string
	err := rows.Scan(&s.ID, &s.Machine, &s.Residence, &s.Household, &s.Buyer, &s.Kind, &s.Exchange, &s.PriceCents, &s.ListCents,
		&subsidised, &s.slot, &s.Payment, &s.ReceiptNo, &sold, &s.SoldBy, &from, &s.ProgrammeMonths, &handed, &s.Accessories,
		&s.SignedBy, &ended, &s.EndedWhy, &s.ReturnReason, &s.RefundCents, &repairs)
	if err != nil {
		return Sale{}, err
	}
	s.Subsidised = subsidised == 1
	if err := dates(dated{sold, &s.SoldOn}, dated{from, &s.ProgrammeFrom}, dated{handed, &s.HandedOn}, dated{ended, &s.Ended}); err != nil {
		return Sale{}, err
	}
	s.Guarantee = GuaranteeOf(s.ProgrammeFrom, s.ProgrammeMonths, s.HandedOn, repairs)
	return s, nil
}

// lastSale returns the machine's last sale as the person may be told it, or nil
// where there is none.
func (s *Store) lastSale(ctx context.Context, who accounts.PersonID, id MachineID) (*Sale, error) {
	all, err := several(ctx, s.db, scanSale, lastSale, string(who), string(id))
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// What the program itself reads, for whom nobody asks.
const saleWhole = `
SELECT machine_sale.id, machine_sale.machine_id, machine_sale.residence_id, machine_sale.household_id, machine_sale.buyer_id,
       machine_sale.kind, COALESCE(machine_sale.exchange_of, ''), machine_sale.price_cents, machine_sale.list_cents,
       machine_sale.subsidised, COALESCE(machine_sale.slot, 0), machine_sale.payment, machine_sale.receipt_no, machine_sale.sold_on,
       machine_sale.sold_by, machine_sale.programme_from, machine_sale.programme_months, COALESCE(machine_sale.handed_on, ''),
       machine_sale.accessories, machine_sale.signed_by, COALESCE(machine_sale.ended_on, ''), COALESCE(machine_sale.ended_why, ''),
       machine_sale.return_reason, machine_sale.refund_cents + machine_sale.exchange_refund_cents,
       (SELECT COUNT(*)
          FROM repair_ticket
         WHERE repair_ticket.sale_id = machine_sale.id
           AND repair_ticket.cover = 'legal'
           AND repair_ticket.outcome = 'repaired'
           AND repair_ticket.given_on IS NOT NULL)
  FROM machine_sale
 WHERE `

const (
	standingSale = saleWhole + `machine_sale.machine_id = $1 AND machine_sale.ended_on IS NULL`
	saleByID     = saleWhole + `machine_sale.id = $1`
	salesOf      = saleWhole + `machine_sale.household_id = $1 AND machine_sale.ended_on IS NULL ORDER BY machine_sale.sold_on, machine_sale.id`
)

// standing returns the sale of a machine that somebody has, or [ErrStep].
func standing(ctx context.Context, db sqldb.Querier, id MachineID) (Sale, error) {
	sold, err := one(ctx, db, scanSale, standingSale, string(id))
	if errors.Is(err, ErrNone) {
		err = ErrStep
	}
	return sold, err
}

// SaleByID returns a sale for the program itself, for whom no person asks; or
// [ErrNone].
func (s *Store) SaleByID(ctx context.Context, id SaleID) (Sale, error) {
	sold, err := one(ctx, s.db, scanSale, saleByID, string(id))
	if err != nil {
		return Sale{}, fmt.Errorf("sale %s: %w", id, err)
	}
	return sold, nil
}

// A Purchase is a machine that a household bought and has not given back.
type Purchase struct {
	Tag    string
	SoldOn civil.Date
	Share  bool // it counts as one of the subsidised machines of the household
}

const purchases = `
SELECT machine.tag, machine_sale.sold_on, CASE WHEN machine_sale.slot IS NULL THEN 0 ELSE 1 END
  FROM machine_sale
  JOIN machine ON machine.id = machine_sale.machine_id
 WHERE machine_sale.household_id = $2
   AND machine_sale.ended_on IS NULL
   AND` + toldSeller + `
 ORDER BY machine_sale.sold_on, machine_sale.id`

// Bought lists what the household bought and has not given back, the oldest first,
// for who sells in the machine's residence; it is empty for others. The caller has
// written down that the person looks at the household.
func (s *Store) Bought(ctx context.Context, who accounts.PersonID, household premises.HouseholdID) ([]Purchase, error) {
	all, err := several(ctx, s.db, func(rows *sql.Rows) (p Purchase, err error) {
		var on string
		var share int
		if err = rows.Scan(&p.Tag, &on, &share); err != nil {
			return p, err
		}
		p.Share = share == 1
		return p, dates(dated{on, &p.SoldOn})
	}, purchases, string(who), string(household))
	if err != nil {
		return nil, fmt.Errorf("machines of household %s: %w", household, err)
	}
	return all, nil
}

// A household's door is where it lives on the day. Told only as above; a
// reservation only to who sells.
const findKeeper = `
SELECT kept.household_id, COALESCE(dwelling.building, ''), COALESCE(dwelling.staircase, ''), COALESCE(dwelling.label, '')
  FROM (SELECT machine_sale.household_id AS household_id
          FROM machine_sale
          JOIN machine ON machine.id = machine_sale.machine_id
         WHERE machine_sale.machine_id = $2
           AND machine_sale.ended_on IS NULL
           AND ` + told + `
         UNION ALL
        SELECT machine.reserved_for
          FROM machine
         WHERE machine.id = $2
           AND machine.reserved_for IS NOT NULL
           AND` + bySellers + `) AS kept
  LEFT JOIN tenancy ON tenancy.household_id = kept.household_id
                   AND tenancy.moved_in <= $3
                   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $3)
  LEFT JOIN dwelling ON dwelling.id = tenancy.dwelling_id
 ORDER BY kept.household_id, dwelling.id
 LIMIT 1`

func scanKeeper(rows *sql.Rows) (k Keeper, err error) {
	return k, rows.Scan(&k.Household, &k.Door.Building, &k.Door.Staircase, &k.Door.Label)
}

// keeper returns who has a machine, or nil where there is nobody or the person may
// not be told. Whoever is told is written down for the household to read.
func (s *Store) keeper(ctx context.Context, who accounts.PersonID, f found, now time.Time) (*Keeper, error) {
	all, err := several(ctx, s.db, scanKeeper, findKeeper, string(who), string(f.ID), civil.DateIn(now, f.zone).String())
	if err != nil || len(all) == 0 {
		return nil, err
	}
	k := all[0]
	return &k, s.noteLook(ctx, who, f, k.Household, now)
}

// One entry is enough for the minutes in which somebody looks again and again.
const noteLook = `
INSERT INTO access_log (id, at_ms, person_id, role, household_id, what, reason)
SELECT $3, $4, $1,
       (SELECT staff_role.role
          FROM staff_role
         WHERE staff_role.person_id = $1
           AND staff_role.role IN ` + readerRoles + `
           AND (staff_role.residence_id IS NULL OR staff_role.residence_id = machine.residence_id)
         ORDER BY CASE staff_role.role WHEN 'technician' THEN 1 WHEN 'advisor' THEN 2 ELSE 3 END
         LIMIT 1),
       $5, $6, ''
  FROM machine
 WHERE machine.id = $2
   AND` + byReaders + `
   AND NOT EXISTS (SELECT 1
                     FROM access_log
                    WHERE access_log.household_id = $5
                      AND access_log.person_id = $1
                      AND access_log.what = $6
                      AND access_log.at_ms > $7)`

// lookAgain is how long one entry speaks for further looks.
const lookAgain = 15 * time.Minute

func (s *Store) noteLook(ctx context.Context, who accounts.PersonID, f found, household premises.HouseholdID, now time.Time) error {
	_, err := s.db.ExecContext(ctx, noteLook, string(who), string(f.ID), newID(), sqldb.Ms(now), string(household), string(LookedAtMachine),
		sqldb.Ms(now.Add(-lookAgain)))
	if err != nil {
		return fmt.Errorf("note the look at the keeper of machine %s: %w", f.ID, err)
	}
	return nil
}
