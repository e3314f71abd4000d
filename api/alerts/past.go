package alerts

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Past is a case of water as the next nights have to know it.
type Past struct {
	Household   premises.HouseholdID
	First, Last civil.Date // of its findings
	State       State
	Class       Class     // empty where its finding cannot be read
	Ended       time.Time // zero for one that is open
}

const pastOf = `
SELECT alert_case.point_id, COALESCE(alert_case.household_id, ''), alert_case.first_date, alert_case.last_date,
       alert_case.state, alert_case.finding, COALESCE(alert_case.ended_ms, 0)
  FROM alert_case
  JOIN point ON point.id = alert_case.point_id
  LEFT JOIN dwelling ON dwelling.id = point.dwelling_id
 WHERE alert_case.subject = 'water'
   AND COALESCE(dwelling.residence_id, point.residence_id) = $1
   AND alert_case.last_date >= $2
 ORDER BY alert_case.opened_ms`

// Pasts lists the cases of water of a residence, open and over, of which a finding
// has a day since then, by point and the oldest first, for the nightly run.
func (s *Store) Pasts(ctx context.Context, residence metering.SiteID, since civil.Date) (map[metering.PointID][]Past, error) {
	rows, err := s.db.QueryContext(ctx, pastOf, string(residence), since.String())
	if err != nil {
		return nil, fmt.Errorf("past cases of %s: %w", residence, err)
	}
	found := map[metering.PointID][]Past{}
	_, err = sqldb.Collect(rows, func(rows *sql.Rows) (struct{}, error) {
		point, past, err := scanPast(rows)
		found[point] = append(found[point], past)
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("past cases of %s: %w", residence, err)
	}
	return found, nil
}

func scanPast(rows *sql.Rows) (point metering.PointID, p Past, err error) {
	var first, last, finding string
	var endedMs int64
	if err := rows.Scan(&point, &p.Household, &first, &last, &p.State, &finding, &endedMs); err != nil {
		return point, p, err
	}
	var f Finding
	if json.Unmarshal([]byte(finding), &f) == nil { // else its days still tell
		p.Class = f.Class
	}
	if endedMs > 0 {
		p.Ended = sqldb.Time(endedMs)
	}
	if p.First, err = civil.ParseDate(first); err == nil {
		p.Last, err = civil.ParseDate(last)
	}
	return point, p, err
}

// dismissedRests is how long a household that said that it is no leak is not told
// of the same again; a flood is no matter of opinion for longer than a day.
const (
	dismissedRests = 28 * 24 * time.Hour
	burstRests     = 24 * time.Hour
)

// Denied reports whether the household has said of as large a flow, a short while
// ago, that it is no leak: nothing new is then opened at the instant at.
func Denied(pasts []Past, household premises.HouseholdID, f Finding, at time.Time) bool {
	return slices.ContainsFunc(pasts, func(p Past) bool {
		rests := dismissedRests
		if f.Class == Burst {
			rests = burstRests
		}
		same := slices.Index(Classes, f.Class) <= slices.Index(Classes, p.Class)
		return p.State == Dismissed && p.Household == household && same && at.Sub(p.Ended) < rests
	})
}

// Mark says of each day that lies in a case of the household that is over and was a
// leak that it tells nothing of habits. The nights that it was called on are left as
// they were.
func (n Nights) Mark(pasts []Past, household premises.HouseholdID, zone *time.Location) Nights {
	marked := make(Nights, len(n))
	for i, days := range n {
		marked[i] = slices.Clone(days)
		for j, d := range days {
			date := civil.DateIn(d.Start, zone)
			marked[i][j].Leak = slices.ContainsFunc(pasts, func(p Past) bool {
				return p.State.Over() && p.State != Dismissed && p.Household == household && !date.Before(p.First) && !p.Last.Before(date)
			})
		}
	}
	return marked
}

const putRefusal = `
INSERT INTO alert_refusal (point_id, household_id, reason, smallest, window_s, on_date)
VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (point_id) DO UPDATE
   SET household_id = excluded.household_id,
       reason = excluded.reason,
       smallest = excluded.smallest,
       window_s = excluded.window_s,
       on_date = excluded.on_date`

// A Judged point is one that was looked at, with why nothing is claimed of it; nil
// where there is nothing to refuse.
type Judged struct {
	Point     metering.PointID
	Household premises.HouseholdID // empty where nobody lives there
	Refusal   *Refusal
}

// Refuse keeps of points why nothing is claimed of them today, or that there is
// nothing to refuse: of all of them, or of none where it fails.
func (s *Store) Refuse(ctx context.Context, points []Judged, on civil.Date) error {
	if len(points) == 0 {
		return nil
	}
	return sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		for _, j := range points {
			if gone, err := s.lookout.Erased(ctx, tx, j.Household); err != nil {
				return err
			} else if gone {
				continue
			}
			if err := j.write(ctx, tx, on); err != nil {
				return fmt.Errorf("refusal of point %s: %w", j.Point, err)
			}
		}
		return nil
	})
}

func (j Judged) write(ctx context.Context, tx *sql.Tx, on civil.Date) (err error) {
	if r := j.Refusal; r == nil {
		_, err = tx.ExecContext(ctx, `DELETE FROM alert_refusal WHERE point_id = $1`, string(j.Point))
	} else {
		_, err = tx.ExecContext(ctx, putRefusal, string(j.Point), orNull(string(j.Household)), r.Message(), int64(r.Smallest),
			int64(r.Window/time.Second), on.String())
	}
	return err
}

