package modbus

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"
)

// endless is how many bytes may come without the answer among them.
const endless = 2 * maxFrame

// exchangeRTU sends a request once the line is quiet and reads until a whole
// frame that fits it has come. Bytes that belong to no such frame (noise, the
// answer of another slave, the echo of the request) are passed over.
func exchangeRTU(l *line, request []byte) ([]byte, error) {
	pending, err := l.quieten()
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(pending, func(p []byte) bool { return p[0] == request[0] && p[1] == request[1] }) {
		return nil, fmt.Errorf("%w: the slave owes one to a second master: a line has one master", ErrFrame)
	}
	l.sent, l.asked = append(l.sent[:0], request...), true
	if err := l.write(request); err != nil {
		return nil, err
	}
	from, want := len(l.held), leastAnswer(request)
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
		if found.want > want { // it is longer than could be known
			deadline, want = deadline.Add(l.onTheWire(found.want-want)), found.want
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
	for i := range start {
		if other := requestIn(l.held[i:start]); other != nil && other[0] == request[0] && !bytes.Equal(other, request) {
			return nil, fmt.Errorf("%w: a second master asks the same slave: a line has one master", ErrFrame)
		}
	}
	answer := bytes.Clone(l.held[start:end])
	l.asked = false
	// Before it another master may have asked; and its last bytes may be the
	// first of another's request, which broke the answer off and completed it.
	l.held = append(l.held[:start], l.held[max(start, end-requestFrame+1):]...)
	return answer, nil
}

// quieten waits for the silence between frames and throws away what the line
// still brings. After other masters' requests it waits for the answers to them,
// or a timeout. What looked like an answer may have been something else, so the
// slaves owe one in either case: pending is those requests. Seven bytes are
// kept, because more of a request might come.
func (l *line) quieten() (pending [][]byte, err error) {
	bound := time.Now().Add(2*l.timeout + l.onTheWire(maxFrame))
	for {
		until := l.quiet
		foreign, unanswered := l.foreign()
		if unanswered {
			until = later(until, l.heard.Add(l.timeout))
		}
		n, err := l.listen(until)
		switch {
		case err != nil:
			return nil, err
		case n == 0:
			for _, p := range foreign {
				l.owes(p[0], shapeOf(p))
			}
			l.keep(requestFrame - 1)
			return foreign, nil
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

// foreign returns copies of the other masters' requests that were heard, maybe to
// several slaves, and whether one of them seems not to be answered yet. Two
// requests want two answers; while ours had none, the one that came may have
// been to ours.
func (l *line) foreign() (requests [][]byte, unanswered bool) {
	answered := 0
	for i := range l.held {
		request := requestIn(l.held[i:])
		if request == nil || !isRead(request) || bytes.Equal(request, l.sent) {
			continue
		}
		from := max(answered, i+len(request))
		f := find(l.held[from:], request)
		if requests = append(requests, bytes.Clone(request)); l.asked || f.end == 0 {
			unanswered = true
			continue
		}
		answered = from + f.end
	}
	return requests, unanswered
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
