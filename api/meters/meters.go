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
}

// A Point is a point of delivery of a dwelling: it outlives its meters.
type Point struct {
	ID       metering.PointID
	Dwelling premises.DwellingID
	Kind     metering.Kind
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
}

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
