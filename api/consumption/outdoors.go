package consumption

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Where a day's outdoor temperatures come from.
const (
	fromFile    = "file"
	fromNetwork = "network"
	fromSensor  = "sensor"
)

// keepOutdoors keeps days, all or none.
func (n *Neighbourhood) keepOutdoors(ctx context.Context, residence metering.SiteID, source string, days []Temperature) error {
	return sqldb.InTx(ctx, n.db, func(tx *sql.Tx) error {
		for _, d := range days {
			_, err := tx.ExecContext(ctx, putDay, string(residence), d.Day.String(), milli(d.Low), milli(d.High), source)
			if err != nil {
				return fmt.Errorf("weather of %s on %s: %w", residence, d.Day, err)
			}
		}
		return nil
	})
}

// ImportWeather is [Neighbourhood.NoteWeather] for whoever holds the database, as a
// command does. It fails where there is no such residence.
func (n *Neighbourhood) ImportWeather(ctx context.Context, residence metering.SiteID, days []Temperature) error {
	var there int
	if err := n.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM residence WHERE id = $1`, string(residence)).Scan(&there); err != nil {
		return fmt.Errorf("weather of %s: %w", residence, err)
	}
	if there == 0 {
		return fmt.Errorf("residence %q is not known: load its file or create it first", residence)
	}
	return n.keepOutdoors(ctx, residence, fromFile, days)
}

// An OutdoorLook is when a residence's outdoors were last asked for, and how.
type OutdoorLook struct {
	Source string    `json:"source"` // "network" or "sensor"
	Asked  time.Time `json:"asked"`  // UTC
	Fault  string    `json:"fault,omitempty"`
}

// An OutdoorState says how well the outdoors of a residence are known.
type OutdoorState struct {
	Days  int           `json:"days"`                // that are known
	First string        `json:"first_day,omitempty"` // YYYY-MM-DD
	Last  string        `json:"last_day,omitempty"`
	Looks []OutdoorLook `json:"looks"`
}

const outdoorState = `
SELECT COUNT(*), COALESCE(MIN(day), ''), COALESCE(MAX(day), '')
  FROM outdoor_day
 WHERE residence_id = $1`

const outdoorLooks = `
SELECT source, asked_ms, fault
  FROM outdoor_look
 WHERE residence_id = $1
 ORDER BY source`

// Outdoors tells a residence's managers and administrators how well its weather is
// known and what was wrong when it was last asked for. Others get the problem
// NotFound "residence.none".
func (n *Neighbourhood) Outdoors(ctx context.Context, staff accounts.PersonID, residence metering.SiteID) (s OutdoorState, err error) {
	var may int
	if err = n.db.QueryRowContext(ctx, mayNoteWeather, string(staff), string(residence)).Scan(&may); err != nil {
		return s, fmt.Errorf("weather of %s: %w", residence, err)
	}
	if may == 0 {
		return s, &problem.Error{Kind: problem.NotFound, Message: "residence.none"}
	}
	if err = n.db.QueryRowContext(ctx, outdoorState, string(residence)).Scan(&s.Days, &s.First, &s.Last); err != nil {
		return s, fmt.Errorf("weather of %s: %w", residence, err)
	}
	s.Looks, err = n.looks(ctx, residence)
	return s, err
}

func (n *Neighbourhood) looks(ctx context.Context, residence metering.SiteID) ([]OutdoorLook, error) {
	rows, err := n.db.QueryContext(ctx, outdoorLooks, string(residence))
	if err != nil {
		return nil, fmt.Errorf("looks at the weather of %s: %w", residence, err)
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (l OutdoorLook, err error) {
		var askedMs int64
		err = rows.Scan(&l.Source, &askedMs, &l.Fault)
		l.Asked = sqldb.Time(askedMs)
		return l, err
	})
	if err != nil {
		return nil, fmt.Errorf("looks at the weather of %s: %w", residence, err)
	}
	if all == nil {
		all = []OutdoorLook{}
	}
	return all, nil
}

// An Outdoors keeps the weather of residences up to date, from sources on the
// network and from sensors that hang at a building. Each is asked once a day, and
// again after an hour where that failed.
type Outdoors struct {
	around  *Neighbourhood
	influx  *influx.Client
	sources []WeatherSource
	log     *slog.Logger
	now     func() time.Time
}

// NewOutdoors returns outdoors for sources that are valid.
func NewOutdoors(around *Neighbourhood, client *influx.Client, sources []WeatherSource, log *slog.Logger, now func() time.Time) *Outdoors {
	return &Outdoors{around, client, sources, log, now}
}

const (
	outdoorPace  = 10 * time.Minute // between two looks at what is due
	outdoorRetry = time.Hour
)

// Run keeps the weather up to date until ctx ends.
func (o *Outdoors) Run(ctx context.Context) {
	tick := time.NewTicker(outdoorPace)
	defer tick.Stop()
	for {
		o.Refresh(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Refresh asks every source and sensor that is due, and returns how many days were
// kept. What fails is logged with its residence and reason, kept for
// [Neighbourhood.Outdoors], and holds nothing else up.
func (o *Outdoors) Refresh(ctx context.Context) (days int) {
	for _, s := range o.sources {
		days += o.look(ctx, s.Residence, fromNetwork, func(zone *time.Location) ([]Temperature, error) { return o.ask(ctx, s, zone) })
	}
	sensors, err := o.around.sensors(ctx)
	if err != nil {
		o.log.Error("outdoor sensors not known", "error", err)
	}
	for residence, hung := range sensors {
		days += o.look(ctx, residence, fromSensor, func(zone *time.Location) ([]Temperature, error) { return o.read(ctx, hung, zone) })
	}
	return days
}

// look asks a source if it is due.
func (o *Outdoors) look(ctx context.Context, residence metering.SiteID, source string, ask func(*time.Location) ([]Temperature, error)) int {
	due, zone, err := o.due(ctx, residence, source)
	if err != nil {
		o.log.Error("weather not kept", "residence", residence, "source", source, "error", err)
		return 0
	}
	if !due {
		return 0
	}
	days, fault := ask(zone)
	if fault == nil {
		fault = o.around.keepOutdoors(ctx, residence, source, days)
	}
	if ctx.Err() != nil {
		return 0 // an interrupt is no fault of the source
	}
	if fault != nil {
		o.log.Warn("outdoor temperatures not read", "residence", residence, "source", source, "error", fault)
		days = nil
	}
	if err := o.around.noteLook(ctx, residence, source, o.now(), fault); err != nil {
		o.log.Error("weather not kept", "residence", residence, "source", source, "error", err)
	}
	return len(days)
}

const lookOf = `
SELECT residence.zone, COALESCE(outdoor_look.asked_ms, 0), COALESCE(outdoor_look.fault, '')
  FROM residence
  LEFT JOIN outdoor_look ON outdoor_look.residence_id = residence.id AND outdoor_look.source = $2
 WHERE residence.id = $1`

func (o *Outdoors) due(ctx context.Context, residence metering.SiteID, source string) (bool, *time.Location, error) {
	var name, fault string
	var askedMs int64
	if err := o.around.db.QueryRowContext(ctx, lookOf, string(residence), source).Scan(&name, &askedMs, &fault); err != nil {
		return false, nil, fmt.Errorf("residence %s: %w", residence, err)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return false, nil, fmt.Errorf("residence %s: %w", residence, err)
	}
	asked, now := sqldb.Time(askedMs), o.now()
	if fault != "" {
		return !now.Before(asked.Add(outdoorRetry)), zone, nil
	}
	return civil.DateIn(asked, zone).Before(civil.DateIn(now, zone)), zone, nil
}

const putLook = `
INSERT INTO outdoor_look (residence_id, source, asked_ms, fault)
VALUES ($1, $2, $3, $4)
    ON CONFLICT (residence_id, source) DO UPDATE
   SET asked_ms = excluded.asked_ms,
       fault = excluded.fault`

const mostFaultText = 500

func (n *Neighbourhood) noteLook(ctx context.Context, residence metering.SiteID, source string, now time.Time, fault error) error {
	text := ""
	if fault != nil {
		text = string([]rune(fault.Error())[:min(mostFaultText, len([]rune(fault.Error())))])
	}
	if _, err := n.db.ExecContext(ctx, putLook, string(residence), source, sqldb.Ms(now), text); err != nil {
		return fmt.Errorf("look at the weather of %s: %w", residence, err)
	}
	return nil
}
