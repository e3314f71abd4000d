package meters

import (
	"strings"

	"github.com/xnetroseraie/xnet/api/problem"
)

// What people are told, by this package and those below it. Whatever belongs to
// a residence that the sender has no role in is [ErrNone], as if it were not
// there.
var (
	ErrNone          = &problem.Error{Kind: problem.NotFound, Message: "equipment.none"}
	ErrDialMalformed = &problem.Error{Kind: problem.Invalid, Message: "equipment.dial_malformed"}
	ErrExists        = &problem.Error{Kind: problem.Conflict, Message: "equipment.exists"}
	ErrSerialTaken   = &problem.Error{Kind: problem.Conflict, Message: "equipment.serial_taken"}
	ErrSocketTaken   = &problem.Error{Kind: problem.Conflict, Message: "equipment.socket_taken"}
	ErrBound         = &problem.Error{Kind: problem.Conflict, Message: "equipment.bound"}
	ErrNotBound      = &problem.Error{Kind: problem.Conflict, Message: "equipment.not_bound"}
	ErrOtherKind     = &problem.Error{Kind: problem.Conflict, Message: "equipment.other_kind"}
	ErrBusInUse      = &problem.Error{Kind: problem.Conflict, Message: "equipment.bus_in_use"}
	// ErrDoubtful: the last index of a meter that is replaced cannot follow what
	// was read.
	ErrDoubtful = &problem.Error{Kind: problem.Conflict, Message: "equipment.doubtful_dial"}

	// ErrNoTap: no tap runs for the meter, so none can be closed.
	ErrNoTap = &problem.Error{Kind: problem.Conflict, Message: "equipment.no_tap"}
	// ErrNotRead: there is no reading near enough to hold a dial against.
	ErrNotRead = &problem.Error{Kind: problem.Conflict, Message: "equipment.not_read"}

	// ErrNoKey: this server has no key to sign configurations with.
	ErrNoKey = &problem.Error{Kind: problem.Conflict, Message: "equipment.no_key"}
	// ErrConfiguration: the registry does not make a configuration that the
	// gateway would take.
	ErrConfiguration = &problem.Error{Kind: problem.Conflict, Message: "equipment.configuration_fault"}
)

// LookedAtMeter is what the log of accesses says of who checks a home's meter.
const LookedAtMeter = "look.meter"

// conflict turns what the schema refused into what a person is told. SQLite says
// what was broken in words only, so the words of both databases are looked at:
// names of columns, of constraints and of our own triggers.
func conflict(err error) error {
	if err == nil {
		return nil
	}
	said := err.Error()
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(said, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("binding_overlap", "binding_pkey", "binding.meter_id, binding.from_ms"):
		return ErrBound
	case has("meter_serial_once", "meter.gateway_id, meter.serial"):
		return ErrSerialTaken
	case has("meter_socket", "meter.gateway_id, meter.bus"):
		return ErrSocketTaken
	case has("bus_gateway_id_url_key", "bus.gateway_id, bus.url", "bus_pkey", "bus.gateway_id, bus.name"):
		return problem.OfFields([]problem.Field{{Name: "buses", Message: "equipment.bus_twice"}})
	case has("gateway_pkey", "gateway.id", "meter_pkey", "meter.id", "point_pkey", "point.id"):
		return ErrExists
	}
	return err
}
