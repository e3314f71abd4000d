package modbus

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// An RTU frame is slave, function, body, CRC (low byte first). Answers to reads
// have a count of bytes before their content.
const (
	requestFrame   = 8 // of a read
	exceptionFrame = 5
	exceptionBit   = 0x80
	maxFrame       = 256

	// endless is how many bytes may come without the answer among them.
	endless = 2 * maxFrame
)

// exchangeRTU sends a request once the line is quiet and reads until a whole
// frame that fits it has come. Bytes that belong to no such frame (noise, the
// answer of another slave, the echo of the request) are passed over.
func exchangeRTU(l *line, request []byte) ([]byte, error) {
	if pending, err := l.quieten(); err != nil {
		return nil, err
	} else if pending != nil && pending[0] == request[0] && pending[1] == request[1] {
		return nil, fmt.Errorf("%w: the slave owes one to a second master: a line has one master", ErrFrame)
	}
	l.sent, l.asked = append(l.sent[:0], request...), true
	if err := l.write(request); err != nil {
		return nil, err
	}
	from, want := len(l.held), answerLength(request)
	deadline := time.Now().Add(l.timeout + l.onTheWire(len(request)+want))
	damaged := false
	for len(l.held)-from < endless {
		if err := l.read(deadline); damaged && errors.Is(err, ErrTimeout) {
			return nil, fmt.Errorf("%w: wrong checksum", ErrFrame)
		} else if err != nil {
			return nil, err
		}
		found := find(l.held[from:], request)
		if found.end > 0 {
			return l.accept(from+found.start, from+found.end, request)
		}
		if found.damaged && !damaged {
			// Nothing better will come; but what else comes must be heard.
			damaged, deadline = true, earlier(deadline, time.Now().Add(l.timeout/8))
		}
	}
	return nil, fmt.Errorf("%w: %d bytes without a frame: check baud rate, parity and wiring", ErrFrame, endless)
}

// accept returns the answer that is held between start and end, unless another
// master asked the same slave meanwhile: the answer may be his.
func (l *line) accept(start, end int, request []byte) ([]byte, error) {
	for i := 0; i+requestFrame <= start; i++ {
		if other := l.held[i : i+requestFrame]; isRequest(other) && other[0] == request[0] && !bytes.Equal(other, request) {
			return nil, fmt.Errorf("%w: a second master asks the same slave: a line has one master", ErrFrame)
		}
	}
	answer := bytes.Clone(l.held[start:end])
	l.asked = false
	l.held = append(l.held[:start], l.held[end:]...) // before it another master may have asked
	return answer, nil
}

// quieten waits for the silence between frames and throws away what the line
// still brings. After another master's request it waits for the answer to that,
// or a timeout, after which the slave owes it, in its turn: pending is then that
// request. Seven bytes are kept, because more of a request might come.
func (l *line) quieten() (pending []byte, err error) {
	bound := time.Now().Add(2*l.timeout + l.onTheWire(maxFrame))
	for {
		until, foreign := l.quiet, l.foreign()
		if foreign != nil {
			until = later(until, l.heard.Add(l.timeout))
		}
		n, err := l.listen(until)
		switch {
		case err != nil:
			return nil, err
		case n == 0:
			if foreign != nil {
				pending = bytes.Clone(foreign)
				l.owes(pending[0], pending[1], binary.BigEndian.Uint16(pending[4:6]))
			}
			l.keep(requestFrame - 1)
			return pending, nil
		case time.Now().After(bound):
			return nil, fmt.Errorf("%w: the line does not fall silent: is there a second master?", ErrFrame)
		}
		l.keep(endless)
	}
}

// keep forgets all but the last n bytes that are held.
func (l *line) keep(n int) {
	if drop := len(l.held) - n; drop > 0 {
		l.held = append(l.held[:0], l.held[drop:]...)
	}
}

// foreign returns another master's request that was heard and perhaps not
// answered yet, nil where there is none. Two requests want two answers; while
// ours had none, the one that came may have been to ours.
func (l *line) foreign() []byte {
	answered := 0
	for i := 0; i+requestFrame <= len(l.held); i++ {
		request := l.held[i : i+requestFrame]
		if !isRequest(request) || !isRead(request) || bytes.Equal(request, l.sent) {
			continue
		}
		if l.asked {
			return request
		}
		answered = max(answered, i+requestFrame)
		f := find(l.held[answered:], request)
		if f.end == 0 {
			return request
		}
		answered += f.end
	}
	return nil
}

// isRequest reports whether frame is a request of one of the functions whose
// requests have eight bytes (V1.1b3, 6.1 to 6.6). No answer to a read of
// registers has as many: their length is odd.
func isRequest(frame []byte) bool { return frame[1] >= 1 && frame[1] <= 6 && valid(frame) }

func isRead(request []byte) bool { return request[1] <= 4 }

// answerLength is the length of the answer to a read.
func answerLength(request []byte) int {
	quantity := int(binary.BigEndian.Uint16(request[4:6]))
	if request[1] <= 2 { // coils and inputs are bits
		return exceptionFrame + (quantity+7)/8
	}
	return exceptionFrame + 2*quantity
}

// found is where an answer stands; end is 0 where there is none.
type found struct {
	start, end int
	damaged    bool // something that looks like it has a wrong checksum
}

// find looks for the frame within received that answers request.
func find(received, request []byte) found {
	want := answerLength(request)
	damaged := false
	for i := 0; i+exceptionFrame <= len(received); i++ {
		candidate := received[i:]
		if candidate[0] != request[0] {
			continue
		}
		switch {
		case candidate[1] == request[1]|exceptionBit && valid(candidate[:exceptionFrame]):
			return found{start: i, end: i + exceptionFrame}
		case candidate[1] == request[1] && int(candidate[2]) == want-exceptionFrame && len(candidate) >= want:
			if valid(candidate[:want]) {
				return found{start: i, end: i + want}
			}
			damaged = true
		}
	}
	return found{damaged: damaged}
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

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
