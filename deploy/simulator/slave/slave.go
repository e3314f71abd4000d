// Package slave answers Modbus requests for any number of slaves, over TCP and
// over RTU on a pseudo-terminal, from registers that a [Source] supplies.
//
// It is written for tests and simulations that need real bytes on a real
// connection: frames are cut by the length that their function demands, never
// by timing alone; dead slaves are silent; a request may come in pieces; the
// other side may hang up and come back.
//
// Protocol: MODBUS Application Protocol Specification V1.1b3 and MODBUS over
// Serial Line V1.02.
package slave

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// The functions that a [Source] is asked for.
const (
	ReadHolding byte = 3
	ReadInput   byte = 4
)

// MaxQuantity is the largest number of registers one request may ask for.
const MaxQuantity = 125

// A Source knows what the registers hold.
type Source interface {
	// Read returns quantity registers from address on, as function 3
	// (holding) or 4 (input) shows them. Quantity is 1 to [MaxQuantity] and
	// address+quantity at most 65,536. It may be called from many goroutines,
	// one a connection.
	//
	// An [Exception] is sent to the master; [ErrSilent] makes the slave say
	// nothing, as one that is dead or absent; any other error is logged and
	// sent as [DeviceFailure]. To be late, return late.
	Read(slave, function byte, address, quantity uint16) ([]uint16, error)
}

// A SourceFunc is a [Source] made of its one method.
type SourceFunc func(slave, function byte, address, quantity uint16) ([]uint16, error)

// Read calls f.
func (f SourceFunc) Read(slave, function byte, address, quantity uint16) ([]uint16, error) {
	return f(slave, function, address, quantity)
}

// A Roll is a [Source] that knows which slaves answer at all. Without it a
// request that the server refuses by itself, such as an unknown function, is
// answered in the name of any slave.
type Roll interface {
	// Answers reports whether the slave is there and alive. It may be called
	// from many goroutines.
	Answers(slave byte) bool
}

// A Namer is a [Source] whose slaves tell names of themselves, with function 43.
// Slaves of a source without it do not know the function.
type Namer interface {
	// Names returns the objects of a slave, at most 244 bytes each: 0 is the
	// maker, 1 the product code, 2 the revision; those from 3 to 0x7F are
	// standard too, those above the maker's. None means that the slave does not
	// know the function. Errors are those of [Source]. It may be called from
	// many goroutines.
	Names(slave byte) (map[byte]string, error)
}

// ErrSilent is returned by a [Source] whose slave does not answer.
var ErrSilent = errors.New("slave is silent")

// An Exception is the code of a slave's refusal.
type Exception byte

// The exceptions.
const (
	IllegalFunction Exception = 1
	IllegalAddress  Exception = 2
	IllegalQuantity Exception = 3
	DeviceFailure   Exception = 4
	DeviceBusy      Exception = 6
)

// Error names the code.
func (e Exception) Error() string {
	names := map[Exception]string{
		IllegalFunction: "illegal function",
		IllegalAddress:  "illegal data address",
		IllegalQuantity: "illegal data value",
		DeviceFailure:   "server device failure",
		DeviceBusy:      "server device busy",
	}
	if name, known := names[e]; known {
		return fmt.Sprintf("exception %d (%s)", byte(e), name)
	}
	return fmt.Sprintf("exception %d", byte(e))
}

// An Exchange is one request and what became of it.
type Exchange struct {
	Slave, Function   byte
	Address, Quantity uint16    // as asked; 0 for functions other than 3 and 4
	Received          time.Time // when the request was whole
	// Answered is when the answer had been handed to the connection; zero
	// where the slave was silent or the other side had gone.
	Answered  time.Time
	Registers []uint16 // what was sent; nil after an exception or silence
	Err       error    // an [Exception], [ErrSilent] or what broke the connection
}

