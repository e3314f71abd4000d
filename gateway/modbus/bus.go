// Package modbus is the gateway's side of a Modbus line: one owner a port, and
// never a register's content for another's.
//
// The protocol library is goburrow/modbus, used through its packagers and its
// client. What moves the frames is ours, because the library's own RTU
// transport hands out late answers as answers to later requests, misreads split
// exceptions, and never returns from an unplugged adapter.
//
// # What a wrong content would take
//
// An answer is accepted where slave, function, count of bytes and checksum (on
// TCP: transaction, unit, function and lengths) are those of the request (of an
// identity, which alone tells its length: category and the lengths of all names),
// the slave owes no other answer (see owed.go), and no other
// master's request to the slave was heard since ours was sent. On Modbus TCP a
// connection has one open request, and is closed where that stays unanswered.
// What remains:
//   - damage that the 16-bit checksum does not see: none of at most 16 bits in a
//     row, one in 65,536 of any other, and a parity bit helps where the line has
//     one;
//   - an answer that is later than ten timeouts, comes while the same slave is
//     asked for the same function and quantity, and overtakes the right one;
//   - a slave that answers one request twice, or out of turn.
package modbus

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/goburrow/modbus"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
)

// Kinds of failure. Test with errors.Is; an exception of the slave is a
// *modbus.ModbusError of the library. The exceptions 10 and 11, with which a
// gateway on the way says that the slave does not answer, are [ErrTimeout] too.
var (
	ErrTimeout = errors.New("no answer in time")
	ErrLine    = errors.New("line is down")
	ErrFrame   = errors.New("answer does not fit the request")
)

// A Bus is the one owner of a line. Its methods may be called from several
// goroutines; requests go out one at a time.
type Bus struct {
	mu       sync.Mutex
	line     *line
	owed     *owed
	packager modbus.Packager
	slave    *byte // of the packager, set before each request
	exchange exchange
	client   modbus.Client
}

// Open returns the bus of a configuration. The line itself is opened at the
// first request, and again after each failure of it.
func Open(b firmwareconfig.Bus) (*Bus, error) {
	u, err := url.Parse(b.URL)
	if err != nil {
		return nil, fmt.Errorf("bus %s: %w", b.Name, err)
	}
	l := &line{timeout: b.Timeout, silence: silence(b)}
	switch u.Scheme {
	case "tcp":
		l.dial = dialTCP(u.Host, b.Timeout)
		handler := modbus.NewTCPClientHandler("")
		return newBus(l, handler, &handler.SlaveId, exchangeTCP), nil
	case "rtutcp":
		l.dial = dialTCP(u.Host, b.Timeout)
	case "rtu":
		l.character = character(b)
		l.dial = func() (port, error) { return openSerial(u.Path, b) }
	default:
		return nil, fmt.Errorf("bus %s: URL %q: want tcp, rtutcp or rtu", b.Name, b.URL)
	}
	handler := modbus.NewRTUClientHandler("")
	bus := newBus(l, handler, &handler.SlaveId, exchangeRTU)
	l.owes = func(slave byte, s shape) { bus.owed.note(slave, s, false, time.Now()) }
	return bus, nil
}

// patience is how many timeouts an unanswered request is held against a slave.
const patience = 10

// newBus ties a packager of the library to the line.
func newBus(l *line, packager modbus.Packager, slave *byte, exchange exchange) *Bus {
	client := modbus.NewClient2(packager, transporter(func(request []byte) ([]byte, error) {
		return l.exchange(request, exchange)
	}))
	return &Bus{line: l, owed: newOwed(patience * l.timeout), packager: packager, slave: slave, exchange: exchange, client: client}
}

// busyTries is how often a slave that says "busy" is asked again. The pauses
// double and are 7/8 of a timeout together.
const busyTries = 3

