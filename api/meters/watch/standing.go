// Package watch holds what gateways report against the registry: which meters are
// read, which are silent, stuck, unknown or in the wrong place, and which
// gateways are. What is wrong is an incident with a begin and an end, one for a
// silent gateway and not one for each of its meters.
package watch

import (
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Standing is how a meter fares.
type Standing string

// The standings.
const (
	Bound         Standing = "bound"          // it hangs where the registry says, and is read
	Late          Standing = "late"           // not read for more than three polls
	Silent        Standing = "silent"         // not read for more than a day
	Stuck         Standing = "stuck"          // read, but unmoved for a week in an occupied flat
	WrongPlace    Standing = "wrong_place"    // another gateway than the registry's reads it
	NeverSeen     Standing = "never_seen"     // it hangs, and its gateway has never named it
	Unbound       Standing = "unbound"        // registered, but it hangs nowhere
	GatewaySilent Standing = "gateway_silent" // its gateway is silent: nobody knows
	Unknown       Standing = "unknown"        // a gateway reads it, the registry does not know it
)

// Standings lists those of registered meters.
var Standings = []Standing{Bound, Late, Silent, Stuck, WrongPlace, NeverSeen, Unbound, GatewaySilent}

// When silence begins to count.
const (
	// GatewayAfter is when a gateway that tells nothing is an incident; a live
	// one tells of itself every minute.
	GatewayAfter = 15 * time.Minute
	// MeterAfter is when a meter that is not read is an incident.
	MeterAfter = 24 * time.Hour
	// StuckAfter is how long an index must stand still in an occupied flat.
	StuckAfter = 7 * 24 * time.Hour

	latePolls = 3
	// reportDelay is how old a gateway's word of a meter may be.
	reportDelay = 90 * time.Second
)

// Facts are what is known of one registered meter.
type Facts struct {
	Meter     metering.MeterID
	Gateway   metering.GatewayID // that the registry gives it to
	Interval  time.Duration
	Hung      time.Time          // since when it hangs; zero: nowhere
	Reported  bool               // by its own gateway
	LastGood  time.Time          // when that read it well last; zero: never
	Elsewhere metering.GatewayID // another gateway that reads it; empty: none
	Still     time.Time          // since when its index has not moved; zero: it moves
	Occupied  bool               // somebody has lived there for a week
	Quiet     bool               // its gateway is silent
}

// Standing tells how the meter fares at now, and since when as far as is known:
// the zero time where it is not.
func (f Facts) Standing(now time.Time) (Standing, time.Time) {
	read := f.LastGood
	if read.Before(f.Hung) {
		read = f.Hung
	}
	age := now.Sub(read)
	switch {
	case f.Elsewhere != "":
		return WrongPlace, time.Time{}
	case f.Hung.IsZero():
		return Unbound, time.Time{}
	case f.Quiet:
		return GatewaySilent, time.Time{}
	case !f.Reported:
		return NeverSeen, f.Hung
	case age > MeterAfter:
		return Silent, read
	case age > latePolls*f.Interval+reportDelay:
		return Late, read
	case f.Occupied && !f.Still.IsZero() && now.Sub(f.Still) >= StuckAfter:
		return Stuck, f.Still
	default:
		return Bound, time.Time{}
	}
}

// incident is the kind of incident that a standing is, or none.
func (s Standing) incident() (IncidentKind, bool) {
	switch s {
	case Silent:
		return MeterSilent, true
	case Stuck:
		return MeterStuck, true
	case WrongPlace:
		return MeterWrongPlace, true
	default:
		return "", false
	}
}
