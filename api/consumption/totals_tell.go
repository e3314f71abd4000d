package consumption

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Totals adds up what the homes of staircases, buildings and residences used, so
// that no home can be told from it. It may be used from several goroutines.
type Totals struct {
	db     *sql.DB
	influx *influx.Client
	none   untold
}

// NewTotals returns totals on a migrated database.
func NewTotals(db *sql.DB, client *influx.Client) *Totals { return &Totals{db: db, influx: client} }

const managedZone = `
SELECT residence.zone
  FROM residence
 WHERE residence.id = $2
   AND EXISTS (SELECT 1
                 FROM staff_role
                WHERE staff_role.person_id = $1
                  AND staff_role.role = 'manager'
                  AND (staff_role.residence_id IS NULL OR staff_role.residence_id = residence.id))`

// zone returns where the days of a residence begin, for its managers only; others
// get the problem NotFound "residence.none".
func (t *Totals) zone(ctx context.Context, staff accounts.PersonID, residence metering.SiteID) (*time.Location, error) {
	rows, err := t.db.QueryContext(ctx, managedZone, string(staff), string(residence))
	if err != nil {
		return nil, fmt.Errorf("zone of %s: %w", residence, err)
	}
	zones, err := sqldb.Zones(rows)
	if err != nil {
		return nil, fmt.Errorf("zone of %s: %w", residence, err)
	}
	if len(zones) == 0 {
		return nil, &problem.Error{Kind: problem.NotFound, Message: "residence.none"}
	}
	return zones[0], nil
}

// A told is what is known of the telling of a month.
type told struct {
	digest string
	days   int
}

// Whether the days of a month were told.
const (
	daysUnasked = 0
	daysTold    = 1
	daysNever   = 2
)

const toldMonths = `
SELECT month, homes, days
  FROM told_month
 WHERE residence_id = $1
   AND kind = $2
   AND month >= $3
   AND month < $4`

func (t *Totals) told(ctx context.Context, s Scope) (map[civil.Month]told, error) {
	months := s.months()
	rows, err := t.db.QueryContext(ctx, toldMonths, string(s.Residence), string(s.Kind), months[0].String(), months[len(months)-1].Next().String())
	if err != nil {
		return nil, fmt.Errorf("told months of %s: %w", s.Residence, err)
	}
	found := map[civil.Month]told{}
	_, err = sqldb.Collect(rows, func(rows *sql.Rows) (none struct{}, err error) {
		var name string
		var one told
		if err = rows.Scan(&name, &one.digest, &one.days); err != nil {
			return none, err
		}
		month, err := civil.ParseMonth(name)
		found[month] = one
		return none, err
	})
	if err != nil {
		return nil, fmt.Errorf("told months of %s: %w", s.Residence, err)
	}
	return found, nil
}

// tell makes up the months of the scope that were not told yet and may be now, and
// the days of those that the scope cuts. What may not be told is looked up again
// after an hour: readings may still be on their way.
func (t *Totals) tell(ctx context.Context, s Scope, zone *time.Location, now time.Time) error {
	known, err := t.told(ctx, s)
	if err != nil {
		return err
	}
	var lacking, byDay []civil.Month
	for _, m := range s.months() {
		one, ok := known[m]
		switch {
		case !ok && settled(m, zone, now, true) && !t.none.holds(group{s.Residence, s.Kind, m}, now):
			lacking = append(lacking, m)
		case ok && one.days == daysUnasked && s.needsDays(m):
			byDay = append(byDay, m)
		}
	}
	for _, m := range lacking {
		if s.needsDays(m) {
			byDay = append(byDay, m)
		}
	}
	if err := t.tellMonths(ctx, s, zone, now, lacking); err != nil {
		return err
	}
	for _, m := range byDay {
		if err := t.tellDays(ctx, s, zone, m); err != nil {
			return err
		}
	}
	return nil
}

