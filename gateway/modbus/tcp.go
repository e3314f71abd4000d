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
// transaction. A connection on which a request was left unanswered is closed:
// where one answer is cut short and another comes late the two together can
// make a frame that fits. Of a connection with one open request at most,
// nothing but its answer can come.
func exchangeTCP(l *line, request []byte) ([]byte, error) {
	answer, err := l.askTCP(request)
	if errors.Is(err, ErrTimeout) || errors.Is(err, ErrFrame) {
		_ = l.close()
	}
	return answer, err
}

func (l *line) askTCP(request []byte) ([]byte, error) {
	if len(l.held) > 0 {
		return nil, fmt.Errorf("%d bytes that nobody asked for", len(l.held))
	}
	if err := l.write(request); err != nil {
		return nil, err
	}
	deadline := time.Now().Add(l.timeout)
	for {
		answer, err := l.frameTCP(deadline)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(answer[:2], request[:2]) {
			continue
		}
		if len(l.held) > 0 {
			return nil, fmt.Errorf("%w: %d bytes follow it", ErrFrame, len(l.held))
		}
		return checkTCP(answer, request)
	}
}

// frameTCP takes one frame.
func (l *line) frameTCP(deadline time.Time) ([]byte, error) {
	for {
		want, err := lengthTCP(l.held)
		if err != nil {
			return nil, err
		}
		if len(l.held) >= want {
			frame := bytes.Clone(l.held[:want])
			l.held = append(l.held[:0], l.held[want:]...)
			return frame, nil
		}
		if err := l.read(deadline); errors.Is(err, ErrTimeout) && len(l.held) > 0 {
			return nil, fmt.Errorf("%w: %d of %d bytes", err, len(l.held), want)
		} else if err != nil {
			return nil, err
		}
	}
}

// lengthTCP is the length of the frame at the beginning of held, as far as that
// tells; at least that of a header.
func lengthTCP(held []byte) (int, error) {
	if len(held) < mbapLength {
		return mbapLength, nil
	}
	want := mbapLength + int(binary.BigEndian.Uint16(held[4:6]))
	if protocol := binary.BigEndian.Uint16(held[2:4]); protocol != 0 || want > maxTCP || want < mbapLength+3 {
		return 0, fmt.Errorf("frame of protocol %d and %d bytes: not Modbus TCP", protocol, want)
	}
	return want, nil
}

// checkTCP demands the unit, the function and the lengths that were asked for.
func checkTCP(answer, request []byte) ([]byte, error) {
	body, asked := answer[mbapLength:], request[mbapLength:]
	if body[0] != asked[0] || body[1]&^exceptionBit != asked[1] {
		return nil, fmt.Errorf("%w: unit %d function %#x", ErrFrame, body[0], body[1])
	}
	length := exceptionFrame
	if body[1]&exceptionBit == 0 {
		var fits bool
		if length, fits = answerIn(body, asked); !fits {
			return nil, fmt.Errorf("%w: other lengths, or of another kind", ErrFrame)
		}
	}
	if want := length - checksumBytes; len(body) != want {
		return nil, fmt.Errorf("%w: %d bytes for %d", ErrFrame, len(body), want)
	}
	return answer, nil
}
