// Package nightly judges each morning what the meters of every home showed until
// then: water that never stops, cold flats and silent meters become cases that are
// told, followed and ended; tips are found, chosen and stored, and what came of
// those that were taken up is observed.
//
// A run is of one residence and one civil day. It goes through the homes a few at
// a time, so that its memory does not grow with the residence, writes down each
// home that it has done, and goes on there after a kill. Everything that it does
// twice it does once: the same day again changes nothing.
package nightly

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// homesAtOnce is how many homes are held in memory, and asked InfluxDB about
// together: some 150 meters.
const homesAtOnce = 50

// A Runner does the runs. Its fields are set before it is used, and it may be used
// from several goroutines.
type Runner struct {
	DB        *sql.DB
	Influx    *influx.Client
	Catalogue *tips.Catalogue
	Log       *slog.Logger
	Now       func() time.Time
	// Progress is told after each few homes how many of how many are done; nil for
	// nobody.
	Progress func(residence metering.SiteID, done, of int)
}

// Counts are what a run did.
type Counts struct {
	Homes     int            `json:"homes"`
	Judged    int            `json:"judged"`            // water meters
	Refused   map[string]int `json:"refused,omitempty"` // by the key of the reason
	Asked     int            `json:"asked"`             // homes where a day's flow may have been on purpose
	Opened    int            `json:"opened"`            // cases
	Ended     int            `json:"ended"`
	Told      int            `json:"told"`
	Proposed  int            `json:"proposed"` // tips that are new
	Changed   int            `json:"changed"`  // tips
	Unchanged int            `json:"-"`        // homes that were done before
	// Failed are homes that could not be judged, each with its fault in the log; the
	// next run tries them again.
	Failed int `json:"failed,omitempty"`
	// Late says that a later day was run already: nothing of the present was changed.
	Late bool `json:"-"`
}

func (c *Counts) add(d Counts) {
	c.Homes, c.Judged, c.Asked, c.Opened, c.Ended = c.Homes+d.Homes, c.Judged+d.Judged, c.Asked+d.Asked, c.Opened+d.Opened, c.Ended+d.Ended
	c.Told, c.Proposed, c.Changed, c.Unchanged = c.Told+d.Told, c.Proposed+d.Proposed, c.Changed+d.Changed, c.Unchanged+d.Unchanged
	c.Failed, c.Late = c.Failed+d.Failed, c.Late || d.Late
	for reason, n := range d.Refused {
		c.refuse(reason, n)
	}
}

func (c *Counts) refuse(reason string, n int) {
	if c.Refused == nil {
		c.Refused = map[string]int{}
	}
	c.Refused[reason] += n
}

// Day is the last civil day whose morning has passed at an instant: the one that a
// run at that instant is of.
func Day(now time.Time, zone *time.Location) civil.Date {
	today := civil.DateIn(now, zone)
	if now.Before(alerts.Morning(today, zone)) {
		return today.AddDays(-1)
	}
	return today
}

// ErrHeld says that another program does the same run just now. Test with
// [errors.Is].
var ErrHeld = errors.New("another program does this run just now: wait for it, or for ten minutes after it was killed")

// ErrTooEarly says that the morning of the day is not over yet. Test with
// [errors.Is].
var ErrTooEarly = errors.New("that day's nights are not over: name a day whose morning, seven o'clock, has passed")

// Residence runs over a residence for a civil day. Homes that this day's run has
// done are passed over, unless again. It fails with [ErrHeld], with [ErrTooEarly],
// and where the database or InfluxDB does not answer; the next run goes on there. A
// home whose own rows cannot be read keeps no other from being judged: it is counted
// as failed.
//
// A run for a day before one that was run completes the quiet days and observes what
// was taken up, and changes nothing else: cases, tips and letters are of the present.
func (r *Runner) Residence(ctx context.Context, residence premises.Residence, date civil.Date, again bool) (Counts, error) {
	if Day(r.Now(), residence.Zone).Before(date) {
		return Counts{}, fmt.Errorf("nights of %s in %s: %w", date, residence.ID, ErrTooEarly)
	}
	j, err := r.begin(ctx, residence.ID, date, again)
	if err != nil {
		return Counts{}, fmt.Errorf("nights of %s in %s: %w", date, residence.ID, err)
	}
	counts, err := r.homes(ctx, residence, date, j)
	if err != nil {
		return counts, errors.Join(fmt.Errorf("nights of %s in %s: %w", date, residence.ID, err), j.release(ctx))
	}
	if err := j.end(ctx); err != nil {
		return counts, fmt.Errorf("nights of %s in %s: %w", date, residence.ID, err)
	}
	return counts, nil
}

