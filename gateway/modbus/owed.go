package modbus

import (
	"errors"
	"time"

	"github.com/goburrow/modbus"
)

// owed remembers the requests that a slave has not answered. Modbus RTU has no
// number that ties an answer to its request: the late answer to an earlier
// request looks exactly like the answer to the next one of the same function
// and quantity. What it does carry is the function, in exceptions too, and a
// slave answers in the order in which it was asked. So nothing is read from a
// slave that owes an answer before a request of yet another function (a flush)
// has come back: whatever the slave still had to say has then been said, and was
// thrown away.
//
// A debt is forgotten after patience, for slaves that are dead or that ignore
// functions they do not know. A late answer can therefore pass for another one
// only if it is later than that, comes within the one exchange that asks the
// same slave for the same function and quantity, and comes before its own.
type owed struct {
	patience time.Duration
	until    map[byte]map[byte]time.Time // by slave, then function
}

func newOwed(patience time.Duration) *owed {
	return &owed{patience: patience, until: map[byte]map[byte]time.Time{}}
}

// flushes are the functions whose requests change nothing in any meter and are
// answered by every slave, if only with an exception: reads of input registers,
// holding registers, discrete inputs and coils (MODBUS Application Protocol
// V1.1b3, 6.1 to 6.4 and 7).
var flushes = [...]byte{modbus.FuncCodeReadInputRegisters, modbus.FuncCodeReadHoldingRegisters,
	modbus.FuncCodeReadDiscreteInputs, modbus.FuncCodeReadCoils}

// owes reports whether any answer may still come from slave.
func (o *owed) owes(slave byte, now time.Time) bool {
	for _, until := range o.until[slave] {
		if now.Before(until) {
			return true
		}
	}
	return false
}

// free returns a function other than wanted of which slave owes no answer, and
// false where there is none.
func (o *owed) free(slave, wanted byte, now time.Time) (function byte, ok bool) {
	for _, f := range flushes {
		if f != wanted && !now.Before(o.until[slave][f]) {
			return f, true
		}
	}
	return 0, false
}

// note books how a request of function to slave ended. An answer proves that
// those before it have been given, because nothing of that function was owed.
func (o *owed) note(slave, function byte, err error, now time.Time) {
	if answered(err) {
		delete(o.until, slave)
		return
	}
	if o.until[slave] == nil {
		o.until[slave] = map[byte]time.Time{}
	}
	o.until[slave][function] = now.Add(o.patience)
}

// Exceptions with which a gateway on the way says that it gave up waiting for
// the slave, whose answer may come yet (V1.1b3, 7).
const (
	gatewayNoPath     = 10
	gatewayNoResponse = 11
)

// answered reports whether the slave itself answered, be it with a refusal.
func answered(err error) bool {
	if exception, ok := errors.AsType[*modbus.ModbusError](err); ok {
		return exception.ExceptionCode != gatewayNoPath && exception.ExceptionCode != gatewayNoResponse
	}
	return err == nil
}

func busy(err error) bool {
	exception, ok := errors.AsType[*modbus.ModbusError](err)
	return ok && exception.ExceptionCode == modbus.ExceptionCodeServerDeviceBusy
}