// Options are how a [Server] behaves. The zero value answers at once and tells
// nobody.
type Options struct {
	// Log hears of connections at Debug and of broken sources at Warn; nil
	// discards.
	Log *slog.Logger
	// Observe is called after each exchange, from the goroutine of its
	// connection, before the next request is read; nil for nobody.
	Observe func(Exchange)
	// Turnaround is how long a slave thinks before it answers.
	Turnaround time.Duration
	// Baud, where positive, delays RTU answers by what the bytes of request
	// and answer and the silences between would take on a line of that speed,
	// at 11 bits a byte. A pseudo-terminal itself has no speed.
	Baud int
}

// A Server answers for the slaves of one source. Make it with [New]; one server
// may serve several listeners and lines at once.
type Server struct {
	source  Source
	options Options
}

// New returns a server that asks source for registers.
func New(source Source, options Options) *Server {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	return &Server{source: source, options: options}
}

// answer returns the protocol data unit to send back for a request that began
// with unit and continues with pdu, nil for silence, and the exchange so far.
func (s *Server) answer(unit byte, pdu []byte) ([]byte, Exchange) {
	x := Exchange{Slave: unit, Function: pdu[0], Received: time.Now()}
	if unit == 0 { // a broadcast is never answered, clause 2.1 of the serial line
		x.Err = ErrSilent
		return nil, x
	}
	answer, err := s.content(&x, pdu)
	x.Err = err
	time.Sleep(s.options.Turnaround)
	var exception Exception
	switch {
	case x.Err == nil:
		return answer, x
	case errors.Is(x.Err, ErrSilent):
		return nil, x
	case errors.As(x.Err, &exception):
		return []byte{x.Function | 0x80, byte(exception)}, x
	default:
		s.options.Log.Warn("source broken", "slave", unit, "address", x.Address, "error", x.Err)
		return []byte{x.Function | 0x80, byte(DeviceFailure)}, x
	}
}

// content is the answer to a request that is not refused.
func (s *Server) content(x *Exchange, pdu []byte) (answer []byte, err error) {
	switch x.Function {
	case ReadHolding, ReadInput:
		if x.Registers, err = s.read(x, pdu); err != nil {
			return nil, err
		}
		return encode(x.Function, x.Registers), nil
	case ReadIdentity:
		return s.identity(x, pdu)
	default:
		return nil, s.refuse(x, IllegalFunction)
	}
}

func (s *Server) read(x *Exchange, pdu []byte) ([]uint16, error) {
	if len(pdu) != 5 {
		return nil, s.refuse(x, IllegalQuantity)
	}
	x.Address, x.Quantity = binary.BigEndian.Uint16(pdu[1:]), binary.BigEndian.Uint16(pdu[3:])
	if x.Quantity < 1 || x.Quantity > MaxQuantity {
		return nil, s.refuse(x, IllegalQuantity)
	}
	if int(x.Address)+int(x.Quantity) > 1<<16 {
		return nil, s.refuse(x, IllegalAddress)
	}
	registers, err := s.source.Read(x.Slave, x.Function, x.Address, x.Quantity)
	if err == nil && len(registers) != int(x.Quantity) {
		return nil, fmt.Errorf("source gave %d registers, not %d", len(registers), x.Quantity)
	}
	return registers, err
}

// refuse returns the exception for a request that the source does not see, or
// silence where the source says that the slave is dead.
func (s *Server) refuse(x *Exchange, e Exception) error {
	if roll, ok := s.source.(Roll); ok && !roll.Answers(x.Slave) {
		return ErrSilent
	}
	return e
}

// encode is the answer to functions 3 and 4.
func encode(function byte, registers []uint16) []byte {
	pdu := make([]byte, 2, 2+2*len(registers))
	pdu[0], pdu[1] = function, byte(2*len(registers))
	for _, register := range registers {
		pdu = binary.BigEndian.AppendUint16(pdu, register)
	}
	return pdu
}

// done tells the observer of an exchange whose answer was sent, or was not for
// the reason err.
func (s *Server) done(x Exchange, sent bool, err error) {
	if sent && err == nil {
		x.Answered = time.Now()
	}
	if err != nil {
		x.Err, x.Registers = err, nil
	}
	if s.options.Observe != nil {
		s.options.Observe(x)
	}
}