func (t *Totals) tellMonths(ctx context.Context, s Scope, zone *time.Location, now time.Time, months []civil.Month) error {
	if len(months) == 0 {
		return nil
	}
	stock, err := t.stock(ctx, s, zone, months[0], months[len(months)-1])
	if err != nil {
		return err
	}
	for _, m := range months {
		all := stock.month(m)
		sure := !slices.ContainsFunc(all, func(d dwellingMonth) bool { return d.lived && d.metered && !d.known })
		cells := cellsOf(all)
		if len(cells) == 0 || !settled(m, zone, now, sure) {
			t.none.note(group{s.Residence, s.Kind, m}, now)
			continue
		}
		if err := t.keep(ctx, s, m, digestOf(all), cells, now); err != nil {
			return err
		}
	}
	return nil
}

const keepToldMonth = `
INSERT INTO told_month (residence_id, kind, month, homes, told_ms)
VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (residence_id, kind, month) DO NOTHING`

const keepToldGroup = `
INSERT INTO told_group (residence_id, kind, month, level, building, members, homes, metered, dwellings,
                        used, empty_used, quality, whole, person_days, area_m2)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`

// keep writes down a month, all of its groups at once. Of two who do it at once the
// first is kept, so that all groups are of the same homes.
func (t *Totals) keep(ctx context.Context, s Scope, m civil.Month, digest string, cells []cell, now time.Time) error {
	err := sqldb.InTx(ctx, t.db, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, keepToldMonth, string(s.Residence), string(s.Kind), m.String(), digest, sqldb.Ms(now))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		for _, c := range cells {
			k := c.sum()
			whole := 0
			if k.whole {
				whole = 1
			}
			if _, err := tx.ExecContext(ctx, keepToldGroup, string(s.Residence), string(s.Kind), m.String(), string(c.Level), c.Building, c.names(),
				k.homes, k.metered, k.dwellings, int64(k.used), int64(k.emptyUsed), int64(k.quality), whole, k.personDays, k.areaM2); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep the totals of %s in %s: %w", s.Residence, m, err)
	}
	return nil
}

// names writes the members as they are stored.
func (c cell) names() string {
	text, err := json.Marshal(c.Members)
	if err != nil {
		return "[]" // a list of texts is always written
	}
	return string(text)
}

const setToldDays = `
UPDATE told_month
   SET days = $4
 WHERE residence_id = $1
   AND kind = $2
   AND month = $3
   AND days = 0`

const setGroupDays = `
UPDATE told_group
   SET by_day = $7
 WHERE residence_id = $1
   AND kind = $2
   AND month = $3
   AND level = $4
   AND building = $5
   AND members = $6`

// tellDays tells a month that was told by its days as well, or that it may not be:
// the homes must be the same, and with the same figures, as when it was told.
func (t *Totals) tellDays(ctx context.Context, s Scope, zone *time.Location, m civil.Month) error {
	known, err := t.told(ctx, Scope{Residence: s.Residence, Kind: s.Kind, From: m.First(), To: m.Next().First()})
	if err != nil || known[m].digest == "" || known[m].days != daysUnasked {
		return err
	}
	stock, err := t.stock(ctx, s, zone, m, m)
	if err != nil {
		return err
	}
	all := stock.month(m)
	var cells []cell
	if digestOf(all) == known[m].digest {
		if err := t.addDays(ctx, stock, m, all); err != nil {
			return err
		}
		cells = cellsByDay(cellsOf(all))
	}
	return t.keepDays(ctx, s, m, cells)
}

func (t *Totals) keepDays(ctx context.Context, s Scope, m civil.Month, cells []cell) error {
	state := daysTold
	if len(cells) == 0 {
		state = daysNever
	}
	err := sqldb.InTx(ctx, t.db, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, setToldDays, string(s.Residence), string(s.Kind), m.String(), state)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		for _, c := range cells {
			text, err := json.Marshal(c.byDay())
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, setGroupDays, string(s.Residence), string(s.Kind), m.String(), string(c.Level), c.Building, c.names(), string(text)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep the days of %s in %s: %w", s.Residence, m, err)
	}
	return nil
}