// A night is what all homes of a run share.
type night struct {
	residence premises.Residence
	date      civil.Date
	today     civil.Date // of the run itself; not before date
	morning   time.Time
	zone      *time.Location

	weather  consumption.Weather
	tariffs  charges.Tariffs
	prices   prices
	similar  similar
	cases    map[metering.PointID][]alerts.Kept
	broken   map[metering.PointID]error // cases that cannot be read
	pasts    map[metering.PointID][]alerts.Past
	provided map[premises.DwellingID][]charges.Provision
	// computers are the days on which the programme handed a household its own.
	computers map[premises.HouseholdID]civil.Date

	lookout consent.Lookout // for erasures meanwhile
	alerts  *alerts.Store
	tips    *tips.Store
	charges *charges.Store
	reader  *consumption.Reader
}

func (r *Runner) night(ctx context.Context, residence premises.Residence, date civil.Date) (*night, error) {
	begun := r.Now()
	watch := consent.Lookout{Since: begun, Now: r.Now}
	n := &night{residence: residence, date: date, today: civil.DateIn(begun, residence.Zone), zone: residence.Zone, morning: alerts.Morning(date, residence.Zone),
		lookout: watch, alerts: alerts.NewStore(r.DB).Heeding(watch), tips: tips.NewStore(r.DB, r.Catalogue).Heeding(watch), charges: charges.NewStore(r.DB),
		reader: consumption.NewReader(premises.NewStore(r.DB), meters.NewStore(r.DB), r.Influx)}
	var err error
	if n.weather, err = consumption.NewNeighbourhood(r.DB, r.Influx).Weather(ctx, residence.ID, date.AddDays(-historyDays), date); err != nil {
		return nil, err
	}
	if n.tariffs, err = n.charges.Of(ctx, residence.ID); err != nil {
		return nil, err
	}
	n.prices = prices{n.tariffs}
	if n.similar, err = r.similarHomes(ctx, residence, date); err != nil {
		return nil, err
	}
	if n.pasts, err = n.alerts.Pasts(ctx, residence.ID, date.AddDays(-historyDays)); err != nil {
		return nil, err
	}
	if n.provided, err = r.provisions(ctx, residence.ID); err != nil {
		return nil, err
	}
	if n.computers, err = r.handedOver(ctx, residence.ID, date); err != nil {
		return nil, err
	}
	return n, n.readCases(ctx)
}

// A computer that was exchanged was there before the one that stands there now.
const computersOf = `
SELECT sale.household_id, MIN(sale.handed_on)
  FROM machine_sale AS sale
 WHERE sale.residence_id = $1
   AND sale.handed_on <= $2
   AND (sale.ended_why IS NULL OR sale.ended_why = 'exchanged')
   AND EXISTS (SELECT 1
                 FROM machine_sale AS held
                WHERE held.household_id = sale.household_id
                  AND held.handed_on <= $2
                  AND held.ended_on IS NULL)
 GROUP BY sale.household_id`

// handedOver reads since when the households have a computer of the programme.
func (r *Runner) handedOver(ctx context.Context, residence metering.SiteID, on civil.Date) (map[premises.HouseholdID]civil.Date, error) {
	rows, err := r.DB.QueryContext(ctx, computersOf, string(residence), on.String())
	if err != nil {
		return nil, fmt.Errorf("computers: %w", err)
	}
	found := map[premises.HouseholdID]civil.Date{}
	_, err = sqldb.Collect(rows, func(rows *sql.Rows) (struct{}, error) {
		var household premises.HouseholdID
		var handed string
		err := rows.Scan(&household, &handed)
		if err == nil {
			found[household], err = civil.ParseDate(handed)
		}
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("computers: %w", err)
	}
	return found, nil
}

// readCases reads the open cases; those of a gateway stand at the empty point.
func (n *night) readCases(ctx context.Context) error {
	open, err := n.alerts.Open(ctx, n.residence.ID)
	if err != nil {
		return err
	}
	n.cases, n.broken = map[metering.PointID][]alerts.Kept{}, map[metering.PointID]error{}
	for _, k := range open {
		if k.Fault != nil {
			n.broken[k.Cause.Point] = k.Fault
			continue
		}
		n.cases[k.Cause.Point] = append(n.cases[k.Cause.Point], k)
	}
	return nil
}
