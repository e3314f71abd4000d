// Package modbus is the gateway's side of a Modbus line: one owner a port, and
// never a register's content for another's.
//
// The protocol library is goburrow/modbus, used through its packagers and its
// client. What moves the frames is ours, because the library's own RTU
// transport hands out late answers as answers to later requests, misreads split
// exceptions, and never returns from an unplugged adapter.
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
// *modbus.ModbusError of the library.
var (
	ErrTimeout = errors.New("no answer in time")
	ErrLine    = errors.New("line is down")
	ErrFrame   = errors.New("answer does not fit the request")
)

// A Bus is the one owner of a line. Its methods may be called from several
// goroutines; requests go out one at a time.
type Bus struct {
	mu     sync.Mutex
	line   *line
	client func(slave byte) modbus.Client
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
		l.dial = func() (port, error) { return openSerial(u.Path, b) }
	default:
		return nil, fmt.Errorf("bus %s: URL %q: want tcp, rtutcp or rtu", b.Name, b.URL)
	}
	handler := modbus.NewRTUClientHandler("")
	return newBus(l, handler, &handler.SlaveId, exchangeRTU), nil
}

// newBus ties a packager of the library, whose slave is set before each
// request, to the line.
func newBus(l *line, packager modbus.Packager, slave *byte, exchange exchange) *Bus {
	client := modbus.NewClient2(packager, transporter(func(request []byte) ([]byte, error) {
		return l.exchange(request, exchange)
	}))
	return &Bus{line: l, client: func(s byte) modbus.Client {
		*slave = s
		return client
	}}
}

// Read returns the content of quantity registers from address on, two bytes
// each, read from slave with function 3 or 4. It returns within twice the
// line's timeout, and always with the registers that were asked for or an
// error.
func (b *Bus) Read(ctx context.Context, slave, function byte, address, quantity uint16) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	client := b.client(slave)
	read := client.ReadHoldingRegisters
	if function == modbus.FuncCodeReadInputRegisters {
		read = client.ReadInputRegisters
	}
	answer, err := read(address, quantity)
	if err == nil && len(answer) != 2*int(quantity) {
		err = fmt.Errorf("%w: %d bytes for %d registers", ErrFrame, len(answer), quantity)
	}
	if err != nil {
		return nil, fmt.Errorf("read %d registers at %#04x of slave %d: %w", quantity, address, slave, err)
	}
	return answer, nil
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

// silence is the pause of 3.5 characters that ends an RTU frame: 1.75 ms above
// 19200 baud (Modbus over Serial Line 1.02, 2.5.1.1).
func silence(b firmwareconfig.Bus) time.Duration {
	const characterBits = 11
	if b.Baud > 19200 || b.Baud == 0 {
		return 1750 * time.Microsecond
	}
	return time.Duration(3.5 * characterBits / float64(b.Baud) * float64(time.Second))
}
