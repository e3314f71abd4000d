package programme

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A Turnaround is how long the repairs that ended in a month took: from the request
// until the household had its computer again, waiting included, in days.
type Turnaround struct {
	Month  civil.Month `json:"month"`
	Ended  int         `json:"ended"`
	Median float64     `json:"median_days"`   // 0 where none ended
	Ninety int         `json:"ninety_days"`   // of ten repairs nine took no longer
	Within int         `json:"within_target"` // of the convention; all where it has none
	Over30 int         `json:"over_30_days"`  // longer than the law allows (code de la consommation, L.217-10)
	// Waiting counts those that were asked for before the month's end and were not
	// back then: without them a month in which nothing is finished would look good.
	Waiting int `json:"waiting"`
}

// lawDays is within how many days a seller must have repaired or replaced.
const lawDays = 30

// A technician reads the conventions of the partner they work for; advisors,
// managers and administrators all of their residences.
const mayMeasure = `
SELECT convention.residence_id, convention.from_date, convention.until_date, convention.return_days
  FROM convention
 WHERE convention.id = $2
   AND (`

const mayMeasureOwn = `
    OR EXISTS (SELECT 1
                 FROM partner_person
                 JOIN staff_role ON staff_role.person_id = partner_person.person_id
                WHERE partner_person.partner_id = convention.partner_id
                  AND partner_person.person_id = $1
                  AND staff_role.role = 'technician'
                  AND (staff_role.residence_id IS NULL OR staff_role.residence_id = convention.residence_id)))`

const listMeasured = `
SELECT convention.id, convention.title, partner.name
  FROM convention
  JOIN partner ON partner.id = convention.partner_id
 WHERE partner.kind = 'workshop'
   AND (`

// A MeasuredConvention is one whose repairs the person may see measured.
type MeasuredConvention struct{ ID, Title, Partner string }

// MeasuredConventions lists the conventions with workshops whose [Store.Turnarounds]
// the person may read, the latest first: a technician's are those of the partner
// they work for. It is empty for who may read none.
func (s *Store) MeasuredConventions(ctx context.Context, staff accounts.PersonID) ([]MeasuredConvention, error) {
	all, err := several(ctx, s.db, func(rows *sql.Rows) (c MeasuredConvention, err error) {
		return c, rows.Scan(&c.ID, &c.Title, &c.Partner)
	}, listMeasured+has(readerRoles, "convention.residence_id")+mayMeasureOwn+` ORDER BY convention.from_date DESC, convention.id DESC`, string(staff))
	if err != nil {
		return nil, fmt.Errorf("conventions of person %s: %w", staff, err)
	}
	return all, nil
}

const listRepairs = `
SELECT repair_ticket.opened_on, COALESCE(repair_ticket.given_on, '')
  FROM repair_ticket
  JOIN machine ON machine.id = repair_ticket.machine_id
 WHERE machine.residence_id = $1
   AND repair_ticket.opened_on < $3
   AND (repair_ticket.given_on IS NULL OR repair_ticket.given_on >= $2)
 ORDER BY repair_ticket.opened_on, repair_ticket.id`

// A repair is one by its two days; back is zero while the household waits.
type repair struct{ opened, back civil.Date }

func (r repair) days() int { return daysBetween(r.opened, r.back) }

func scanRepair(rows *sql.Rows) (r repair, err error) {
	return r, rows.Scan(day{&r.opened}, day{&r.back})
}

// Turnarounds measures a convention, each month from its first day to its end or
// today, the latest last. It fails with [ErrNone] for who may not read it.
func (s *Store) Turnarounds(ctx context.Context, staff accounts.PersonID, convention string, today civil.Date) ([]Turnaround, error) {
	var c Convention
	all, err := several(ctx, s.db, func(rows *sql.Rows) (c Convention, err error) {
		return c, rows.Scan(&c.Residence, day{&c.From}, maybeDay{&c.Until}, &c.ReturnDays)
	}, mayMeasure+has(readerRoles, "convention.residence_id")+mayMeasureOwn, string(staff), convention)
	if err == nil && len(all) == 0 {
		err = ErrNone
	}
	if err != nil {
		return nil, fmt.Errorf("turnaround of convention %s: %w", convention, err)
	}
	c = all[0]
	end := today.AddDays(1)
	if c.Until != nil && c.Until.Before(end) {
		end = *c.Until
	}
	repairs, err := several(ctx, s.db, scanRepair, listRepairs, string(c.Residence), c.From.String(), end.String())
	if err != nil {
		return nil, fmt.Errorf("turnaround of convention %s: %w", convention, err)
	}
	var months []Turnaround
	for month := c.From.MonthOf(); month.First().Before(end); month = month.Next() {
		months = append(months, measure(month, repairs, int(c.ReturnDays)))
	}
	return months, nil
}

// measure works out one month.
func measure(month civil.Month, repairs []repair, target int) Turnaround {
	t := Turnaround{Month: month}
	var took []int
	next := month.Next().First()
	for _, r := range repairs {
		switch {
		case !r.opened.Before(next):
		case r.back.IsZero() || !r.back.Before(next):
			t.Waiting++
		case r.back.MonthOf() == month:
			took = append(took, r.days())
		}
	}
	t.Ended, t.Median, t.Ninety = len(took), median(took), quantile(took, 9, 10)
	for _, days := range took {
		if target == 0 || days <= target {
			t.Within++
		}
		if days > lawDays {
			t.Over30++
		}
	}
	return t
}

// median is the middle, or the mean of the two in the middle; 0 for none.
func median(numbers []int) float64 {
	if len(numbers) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(numbers))
	return float64(sorted[(len(sorted)-1)/2]+sorted[len(sorted)/2]) / 2
}

// quantile is the least number that part of whole do not exceed; 0 for none.
func quantile(numbers []int, part, whole int) int {
	if len(numbers) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(numbers))
	return sorted[(len(sorted)*part+whole-1)/whole-1]
}

// daysBetween counts the days from one date to another.
func daysBetween(from, to civil.Date) int {
	return int(to.Start(time.UTC).Sub(from.Start(time.UTC)) / (24 * time.Hour))
}

func scanText(rows *sql.Rows) (text string, err error) { return text, rows.Scan(&text) }

// weekday is 0 for Sunday.
func weekday(d civil.Date) int { return int(d.Start(time.UTC).Weekday()) }
