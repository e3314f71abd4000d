package campaign

import (
	"context"
	"io"
	"net/url"
	"time"

	"github.com/goburrow/modbus"
)

// Bare returns a reader by goburrow/modbus alone, as its page shows it, but
// closed after an error, which is kinder to it: on TCP nothing would be read
// after the first timeout.
func Bare(address string, timeout time.Duration) (Reader, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	if u.Scheme == "tcp" {
		h := modbus.NewTCPClientHandler(u.Host)
		h.Timeout = timeout
		return &bare{client: modbus.NewClient(h), slave: &h.SlaveId, closer: h}, nil
	}
	h := modbus.NewRTUClientHandler(u.Path)
	h.BaudRate, h.DataBits, h.Parity, h.StopBits, h.Timeout = bareBaud, 8, "N", 1, timeout
	return &bare{client: modbus.NewClient(h), slave: &h.SlaveId, closer: h}, nil
}

const bareBaud = 115200

// BareSlack is what the library sleeps before it reads, at 115200 baud: 750 µs
// for each byte of request and answer, and 1.75 ms.
func BareSlack(quantity uint16) time.Duration {
	return time.Duration(8+5+2*int(quantity))*750*time.Microsecond + 1750*time.Microsecond
}

type bare struct {
	client modbus.Client
	slave  *byte
	closer io.Closer
}

// Read implements [Reader].
func (b *bare) Read(_ context.Context, slave, function byte, address, quantity uint16) ([]byte, error) {
	*b.slave = slave
	read := b.client.ReadHoldingRegisters
	if function == modbus.FuncCodeReadInputRegisters {
		read = b.client.ReadInputRegisters
	}
	answer, err := read(address, quantity)
	if err != nil {
		_ = b.closer.Close()
	}
	return answer, err
}

// Close implements [Reader].
func (b *bare) Close() error { return b.closer.Close() }
