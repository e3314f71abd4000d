package campaign

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
)

// faultRate is the share of requests that meet each kind of fault.
const faultRate = 0.0125

// A kind of fault.
type kind struct {
	name string
	play func(ctx context.Context, l *line, r *request)
	lost bool // no whole right answer comes in time
}

// What may happen to a request, on either framing.
var (
	bothKinds = []kind{
		{"late answer", late, true},
		{"split answer", splitAnswer, false},
		{"silence", func(context.Context, *line, *request) {}, true},
		{"short frame", short, true},
		{"split exception", splitException, true},
		{"illegal address", func(_ context.Context, l *line, r *request) { l.send(r, r.slave, refusal(r.question, 2)) }, true},
		{"busy", func(_ context.Context, l *line, r *request) { l.send(r, r.slave, refusal(r.question, 6)) }, true},
		{"other slave instead", otherInstead, true},
		{"other slave before", otherBefore, false},
		{"other function", otherFunction, true},
		{"fewer registers", fewer, true},
	}
	rtuKinds = append([]kind{
		{"noise before", noiseBefore, false},
		{"noise inside", noiseInside, true},
		{"second master before", masterBefore, true},
		{"second master after", masterAfter, false},
	}, bothKinds...)
	tcpKinds = append([]kind{
		{"closed in the middle", closedInTheMiddle, true},
		{"no Modbus at all", noModbus, true},
		{"old transaction before", oldTransaction, false},
	}, bothKinds...)
)

func (l *line) right(r *request) []byte {
	return l.frames.encode(r, r.slave, pdu(r.question, r.number))
}

func (l *line) send(r *request, slave byte, pdu []byte) {
	_, _ = r.out.Write(l.frames.encode(r, slave, pdu))
}

func answer(_ context.Context, l *line, r *request) {
	l.served(r) // before the write: the reader may be back before this goroutine
	_, _ = r.out.Write(l.right(r))
}

func late(ctx context.Context, l *line, r *request) {
	patience := l.patience(r)
	pause(ctx, l.between(patience*105/100, 3*patience))
	_, _ = r.out.Write(l.right(r))
}

// split writes b in two pieces, with a pause within the reader's patience.
func (l *line) split(ctx context.Context, r *request, b []byte) {
	cut := 1 + l.intN(len(b)-1)
	_, _ = r.out.Write(b[:cut])
	pause(ctx, l.between(0, l.options.Timeout/4))
	_, _ = r.out.Write(b[cut:])
}

func splitAnswer(ctx context.Context, l *line, r *request) {
	l.served(r)
	l.split(ctx, r, l.right(r))
}

func splitException(ctx context.Context, l *line, r *request) {
	l.split(ctx, r, l.frames.encode(r, r.slave, refusal(r.question, 2)))
}

func short(_ context.Context, l *line, r *request) {
	b := l.right(r)
	_, _ = r.out.Write(b[:1+l.intN(len(b)-1)])
}

// otherInstead is an answer in the name of a slave that was not asked. It comes
// at once: later it would be an answer to nothing at all.
func otherInstead(_ context.Context, l *line, r *request) {
	if time.Since(r.received) > l.options.Timeout/2 {
		return // the machine is slow today
	}
	l.send(r, r.slave%slaves+1, pdu(r.question, r.number|1<<31))
}

func otherBefore(ctx context.Context, l *line, r *request) {
	if l.options.TCP { // a frame of the same transaction ends it: another one's then
		oldTransaction(ctx, l, r)
		return
	}
	otherInstead(ctx, l, r)
	answer(ctx, l, r)
}

func otherFunction(_ context.Context, l *line, r *request) {
	q := r.question
	q.function = 7 - q.function // 3 for 4, 4 for 3
	if r.function <= 2 {
		q.function = 3 - r.function
	}
	l.send(r, r.slave, pdu(q, r.number|1<<31))
}

func fewer(_ context.Context, l *line, r *request) {
	q := r.question
	if q.quantity < 2 {
		return // silence: there are no fewer
	}
	q.quantity--
	l.send(r, r.slave, pdu(q, r.number|1<<31))
}

func noiseBefore(ctx context.Context, l *line, r *request) {
	noise := make([]byte, 1+l.intN(6))
	for i := range noise {
		noise[i] = byte(l.intN(256))
	}
	_, _ = r.out.Write(noise)
	answer(ctx, l, r)
}

// noiseInside damages up to 16 bits in a row, which a checksum of 16 bits always
// sees.
func noiseInside(_ context.Context, l *line, r *request) {
	b := l.right(r)
	at := l.intN(len(b) - 1)
	burst := uint16(1 + l.intN(65535))
	binary.BigEndian.PutUint16(b[at:], binary.BigEndian.Uint16(b[at:])^burst)
	_, _ = r.out.Write(b)
}

// foreign returns another master's request for the same slave, function and
// number of registers, and what it looks like on the line.
func foreign(r *request) (other *request, frame []byte) {
	q := r.question
	q.address = ^q.address
	b := []byte{q.slave, q.function}
	b = binary.BigEndian.AppendUint16(b, q.address)
	b = binary.BigEndian.AppendUint16(b, q.quantity)
	return &request{question: q, number: r.number | 1<<31, out: r.out, received: time.Now()},
		binary.LittleEndian.AppendUint16(b, slave.CRC(b))
}

// masterBefore has the slave answer the other master first.
func masterBefore(ctx context.Context, l *line, r *request) {
	other, frame := foreign(r)
	_, _ = r.out.Write(frame)
	pause(ctx, l.between(time.Microsecond, l.options.Timeout/4))
	_, _ = r.out.Write(l.right(other))
	pause(ctx, l.between(time.Microsecond, l.options.Timeout/4))
	_, _ = r.out.Write(l.right(r))
}

// masterAfter has the other master ask at any moment after the answer: before,
// within or after the next exchange. The slave answers him in his turn, even
// late.
func masterAfter(ctx context.Context, l *line, r *request) {
	answer(ctx, l, r)
	l.ended.Go(func() {
		pause(ctx, l.between(time.Microsecond, l.options.Timeout/2))
		l.spoil(r.slave)
		other, frame := foreign(r)
		heard := make(chan struct{})
		other.fault.play = func(ctx context.Context, l *line, r *request) {
			<-heard
			answerForeign(ctx, l, r)
		}
		l.queues[r.slave] <- other // the slave hears it no later than the reader
		_, _ = r.out.Write(frame)
		close(heard)
	})
}

func answerForeign(ctx context.Context, l *line, r *request) {
	pause(ctx, l.between(time.Microsecond, l.options.Timeout*5/4))
	l.spoil(r.slave)
	_, _ = r.out.Write(l.right(r))
}

func closedInTheMiddle(_ context.Context, l *line, r *request) {
	b := l.right(r)
	_, _ = r.out.Write(b[:1+l.intN(len(b)-1)])
	if w, ok := r.out.(*locked); ok && w.closer != nil {
		_ = w.closer.Close()
	}
}

func noModbus(_ context.Context, _ *line, r *request) {
	_, _ = r.out.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
}

func oldTransaction(ctx context.Context, l *line, r *request) {
	old := *r
	old.header[1]--
	l.send(&old, r.slave, pdu(r.question, r.number|1<<31))
	answer(ctx, l, r)
}
