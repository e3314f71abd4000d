package modbus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// An RTU frame is slave, function, body, CRC (low byte first). Answers to
// functions 3 and 4 have a count of bytes before their registers.
const (
	maxFrame       = 256
	exceptionFrame = 5
	exceptionBit   = 0x80
)

// exchangeRTU sends a request once the line is quiet and reads until a whole
// frame that fits it has come. Bytes that belong to no such frame (noise, the
// answer of another slave) are passed over.
func exchangeRTU(l *line, request []byte, deadline time.Time) ([]byte, error) {
	if err := l.drain(); err != nil {
		return nil, err
	}
	deadline = later(deadline, time.Now().Add(l.timeout))
	if err := l.write(request, deadline); err != nil {
		return nil, err
	}
	defer func() { l.quiet = time.Now().Add(l.silence) }()
	var frame [maxFrame]byte
	for n := 0; n < len(frame); {
		read, err := l.read(frame[n:], deadline)
		if err != nil {
			l.settle = errors.Is(err, ErrTimeout)
			return nil, err
		}
		n += read
		if answer := findAnswer(frame[:n], request); answer != nil {
			return answer, nil
		}
	}
	l.settle = true
	return nil, fmt.Errorf("%w: %d bytes without a frame", ErrFrame, len(frame))
}

// glance is long enough to see what already lies in the port.
const glance = 200 * time.Microsecond

// drain waits for the silence between frames and throws away what the line
// still brings. After a timeout the line must be silent for a whole timeout
// more: until then the late answer could pass for the next one's.
func (l *line) drain() error {
	silence := max(time.Until(l.quiet), glance)
	if l.settle {
		silence = l.timeout
	}
	bound := time.Now().Add(2 * l.timeout)
	var waste [maxFrame]byte
	for {
		_, err := l.read(waste[:], time.Now().Add(silence))
		switch {
		case errors.Is(err, ErrTimeout):
			l.settle = false
			return nil
		case err != nil:
			return err
		case time.Now().After(bound):
			l.settle = true
			return fmt.Errorf("%w: the line does not fall silent: is there a second master?", ErrFrame)
		}
		silence = max(silence, l.silence)
	}
}

// findAnswer returns the frame within received that answers request, or nil.
func findAnswer(received, request []byte) []byte {
	want := 5 + 2*int(binary.BigEndian.Uint16(request[4:6]))
	for i := 0; i+exceptionFrame <= len(received); i++ {
		candidate := received[i:]
		if candidate[0] != request[0] {
			continue
		}
		switch {
		case candidate[1] == request[1]|exceptionBit && valid(candidate[:exceptionFrame]):
			return candidate[:exceptionFrame]
		case candidate[1] == request[1] && len(candidate) >= want &&
			int(candidate[2]) == want-5 && valid(candidate[:want]):
			return candidate[:want]
		}
	}
	return nil
}

func valid(frame []byte) bool {
	body := frame[:len(frame)-2]
	return crc16(body) == binary.LittleEndian.Uint16(frame[len(body):])
}

// crc16 is the checksum of Modbus over Serial Line 1.02, appendix B: reflected
// polynomial 0xA001, start 0xFFFF.
func crc16(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, c := range b {
		crc ^= uint16(c)
		for range 8 {
			carry := crc & 1
			crc >>= 1
			if carry == 1 {
				crc ^= 0xA001
			}
		}
	}
	return crc
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