// Read returns the content of quantity registers from address on, two bytes
// each, read from slave with function 3 or 4: always the registers that were
// asked for, or an error. It takes at most a timeout, and one more where the
// slave left an earlier request unanswered or says that it is busy; what the
// bytes take on a serial line comes on top. A line that is gone is an error
// within two timeouts.
func (b *Bus) Read(ctx context.Context, slave, function byte, address, quantity uint16) ([]byte, error) {
	answer, err := b.unlessBusy(ctx, func() ([]byte, error) { return b.read(ctx, slave, function, address, quantity) })
	if err != nil {
		return nil, fmt.Errorf("read %d registers at %#04x of slave %d: %w", quantity, address, slave, err)
	}
	return answer, nil
}

// unlessBusy asks, and again where the slave says that it is busy.
func (b *Bus) unlessBusy(ctx context.Context, ask func() ([]byte, error)) ([]byte, error) {
	pause := b.line.timeout / 8
	for try := 0; ; try++ {
		answer, err := ask()
		if !busy(err) || try == busyTries || !sleep(ctx, pause) {
			return answer, err
		}
		pause *= 2
	}
}

func (b *Bus) read(ctx context.Context, slave, function byte, address, quantity uint16) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.begin(ctx, slave, function, address); err != nil {
		return nil, err
	}
	answer, err := b.ask(slave, function, address, quantity, true)
	if err == nil && len(answer) != 2*int(quantity) {
		return nil, fmt.Errorf("%w: %d bytes for %d registers", ErrFrame, len(answer), quantity)
	}
	return answer, err
}

// begin makes sure that the line is open and that slave owes nothing that could
// pass for the answer to the next request.
func (b *Bus) begin(ctx context.Context, slave, function byte, address uint16) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := b.line.ready(); err != nil {
		return err
	}
	return b.flush(slave, function, address)
}

// flush makes sure that no answer can come from slave but that to the next
// request.
func (b *Bus) flush(slave, function byte, address uint16) error {
	now := time.Now()
	if !b.owed.owes(slave, now) {
		return nil
	}
	other, refusable, ok := b.owed.flush(slave, function, now)
	if !ok {
		return fmt.Errorf("%w: nor to the requests before, so it is not asked for %s", ErrTimeout, b.owed.patience)
	}
	_, err := b.ask(slave, other.function, address, other.quantity, refusable)
	if err == nil || refusable && answered(err) {
		return nil
	}
	// A refusal of the flush is none of the request's.
	return fmt.Errorf("%w: the slave owes an answer, and the flush of it ended so: %v", kindOf(err), err)
}

// ask sends one request and books how it ended; refusable says whether an
// exception counts as the answer.
func (b *Bus) ask(slave, function byte, address, quantity uint16, refusable bool) ([]byte, error) {
	*b.slave = slave
	read := b.client.ReadHoldingRegisters
	switch function {
	case modbus.FuncCodeReadInputRegisters:
		read = b.client.ReadInputRegisters
	case modbus.FuncCodeReadDiscreteInputs:
		read = b.client.ReadDiscreteInputs
	case modbus.FuncCodeReadCoils:
		read = b.client.ReadCoils
	}
	answer, err := read(address, quantity)
	return answer, b.book(slave, shape{function, quantity}, err, refusable)
}

// book notes how a request ended, and returns its error with the kind that it
// is.
func (b *Bus) book(slave byte, s shape, err error, refusable bool) error {
	b.owed.note(slave, s, err == nil || refusable && answered(err), time.Now())
	if _, exception := errors.AsType[*modbus.ModbusError](err); exception && !answered(err) {
		return fmt.Errorf("%w: says the gateway on the way: %w", ErrTimeout, err)
	}
	return err
}

// kindOf is the sentinel that err is or wraps, else [ErrTimeout].
func kindOf(err error) error {
	for _, kind := range []error{ErrLine, ErrFrame} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return ErrTimeout
}

// Close closes the line. A later request opens it again.
func (b *Bus) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.line.close()
}

type transporter func(request []byte) ([]byte, error)

// Send implements the library's transporter.
func (t transporter) Send(request []byte) ([]byte, error) { return t(request) }

var _ modbus.Transporter = transporter(nil)

// sleep waits and reports whether it may go on.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
