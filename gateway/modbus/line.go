package modbus

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A port is a serial device or a connection. Its descriptor does not block.
type port interface {
	io.ReadWriteCloser
	syscall.Conn
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

var (
	_ port = (*os.File)(nil)
	_ port = (*net.TCPConn)(nil)
)

// A line is a port that is opened when needed and closed when it fails.
type line struct {
	dial      func() (port, error)
	timeout   time.Duration
	silence   time.Duration // between two RTU frames
	character time.Duration // a byte on a serial line; 0 elsewhere

	// owes is told what a slave owes to another master; nil for a line that no
	// other can use.
	owes func(slave byte, s shape)

	port    port
	control syscall.RawConn // of port
	alarm   *alarm          // as long as there is a port

	// held is what came and belongs to no answer yet: on TCP the beginning of
	// a frame, on RTU what was heard on the line.
	held  []byte
	heard time.Time // when the last byte came
	quiet time.Time // until then nothing may be sent
	sent  []byte    // the last RTU request, which some adapters echo
	asked bool      // and no answer to it was accepted
}

// An exchange sends a request on the line's open port and returns its answer,
// both whole frames.
type exchange func(l *line, request []byte) ([]byte, error)

func (l *line) exchange(request []byte, exchange exchange) ([]byte, error) {
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLine, err)
	}
	answer, err := exchange(l, request)
	return answer, l.fail(err)
}

// ready opens the line and hears out what others still have to say on it.
func (l *line) ready() error {
	if err := l.open(); err != nil {
		return fmt.Errorf("%w: %w", ErrLine, err)
	}
	if l.owes == nil {
		return nil
	}
	_, err := l.quieten()
	return l.fail(err)
}

// fail closes the port after an error that is the line's.
func (l *line) fail(err error) error {
	if err == nil || errors.Is(err, ErrTimeout) || errors.Is(err, ErrFrame) {
		return err
	}
	return errors.Join(fmt.Errorf("%w: %w", ErrLine, err), l.close())
}

// open makes sure that there is a port that has not been hung up while nobody
// looked: converters close idle connections.
func (l *line) open() error {
	if l.port != nil {
		if _, err := l.glance(); err == nil {
			return nil
		}
		_ = l.close()
	}
	p, err := l.dial()
	if err != nil {
		return err
	}
	control, err := p.SyscallConn()
	if err != nil {
		return errors.Join(err, p.Close())
	}
	if l.alarm, err = newAlarm(); err != nil {
		return errors.Join(err, p.Close())
	}
	l.port, l.control = p, control
	l.held = l.held[:0]
	l.quiet = time.Now().Add(l.silence)
	return nil
}

func (l *line) close() error {
	if l.port == nil {
		return nil
	}
	err := errors.Join(l.port.Close(), l.alarm.close())
	l.port, l.control, l.alarm = nil, nil, nil
	return err
}

// room is how many bytes one look takes: more than the longest frame.
const room = 512

// grow returns room behind what is held.
func (l *line) grow() []byte {
	n := len(l.held)
	if cap(l.held)-n < room {
		l.held = append(make([]byte, 0, 2*n+2*room), l.held...)
	}
	return l.held[n : n+room]
}

// took books n bytes that were read into what [line.grow] returned.
func (l *line) took(n int) {
	l.held = l.held[:len(l.held)+n]
	l.heard = time.Now()
	l.quiet = l.heard.Add(l.silence)
}

// glance takes what has come already, if anything, without waiting.
func (l *line) glance() (n int, err error) {
	into := l.grow()
	failed := l.control.Control(func(fd uintptr) { n, err = unix.Read(int(fd), into) })
	switch {
	case failed != nil:
		return 0, failed
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
		return 0, nil
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.ErrUnexpectedEOF
	}
	l.took(n)
	return n, nil
}

// read takes what comes, at least a byte, before deadline. It fails with
// [ErrTimeout] where nothing comes.
func (l *line) read(deadline time.Time) error {
	if err := l.port.SetReadDeadline(deadline); err != nil {
		return err
	}
	n, err := l.port.Read(l.grow())
	switch {
	case n > 0:
		l.took(n)
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		// A board that was busy may look late at what came in time.
		if n, err := l.glance(); n > 0 || err != nil {
			return err
		}
		return ErrTimeout
	case err == nil: // a hung-up serial line reads nothing, for ever
		return io.ErrUnexpectedEOF
	default:
		return err
	}
}

// instant is the longest wait that is slept through, exactly, rather than
// listened through.
const instant = 5 * time.Millisecond

// listen waits until an instant and takes what comes before, at least a byte;
// n is 0 where the line stayed quiet.
func (l *line) listen(until time.Time) (n int, err error) {
	before := len(l.held)
	wait := time.Until(until)
	if wait <= instant {
		if err := l.alarm.sleep(wait); err != nil {
			return 0, err
		}
		return l.glance()
	}
	err = l.read(until)
	if errors.Is(err, ErrTimeout) {
		return 0, nil
	}
	return len(l.held) - before, err
}

func (l *line) write(frame []byte) error {
	if err := l.port.SetWriteDeadline(time.Now().Add(l.timeout)); err != nil {
		return err
	}
	_, err := l.port.Write(frame)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return io.ErrNoProgress // a line that takes no bytes is down, not late
	}
	return err
}

func dialTCP(host string, timeout time.Duration) func() (port, error) {
	return func() (port, error) {
		conn, err := net.DialTimeout("tcp", host, timeout)
		if err != nil {
			return nil, err
		}
		tcp, ok := conn.(*net.TCPConn)
		if !ok {
			return nil, errors.Join(fmt.Errorf("%s: not a TCP connection", host), conn.Close())
		}
		return tcp, nil
	}
}
