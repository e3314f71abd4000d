package modbus

import (
	"encoding/binary"
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
	until    map[byte]map[shape]time.Time // by slave
}

// A shape is what tells answers apart. Exceptions do not bear the quantity,
// which for function 43 is how much was asked for and the first object.
type shape struct {
	function byte
	quantity uint16
}

// shapeOf is the shape of an RTU request.
func shapeOf(request []byte) shape {
	if request[1] == readIdentity {
		return shape{request[1], binary.BigEndian.Uint16(request[3:5])}
	}
	return shape{request[1], binary.BigEndian.Uint16(request[4:6])}
}

func newOwed(patience time.Duration) *owed {
	return &owed{patience: patience, until: map[byte]map[shape]time.Time{}}
}

// flushes are the functions whose requests change nothing in any meter and are
// answered by every slave, if only with an exception: reads of input registers,
// holding registers, discrete inputs and coils (MODBUS Application Protocol
// V1.1b3, 6.1 to 6.4 and 7).
var flushes = [...]byte{modbus.FuncCodeReadInputRegisters, modbus.FuncCodeReadHoldingRegisters,
	modbus.FuncCodeReadDiscreteInputs, modbus.FuncCodeReadCoils}

// maxFlush is the largest quantity of a flush, in registers.
const maxFlush = 16

// owes reports whether any answer may still come from slave.
func (o *owed) owes(slave byte, now time.Time) bool {
	for _, until := range o.until[slave] {
		if now.Before(until) {
			return true
		}
	}
	return false
}

// flush returns a request that no answer owed by slave, and none to the function
// wanted, can be taken to answer. Where all functions are owed it is told from
// others by its quantity, and a refusal does not answer it. It is false where
// nothing is left to ask.
func (o *owed) flush(slave, wanted byte, now time.Time) (s shape, refusable, ok bool) {
	functions, shapes := map[byte]bool{wanted: true}, map[shape]bool{}
	for s, until := range o.until[slave] {
		if now.Before(until) {
			functions[s.function], shapes[s] = true, true
		}
	}
	for _, f := range flushes {
		if !functions[f] {
			return shape{f, 1}, true, true
		}
	}
	for quantity := uint16(1); quantity <= maxFlush; quantity++ {
		for _, f := range flushes[:2] { // bits are counted in eights: their answers look alike
			if s := (shape{f, quantity}); f != wanted && !shapes[s] {
				return s, false, true
			}
		}
	}
	return shape{}, false, false
}

// note books how a request ended. An answer proves that those before it have
// been given: nothing that looks like it was owed.
func (o *owed) note(slave byte, s shape, answered bool, now time.Time) {
	if answered {
		delete(o.until, slave)
		return
	}
	if o.until[slave] == nil {
		o.until[slave] = map[shape]time.Time{}
	}
	o.until[slave][s] = now.Add(o.patience)
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