// An Unjudged point is one of which the last run claimed nothing.
type Unjudged struct {
	Point    metering.PointID `json:"point"`
	Kind     metering.Kind    `json:"kind"`
	Reason   string           `json:"reason"`                         // key of the sentence
	Smallest metering.Amount  `json:"smallest_ml_per_hour,omitempty"` // that the meter shows in the window
	WindowS  int64            `json:"window_s,omitempty"`
	On       civil.Date       `json:"on"`
}

const unjudgedOf = `
SELECT DISTINCT alert_refusal.point_id, point.kind, alert_refusal.reason, alert_refusal.smallest, alert_refusal.window_s, alert_refusal.on_date
  FROM alert_refusal
  JOIN point ON point.id = alert_refusal.point_id
  JOIN dwelling ON dwelling.id = point.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
  JOIN tenancy ON tenancy.dwelling_id = dwelling.id
              AND tenancy.household_id = alert_refusal.household_id
  JOIN sight ON sight.household_id = tenancy.household_id
 WHERE sight.viewer_id = $1
   AND (sight.household_id = $2 OR ($2 = '' AND sight.scope = 'own'))
   AND residence.zone = $3
   AND sight.since_date <= $4
   AND (sight.until_date IS NULL OR sight.until_date > $4)
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $4)
 ORDER BY point.kind, alert_refusal.point_id`

// Unjudged lists the points of the viewer's homes of today of which nothing can be
// claimed, with why.
func (s *Store) Unjudged(ctx context.Context, v premises.Viewer, now time.Time) ([]Unjudged, error) {
	zones, err := s.zones(ctx, v)
	if err != nil {
		return nil, err
	}
	all := []Unjudged{}
	for _, zone := range zones {
		rows, err := s.db.QueryContext(ctx, unjudgedOf, string(v.Person), string(v.Household), zone.String(), civil.DateIn(now, zone).String())
		if err != nil {
			return nil, fmt.Errorf("unjudged points of person %s: %w", v.Person, err)
		}
		some, err := sqldb.Collect(rows, func(rows *sql.Rows) (u Unjudged, err error) {
			var on string
			if err = rows.Scan(&u.Point, &u.Kind, &u.Reason, &u.Smallest, &u.WindowS, &on); err == nil {
				u.On, err = civil.ParseDate(on)
			}
			return u, err
		})
		if err != nil {
			return nil, fmt.Errorf("unjudged points of person %s: %w", v.Person, err)
		}
		all = append(all, some...)
	}
	return all, nil
}

const openAt = caseColumns + ofResidence + `
 WHERE alert_case.ended_ms IS NULL
   AND alert_case.point_id = $1
 ORDER BY alert_case.opened_ms, alert_case.id`

// OpenAt lists the open cases of a point, as [Store.Open] those of a residence.
func (s *Store) OpenAt(ctx context.Context, point metering.PointID) ([]Kept, error) {
	all, err := kept(ctx, s.db, "", openAt, string(point))
	if err != nil {
		return nil, fmt.Errorf("open cases of point %s: %w", point, err)
	}
	return all, nil
}

const ofMeterAndDays = caseColumns + ofResidence + `
 WHERE alert_case.point_id IN (SELECT binding.point_id
                                 FROM binding
                                WHERE binding.meter_id = $1)
   AND alert_case.last_date >= $2
   AND alert_case.first_date < $3`

const eraseQuestions = `
DELETE FROM alert_question
 WHERE point_id IN (SELECT binding.point_id
                      FROM binding
                     WHERE binding.meter_id = $1)
   AND last_date >= $2
   AND first_date < $3`

// EraseOf deletes the cases of, and the questions about, the points of a meter of which a finding has a day in
// [from, to): all of them where days must not be known any more, else those that the
// curve or a room sensor told, which a day's figure does not.
func (s *Store) EraseOf(ctx context.Context, meter metering.MeterID, from, to civil.Date, keep metering.Resolution) error {
	if keep == metering.Fine {
		return nil
	}
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		all, err := kept(ctx, tx, "", ofMeterAndDays, string(meter), from.String(), to.String())
		if err != nil {
			return err
		}
		for _, k := range all {
			told := k.Finding.Source == FromCurve || k.Finding.Source == FromTemperature
			if keep.Allows(metering.Day) && !told {
				continue
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM alert_case WHERE id = $1`, string(k.ID)); err != nil {
				return err
			}
		}
		if keep.Allows(metering.Day) {
			_, err = tx.ExecContext(ctx, eraseQuestions+` AND finding LIKE '%"source":"curve"%'`, string(meter), from.String(), to.String())
		} else {
			_, err = tx.ExecContext(ctx, eraseQuestions, string(meter), from.String(), to.String())
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("erase the cases of meter %s: %w", meter, err)
	}
	return nil
}

const ofHousehold = caseColumns + ofResidence + `
 WHERE alert_case.household_id = $1
   AND alert_case.first_date >= $2
 ORDER BY alert_case.opened_ms, alert_case.id`

// Of lists the cases of a household's stays since a day, for the archive of what is
// held on it. The caller has found the household to be the reader's.
func (s *Store) Of(ctx context.Context, household premises.HouseholdID, since civil.Date) ([]Case, error) {
	all, err := kept(ctx, s.db, "", ofHousehold, string(household), since.String())
	if err != nil {
		return nil, fmt.Errorf("cases of household %s: %w", household, err)
	}
	cases := make([]Case, len(all))
	for i, k := range all {
		cases[i] = k.Case
	}
	return cases, nil
}
