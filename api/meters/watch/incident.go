package watch

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// An IncidentKind is what is wrong.
type IncidentKind string

// The kinds of incident.
const (
	Quiet           IncidentKind = "gateway_silent" // a whole gateway
	SpoolAlarm      IncidentKind = "spool_alarm"    // its spool fills up
	ConfigFault     IncidentKind = "config_fault"   // it does not take its configuration
	MeterSilent     IncidentKind = "meter_silent"
	MeterStuck      IncidentKind = "meter_stuck"
	MeterWrongPlace IncidentKind = "meter_wrong_place"
)

// An Incident is what is or was wrong with a gateway, or with one of its meters.
type Incident struct {
	ID        string
	Residence metering.SiteID
	Kind      IncidentKind
	Gateway   metering.GatewayID
	Meter     metering.MeterID // empty for the gateway itself
	From      time.Time
	To        time.Time // zero while it lasts
}

// A cause is what one incident at a time may be open for.
type cause struct {
	residence metering.SiteID
	kind      IncidentKind
	gateway   metering.GatewayID
	meter     metering.MeterID
}

func (i Incident) cause() cause { return cause{i.Residence, i.Kind, i.Gateway, i.Meter} }

const openIncident = `
INSERT INTO incident (id, residence_id, kind, gateway_id, meter_id, from_ms)
VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (kind, residence_id, gateway_id, meter_id) WHERE to_ms IS NULL DO NOTHING`

const closeIncident = `
UPDATE incident
   SET to_ms = CASE WHEN from_ms > $2 THEN from_ms ELSE $2 END
 WHERE id = $1
   AND to_ms IS NULL`

const openOnes = `
SELECT id, residence_id, kind, gateway_id, meter_id, from_ms, to_ms
  FROM incident
 WHERE residence_id = $1
   AND to_ms IS NULL`

// reconcile opens the incidents that are wanted and not open, and closes the open
// ones that are over. It leaves alone those that held says nobody can tell of. It
// returns how many it opened and closed.
func (s *Store) reconcile(ctx context.Context, residence metering.SiteID, wanted []Incident, held func(Incident) bool, now time.Time) (opened, closed int, err error) {
	rows, err := s.db.QueryContext(ctx, openOnes, string(residence))
	if err != nil {
		return 0, 0, fmt.Errorf("incidents of %s: %w", residence, err)
	}
	open, err := sqldb.Collect(rows, scanIncident)
	if err != nil {
		return 0, 0, fmt.Errorf("incidents of %s: %w", residence, err)
	}
	over := map[cause]Incident{}
	for _, i := range open {
		over[i.cause()] = i
	}
	var faults []error
	change := func(n *int, text string, args ...any) {
		done, err := s.db.ExecContext(ctx, text, args...)
		if err != nil {
			faults = append(faults, err)
			return
		}
		changed, err := done.RowsAffected()
		*n += int(changed)
		faults = append(faults, err)
	}
	for _, w := range wanted {
		if _, is := over[w.cause()]; is {
			delete(over, w.cause())
			continue
		}
		if !held(w) {
			change(&opened, openIncident, uuid.Must(uuid.NewV7()).String(), string(w.Residence), string(w.Kind), string(w.Gateway), string(w.Meter), max(0, sqldb.Ms(w.From)))
		}
	}
	for _, i := range over {
		if !held(i) {
			change(&closed, closeIncident, i.ID, sqldb.Ms(now))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return opened, closed, fmt.Errorf("incidents of %s: %w", residence, err)
	}
	return opened, closed, nil
}

func scanIncident(rows *sql.Rows) (Incident, error) {
	var i Incident
	var fromMs int64
	var toMs sql.NullInt64
	err := rows.Scan(&i.ID, &i.Residence, (*string)(&i.Kind), &i.Gateway, &i.Meter, &fromMs, &toMs)
	i.From = sqldb.Time(fromMs)
	if toMs.Valid {
		i.To = sqldb.Time(toMs.Int64)
	}
	return i, err
}

// An IncidentFilter says which incidents to list; empty fields let all by.
type IncidentFilter struct {
	Residence metering.SiteID
	Open      bool // only those that last
}

const listIncidents = `
SELECT incident.id, incident.residence_id, incident.kind, incident.gateway_id, incident.meter_id, incident.from_ms, incident.to_ms
  FROM incident
  JOIN residence ON residence.id = incident.residence_id
 WHERE ` + meters.ReaderClip + `
   AND ($2 = '' OR residence.id = $2)
   AND ($3 = 0 OR incident.to_ms IS NULL)
   AND ($4 = '' OR incident.id < $4)
 ORDER BY incident.id DESC
 LIMIT $5`

// Incidents lists the incidents that the person may see, the youngest first: one
// more than the page holds where the list goes on.
func (s *Store) Incidents(ctx context.Context, who accounts.PersonID, f IncidentFilter, p resource.Page) ([]Incident, error) {
	rows, err := s.db.QueryContext(ctx, listIncidents, string(who), string(f.Residence), bit(f.Open), p.After, p.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("incidents: %w", err)
	}
	all, err := sqldb.Collect(rows, scanIncident)
	if err != nil {
		return nil, fmt.Errorf("incidents: %w", err)
	}
	return all, nil
}
