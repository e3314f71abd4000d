package modbus

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// A Modbus TCP frame begins with transaction (2 bytes), protocol 0 (2) and the
// count of bytes that follow (2): Modbus Messaging on TCP/IP 1.0b, 3.1.3.
const (
	mbapLength = 6
	maxTCP     = 260
)

// exchangeTCP sends a request and reads frames until the one of its
// transaction; those of requests that timed out before are thrown away. After a
// timeout the connection is kept: the transaction number tells answers apart.
func exchangeTCP(l *line, request []byte, deadline time.Time) ([]byte, error) {
	if err := l.write(request, deadline); err != nil {
		return nil, err
	}
	for {
		answer, err := l.readTCP(deadline)
		if err != nil {
			return nil, err
		}
		if bytes.Equal(answer[:2], request[:2]) {
			return checkTCP(answer, request)
		}
	}
}

// readTCP reads one frame. Where only a part of it comes in time the stream is
// out of step, and the connection with it.
func (l *line) readTCP(deadline time.Time) ([]byte, error) {
	frame := make([]byte, maxTCP)
	n, want := 0, mbapLength
	for n < want {
		read, err := l.read(frame[n:want], deadline)
		if err != nil {
			if errors.Is(err, ErrTimeout) && n > 0 {
				err = fmt.Errorf("%d of %d bytes, then silence", n, want)
			}
			return nil, err
		}
		if n += read; n == mbapLength && want == mbapLength {
			want += int(binary.BigEndian.Uint16(frame[4:6]))
			if want > maxTCP || want < mbapLength+2 {
				return nil, fmt.Errorf("frame of %d bytes: not Modbus TCP", want)
			}
		}
	}
	return frame[:n], nil
}

// checkTCP demands the unit, function and count of bytes that were asked for.
func checkTCP(answer, request []byte) ([]byte, error) {
	unit, function := answer[6], answer[7]
	if unit != request[6] || function&^exceptionBit != request[7] {
		return nil, fmt.Errorf("%w: unit %d function %#x", ErrFrame, unit, function)
	}
	want := 2 * int(binary.BigEndian.Uint16(request[10:12]))
	if function&exceptionBit == 0 && (len(answer) != 9+want || int(answer[8]) != want) {
		return nil, fmt.Errorf("%w: %d bytes for %d", ErrFrame, len(answer)-9, want)
	}
	return answer, nil
}
