package slave

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// A Line is one end of a serial line, as a [PTY] or a serial port is. A read
// whose deadline has passed fails with [os.ErrDeadlineExceeded].
type Line interface {
	io.ReadWriter
	SetReadDeadline(time.Time) error
}

const (
	maxADU = 256 // bytes, clause 2.5.1 of the serial line

	// stale is the silence after which the beginning of a request that never
	// ended is forgotten. The standard says 1.5 characters; operating systems
	// deliver in lumps, so this is far longer than any pause within a frame
	// and shorter than any master's patience.
	stale = 150 * time.Millisecond

	// wake is how often a quiet line looks at its context.
	wake = 100 * time.Millisecond
)

// ServeRTU answers Modbus RTU on line until ctx ends, and then returns nil. It
// does not close line. Noise before a request is skipped; a request with a
// wrong checksum is not answered.
func (s *Server) ServeRTU(ctx context.Context, line Line) error {
	var held []byte // bytes that have not made a request yet
	var last time.Time
	chunk := make([]byte, maxADU)
	for ctx.Err() == nil {
		n, err := readWithin(line, chunk, wake)
		silent := time.Since(last) > stale
		switch {
		case n > 0:
			if silent {
				held = held[:0]
			}
			last = time.Now()
			held, err = s.take(ctx, line, append(held, chunk[:n]...))
		case errors.Is(err, os.ErrDeadlineExceeded):
			err = nil
			if silent && len(held) > 0 {
				err = s.takeUnknown(ctx, line, held)
				held = held[:0]
			}
		}
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("serial line: %w", err)
		}
	}
	return nil
}

func readWithin(line Line, chunk []byte, within time.Duration) (int, error) {
	if err := line.SetReadDeadline(time.Now().Add(within)); err != nil {
		return 0, err
	}
	return line.Read(chunk)
}

// take answers every whole request in held and returns the bytes after the
// last. Bytes before a request with a right checksum are noise.
func (s *Server) take(ctx context.Context, line Line, held []byte) ([]byte, error) {
	for {
		from, to := firstRequest(held)
		if to == 0 {
			return held[max(0, len(held)-maxADU):], nil
		}
		if err := s.reply(ctx, line, held[from:to]); err != nil {
			return nil, err
		}
		held = held[to:]
	}
}

// firstRequest returns where the first whole request of a known function stands
// in held, or to = 0 where there is none yet.
func firstRequest(held []byte) (from, to int) {
	for from := range len(held) {
		length := requestLength(held[from:])
		if length > 0 && from+length <= len(held) && sealed(held[from:from+length]) {
			return from, from + length
		}
	}
	return 0, 0
}

// takeUnknown is called in the silence after bytes that make no known request.
// Only that silence can tell the end of a function that this package does not
// know, which is then answered with an exception.
func (s *Server) takeUnknown(ctx context.Context, line Line, held []byte) error {
	for ; len(held) >= 4; held = held[1:] {
		if requestLength(held) == 0 && sealed(held) {
			return s.reply(ctx, line, held)
		}
	}
	return nil
}

// requestLength is how many bytes the request at the beginning of held has in
// all; 0 where its function does not tell. While the deciding byte has not come
// it is the length up to that byte.
func requestLength(held []byte) int {
	if len(held) < 2 {
		return 2
	}
	switch held[1] {
	case 1, 2, 3, 4, 5, 6, 8:
		return 8
	case 7, 11, 12, 17:
		return 4
	case 15, 16:
		return counted(held, 6)
	case 20, 21:
		return counted(held, 2)
	case 22:
		return 10
	case 23:
		return counted(held, 10)
	case 24:
		return 6
	case 43:
		return 7
	default:
		return 0
	}
}

// counted is the length of a frame whose byte at place counts those that follow
// before the checksum.
func counted(held []byte, place int) int {
	if len(held) <= place {
		return place + 1
	}
	return place + 1 + int(held[place]) + 2
}

// reply answers one request, checksum included.
func (s *Server) reply(ctx context.Context, line Line, request []byte) error {
	pdu, x := s.answer(request[0], request[1:len(request)-2])
	if pdu == nil {
		s.done(x, false, nil)
		return nil
	}
	answer := seal(append([]byte{request[0]}, pdu...))
	wait(ctx, s.onTheWire(len(request)+len(answer)))
	_, err := line.Write(answer)
	s.done(x, true, err)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("write serial line: %w", err)
	}
	return nil
}

// onTheWire is how long so many bytes take at the configured speed, with the
// silence of 3.5 characters after the request and after the answer.
func (s *Server) onTheWire(bytes int) time.Duration {
	if s.options.Baud <= 0 {
		return 0
	}
	char := 11 * time.Second / time.Duration(s.options.Baud)
	silence := 7 * char / 2
	if s.options.Baud > 19200 {
		silence = 1750 * time.Microsecond // clause 2.5.1.1
	}
	return time.Duration(bytes)*char + 2*silence
}

func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
