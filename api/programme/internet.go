package programme

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// An InternetOffer is a connection that households of a residence may take on the
// days [From, Until).
type InternetOffer struct {
	Record
	Operator     string      `json:"operator"`
	Title        string      `json:"title"`
	MonthlyCents int64       `json:"monthly_cents"` // 0 for one that is free
	From         civil.Date  `json:"from"`
	Until        *civil.Date `json:"until,omitempty"`
	Source       string      `json:"source"`
}

// Check implements [Noun].
func (o *InternetOffer) Check() []problem.Field {
	var f faults
	f.text("operator", &o.Operator, 1, 200)
	f.text("title", &o.Title, 1, 200)
	f.number("monthly_cents", o.MonthlyCents, 0, 100_000)
	f.span(o.From, o.Until)
	f.text("source", &o.Source, 0, 300)
	return f
}

func (*InternetOffer) table() string { return "internet_offer" }

func (o *InternetOffer) columns() []column {
	return []column{
		{"operator", o.Operator, &o.Operator}, {"title", o.Title, &o.Title}, {"monthly_cents", o.MonthlyCents, &o.MonthlyCents},
		{"from_date", o.From.String(), day{&o.From}}, {"until_date", dateOrNull(o.Until), maybeDay{&o.Until}}, {"source", o.Source, &o.Source},
	}
}

// An InternetKind is what internet a household has.
type InternetKind string

// The kinds.
const (
	ByOffer    InternetKind = "offer" // one of the programme's
	ByOwn      InternetKind = "own"   // a contract of its own
	NoInternet InternetKind = "none"
)

// InternetKinds lists the kinds.
var InternetKinds = []InternetKind{ByOffer, ByOwn, NoInternet}

// A Connection is what internet a household has from a day on.
type Connection struct {
	From  civil.Date   `json:"from"`
	Has   InternetKind `json:"has"`
	Offer string       `json:"offer,omitempty"` // id of an [InternetOffer]; only for [ByOffer]
}

// Check returns a fault for each field that is out of bounds.
func (c *Connection) Check() []problem.Field {
	var f faults
	f.date("from", c.From)
	oneOf(&f, "has", c.Has, InternetKinds)
	if (c.Has == ByOffer) != (c.Offer != "") {
		f.add("offer", "field.missing")
	}
	return f
}

const putConnection = `
INSERT INTO household_internet (household_id, from_date, has, offer_id, recorded_by)
VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (household_id, from_date) DO UPDATE
   SET has = excluded.has,
       offer_id = excluded.offer_id,
       recorded_by = excluded.recorded_by`

const offerReaches = `
SELECT COUNT(*)
  FROM internet_offer
 WHERE internet_offer.id = $1
   AND internet_offer.from_date <= $3
   AND (internet_offer.until_date IS NULL OR internet_offer.until_date > $3)
   AND EXISTS (SELECT 1
                 FROM tenancy
                 JOIN dwelling ON dwelling.id = tenancy.dwelling_id
                WHERE tenancy.household_id = $2
                  AND dwelling.residence_id = internet_offer.residence_id
                  AND tenancy.moved_in <= $3
                  AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $3))`

// SetConnection writes down what internet a household has from a day on, which is
// not in the future; the same day again replaces what was written. The look is
// written down for the household to read. It fails with faults of fields, and
// "household.none" where the advisor or administrator may not see the household.
func (s *Store) SetConnection(ctx context.Context, staff accounts.PersonID, household premises.HouseholdID, c Connection, now time.Time) error {
	wrong := faults(c.Check())
	if civil.DateIn(now, time.UTC).AddDays(1).Before(c.From) {
		wrong.add("from", "programme.future")
	}
	if err := problem.OfFields(wrong); err != nil {
		return err
	}
	if err := s.works(ctx, staff, household, premises.ChangedHousehold, now); err != nil {
		return err
	}
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		if c.Offer != "" {
			var n int
			if err := tx.QueryRowContext(ctx, offerReaches, c.Offer, string(household), c.From.String()).Scan(&n); err != nil {
				return err
			}
			if n == 0 {
				return problem.OfFields([]problem.Field{{Name: "offer", Message: "field.not_found"}})
			}
		}
		_, err := tx.ExecContext(ctx, putConnection, string(household), c.From.String(), string(c.Has),
			sql.NullString{String: c.Offer, Valid: c.Offer != ""}, string(staff))
		return err
	})
	if err != nil {
		return fmt.Errorf("internet of household %s: %w", household, err)
	}
	return nil
}

const listConnections = `
SELECT household_internet.from_date, household_internet.has, COALESCE(household_internet.offer_id, '')
  FROM household_internet
 WHERE household_internet.household_id = $1
 ORDER BY household_internet.from_date DESC`

// Connections lists what internet a household had, the latest first, for an advisor
// or administrator who may see it; the look is written down. It fails with
// "household.none".
func (s *Store) Connections(ctx context.Context, staff accounts.PersonID, household premises.HouseholdID, now time.Time) ([]Connection, error) {
	if err := s.works(ctx, staff, household, premises.LookedAtSheet, now); err != nil {
		return nil, err
	}
	all, err := several(ctx, s.db, func(rows *sql.Rows) (c Connection, err error) {
		return c, rows.Scan(day{&c.From}, &c.Has, &c.Offer)
	}, listConnections, string(household))
	if err != nil {
		return nil, fmt.Errorf("internet of household %s: %w", household, err)
	}
	return all, nil
}

const worksFor = `
SELECT COUNT(*)
  FROM tenancy
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
 WHERE tenancy.household_id = $2
   AND `

// works holds that an advisor or administrator may act for a household, and writes
// the look down for it to read.
func (s *Store) works(ctx context.Context, staff accounts.PersonID, household premises.HouseholdID, what premises.What, now time.Time) error {
	var n int
	err := s.db.QueryRowContext(ctx, worksFor+has(writerRoles, "dwelling.residence_id"), string(staff), string(household)).Scan(&n)
	if err != nil {
		return fmt.Errorf("household %s: %w", household, err)
	}
	if n == 0 {
		return &problem.Error{Kind: problem.NotFound, Message: "household.none"}
	}
	return premises.NewStore(s.db).Look(ctx, premises.Look{At: now, Staff: staff, Household: household, What: what})
}
