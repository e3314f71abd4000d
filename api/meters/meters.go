// Package meters knows points of delivery, the physical meters that hang or
// hung there, and the gateways that read them. It makes the registry.
package meters

import (
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Gateway reads meters of one residence.
type Gateway struct {
	ID        metering.GatewayID
	Residence metering.SiteID
	Name      string // for people; may be empty
	Place     string // where it hangs, as in "cellar of building A"
	Buses     []Bus
	Version   int64 // grows with each change
}

// A Bus is one line of meters, or one Modbus TCP server.
type Bus struct {
	Name     string
	URL      string // rtu:///dev/…, rtutcp://host:port or tcp://host:port
	Baud     int
	Parity   string // none, even or odd
	StopBits int
	Timeout  time.Duration // whole milliseconds
	Interval time.Duration // between two polls, whole seconds
	RS485    RS485
}

// RS485 is how the kernel's driver turns a serial line round; the zero value is
// a line that does it itself.
type RS485 struct {
	Enabled                 bool
	RTSOnSend               bool
	DelayBefore, DelayAfter time.Duration // whole milliseconds
}

// A Point is a point of delivery: it outlives its meters. It is a dwelling's or
// else a building's, where the main meters hang.
type Point struct {
	ID       metering.PointID
	Dwelling premises.DwellingID // empty for a building's
	// Residence is set for a building's point; a dwelling knows its own.
	Residence metering.SiteID
	Building  string
	Kind      metering.Kind
	Version   int64
}

// A Meter is one physical meter. Amounts are in the base unit of its kind.
type Meter struct {
	ID           metering.MeterID
	Gateway      metering.GatewayID
	Kind         metering.Kind
	IndexModulus metering.Amount // where the index rolls over; 0 = never
	MaxPerHour   metering.Amount // largest plausible in an hour; 0 = not known
	Interval     time.Duration   // between two polls, whole seconds
	Resolution   metering.Resolution
	Serial       string // as on its plate; may be empty
	Socket       Socket
	Pulse        metering.Amount // what a pulse is worth; 0 where the register counts in units
	StartIndex   metering.Amount // added to what the register shows
	// ErasedUntil is before when everything it showed was erased; zero: nothing.
	ErasedUntil time.Time
	Version     int64
}

// A Socket is where the gateway finds a meter. The zero value is a meter that
// its gateway's configuration does not name.
type Socket struct {
	Profile string // of firmware-config; [Imported] where readings come from files
	Bus     string // name of the gateway's bus
	Slave   int    // 1 to 247
	Channel int    // of the device; 0 where the device is the meter
}

// Imported is the profile of a meter that hangs on no bus: its gateway takes its
// readings from files.
const Imported = "imported"

// A Binding says that a meter hung at a point during [From, To), in UTC; To is
// zero while it does. The indexes are what its dial showed when it was hung up
// and taken down, nil where nobody wrote it down.
type Binding struct {
	Meter      metering.MeterID
	Point      metering.PointID
	From, To   time.Time
	FirstIndex *metering.Amount
	LastIndex  *metering.Amount
}

// A Hanging is a binding together with its meter.
type Hanging struct {
	Binding
	Meter Meter
}

// A Fitted is a point with the meters that hung there, in order of time; none
// where it has no meter yet.
type Fitted struct {
	Point
	Hangings []Hanging
}

// A Roster is all that a residence's file says of its meters.
type Roster struct {
	Residence metering.SiteID
	Gateways  []Gateway
	Points    []Point
	Meters    []Meter
	Bindings  []Binding
}
