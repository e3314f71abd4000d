package modbus

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// A port is a serial device or a connection.
type port interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

var (
	_ port = (*os.File)(nil)
	_ port = (net.Conn)(nil)
)

// A line is a port that is opened when needed and closed when it fails.
type line struct {
	dial    func() (port, error)
	timeout time.Duration
	silence time.Duration // between two RTU frames

	port  port
	quiet time.Time // until then nothing is sent
	// settle is set after a timeout: an answer may still come, and RTU has no
	// number to tell it from the next one's.
	settle bool
}

// An exchange sends a request on the line's open port and returns its answer,
// both whole frames, before deadline.
type exchange func(l *line, request []byte, deadline time.Time) ([]byte, error)

func (l *line) exchange(request []byte, exchange exchange) ([]byte, error) {
	if l.port == nil {
		p, err := l.dial()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrLine, err)
		}
		l.port, l.settle = p, false
	}
	answer, err := exchange(l, request, time.Now().Add(l.timeout))
	if err != nil && !errors.Is(err, ErrTimeout) && !errors.Is(err, ErrFrame) {
		err = errors.Join(fmt.Errorf("%w: %w", ErrLine, err), l.close())
	}
	return answer, err
}

func (l *line) close() error {
	if l.port == nil {
		return nil
	}
	err := l.port.Close()
	l.port = nil
	return err
}

// read reads what is there, at least a byte, before deadline. It fails with
// [ErrTimeout] where nothing comes.
func (l *line) read(into []byte, deadline time.Time) (int, error) {
	if err := l.port.SetReadDeadline(deadline); err != nil {
		return 0, err
	}
	n, err := l.port.Read(into)
	switch {
	case n > 0:
		return n, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, ErrTimeout
	case err == nil: // a hung-up serial line reads nothing, for ever
		return 0, io.ErrUnexpectedEOF
	default:
		return 0, err
	}
}

func (l *line) write(frame []byte, deadline time.Time) error {
	if err := l.port.SetWriteDeadline(deadline); err != nil {
		return err
	}
	_, err := l.port.Write(frame)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return io.ErrNoProgress // a line that takes no bytes is down, not late
	}
	return err
}

func dialTCP(host string, timeout time.Duration) func() (port, error) {
	return func() (port, error) { return net.DialTimeout("tcp", host, timeout) }
}
