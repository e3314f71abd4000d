// Package household makes up a residence whose people wash, cook, sleep and go
// on holiday, and tells what each of its meters shows at any instant.
//
// It is the truth that tests compare with: every index is a pure function of
// the seed, the epoch, the meter and the instant. Nothing here does input or
// output, reads a clock or draws from a shared source of chance, so that two
// programs that are given the same seed and epoch agree for ever.
package household

import (
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Residence is a site with its dwellings, gateways and meters. Its exported
// fields must not be changed after [New]; its methods may be called from any
// number of goroutines.
type Residence struct {
	Seed      uint64
	Epoch     civil.Date     // the civil day on which counting begins
	Zone      *time.Location // Europe/Paris
	Name      string         // as people say it, "La Roseraie"
	SiteID    metering.SiteID
	Gateways  []Gateway
	Dwellings []*Dwelling // by building, staircase and number

	calendar calendar
	meters   []*Meter // by id
	byID     map[DwellingID]*Dwelling
	streams  map[DwellingID]*stream
}

// A DwellingID names a dwelling by building, staircase and number, as in
// "A1-03".
type DwellingID string

// A Dwelling is one flat, whether it has meters or not.
type Dwelling struct {
	ID         DwellingID
	Building   string // "A", "B" or "C"
	Staircase  int    // 1 or 2
	Number     int    // within the staircase, 1 to 8
	Floor      int    // 0 is the ground floor
	Rooms      int    // main rooms, kitchen and bathroom not counted
	AreaM2     int
	Stories    []Story     // what is out of the ordinary here; mostly empty
	Households []Household // in order of time, never overlapping
	Meters     []*Meter    // those that truly count for this flat; none where it is not equipped
}

// Has reports whether the story s happens in the dwelling.
func (d *Dwelling) Has(s Story) bool { return slices.Contains(d.Stories, s) }

// HouseholdOn returns the household that lives in the dwelling on a date, or
// nil where nobody does.
func (d *Dwelling) HouseholdOn(date civil.Date) *Household {
	for i := range d.Households {
		h := &d.Households[i]
		if !date.Before(h.MovedIn) && (h.MovedOut.IsZero() || date.Before(h.MovedOut)) {
			return h
		}
	}
	return nil
}

// A Transport is how the slaves of a bus are reached.
type Transport string

// The transports.
const (
	TCP Transport = "tcp" // Modbus TCP
	RTU Transport = "rtu" // Modbus RTU on a serial line
)

// A Bus is one line of slaves at a gateway. On an RTU bus hang at most 32.
type Bus struct {
	Name      string
	Transport Transport
}

// A Gateway reads the meters of a part of the residence.
type Gateway struct {
	ID    metering.GatewayID // "gw-a" to "gw-d"
	Where string             // what it reads, as people say it
	Buses []Bus
	// SilentFrom is the instant from which the gateway sends nothing any
	// more; zero means that it works.
	SilentFrom time.Time
}

// The register maps of the meters; package registers has their addresses.
const (
	ProfileElectricity  = "iem3155"
	ProfilePulseCounter = "pulse-counter-4"
	ProfileRoomSensor   = "room-sensor"
)

// A Meter is one physical meter and the place where it is read.
type Meter struct {
	ID      metering.MeterID
	Kind    metering.Kind
	Gateway metering.GatewayID
	Bus     string
	Slave   byte   // Modbus address, 1 to 247
	Profile string // "iem3155", "pulse-counter-4" or "room-sensor"
	// Channel is the input of a pulse counter, 1 to 4; 0 for other profiles.
	Channel int
	// PulseML is what one count of a pulse counter stands for, in mL; 0 for
	// other profiles.
	PulseML metering.Amount
	// IndexModulus is where the register rolls over to zero, in Wh or mL; 0
	// means never.
	IndexModulus metering.Amount
	// MaxPerHour is the largest plausible consumption in an hour, in Wh or
	// mL; 0 where the meter has no index.
	MaxPerHour metering.Amount
	// From and To bound the time in which the meter hangs there, [From, To);
	// a zero To means that it still does.
	From, To time.Time
	// FirstIndex is the index at From; LastIndex that at To, 0 where To is
	// zero. Both are in Wh or mL.
	FirstIndex, LastIndex metering.Amount
	// DeadFrom is the instant from which the slave answers no more; zero
	// means that it works.
	DeadFrom time.Time
	// Dwelling is where the meter truly counts; Bound is where the landlord's
	// list says that it does.
	Dwelling, Bound DwellingID
	// Resolution is what the present household of Bound consented to.
	Resolution metering.Resolution

	base int64 // what the dwelling had drawn at From, in thousandths
}

// Count is the smallest step of the meter's index: the pulse weight in mL for
// pulse counters, else 1.
func (m *Meter) Count() metering.Amount { return max(1, m.PulseML) }

// HangsAt reports whether the meter hangs in its place at the instant.
func (m *Meter) HangsAt(at time.Time) bool {
	return !at.Before(m.From) && (m.To.IsZero() || at.Before(m.To))
}

// New makes the residence "La Roseraie": 48 flats in the buildings A, B and C of
// two staircases each. The same seed and epoch give the same residence. It
// panics where the machine and the program have no zone data.
func New(seed uint64, epoch civil.Date) *Residence {
	r := &Residence{
		Seed:    seed,
		Epoch:   epoch,
		Zone:    paris(),
		Name:    "La Roseraie",
		SiteID:  "roseraie",
		byID:    map[DwellingID]*Dwelling{},
		streams: map[DwellingID]*stream{},
	}
	r.calendar = newCalendar(epoch, r.Zone)
	r.Gateways = gateways(r.day(gatewaySilentDay))
	r.Dwellings = r.build()
	r.settle()
	for _, d := range r.Dwellings {
		r.byID[d.ID] = d
		r.streams[d.ID] = newStream(r, d)
	}
	r.equip()
	return r
}

// Meters returns every meter of the residence, replaced ones included, by id.
// The slice must not be changed.
func (r *Residence) Meters() []*Meter { return r.meters }

// ByID returns the dwelling of that id, or nil where there is none.
func (r *Residence) ByID(id DwellingID) *Dwelling { return r.byID[id] }

// Gateway returns the gateway of that id and whether there is one.
func (r *Residence) Gateway(id metering.GatewayID) (Gateway, bool) {
	for _, g := range r.Gateways {
		if g.ID == id {
			return g, true
		}
	}
	return Gateway{}, false
}

// day returns the first instant of the n-th civil day after the epoch.
func (r *Residence) day(n int) time.Time { return r.Epoch.AddDays(n).Start(r.Zone) }
