// Package campaign reads from slaves that misbehave, and counts what is believed.
//
// Every register's content is a digest of slave, register and the number of the
// request that it answers, so that any mix-up shows: an answer to another
// request, of another slave, of other registers, or of the same registers but
// earlier. The slaves answer late, in pieces, with the wrong frame, with noise,
// or not at all; another master may use the line. Half of the reads ask the
// slave asked before for as many registers with the same function, which is
// where Modbus RTU cannot tell answers apart.
package campaign

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// A Reader reads registers, two bytes each. [Run] calls it from one goroutine.
type Reader interface {
	Read(ctx context.Context, slave, function byte, address, quantity uint16) ([]byte, error)
	Close() error
}

// Options say what is read, and from what.
type Options struct {
	TCP   bool // Modbus TCP rather than RTU on pseudo-terminals
	Reads int
	Lines int // that are read at the same time, each by a reader of its own
	// Timeout is the reader's patience. An answer that is late comes after 1.05
	// to 3 times this.
	Timeout time.Duration
	// Slack is what the reader waits besides, for an answer of so many
	// registers; nil for nothing.
	Slack func(quantity uint16) time.Duration
	Seed  uint64
	// Open makes the reader of a line: tcp://host:port or rtu:///path.
	Open func(url string) (Reader, error)
	// Progress, where not nil, is called now and then with the reads done.
	Progress func(done int)
}

// A Result is what became of the reads.
type Result struct {
	Reads    int
	Requests int // that reached a slave, flushes and repetitions included
	// Readable are the reads none of whose requests met a fault that left no
	// whole answer in time; those for which no request was sent are among them.
	Readable int
	Good     int // of the readable ones, those that were answered rightly
	Wrong    int // reads that gave registers which are not the request's
	Faults   map[string]int
	Took     time.Duration
	// Mixups says of the first wrong reads whose answer they took.
	Mixups []string
}

// Share is the part of the readable reads that were answered rightly.
func (r Result) Share() float64 { return float64(r.Good) / float64(max(1, r.Readable)) }

// LeastFault is the share of requests that met the rarest kind of fault.
func (r Result) LeastFault() float64 {
	least := r.Requests
	for _, n := range r.Faults {
		least = min(least, n)
	}
	return float64(least) / float64(max(1, r.Requests))
}

func (r *Result) add(other Result) {
	r.Reads += other.Reads
	r.Requests += other.Requests
	r.Readable += other.Readable
	r.Good += other.Good
	r.Wrong += other.Wrong
	r.Mixups = append(r.Mixups, other.Mixups...)
	r.Mixups = r.Mixups[:min(len(r.Mixups), mostMixups)]
	for kind, n := range other.Faults {
		r.Faults[kind] += n
	}
}

// Run carries a campaign out.
func Run(ctx context.Context, o Options) (Result, error) {
	start := time.Now()
	total := Result{Faults: map[string]int{}}
	var mu sync.Mutex
	var group sync.WaitGroup
	var errs []error
	var done atomic.Int64
	for i := range o.Lines {
		group.Go(func() {
			share := o.Reads / o.Lines
			if i < o.Reads%o.Lines {
				share++
			}
			result, err := runLine(ctx, o, uint64(i), share, &done)
			mu.Lock()
			defer mu.Unlock()
			total.add(result)
			errs = append(errs, err)
		})
	}
	group.Wait()
	total.Took = time.Since(start)
	return total, errors.Join(errs...)
}

// progressEvery is how many reads of a line pass between two reports.
const progressEvery = 500

func runLine(ctx context.Context, o Options, number uint64, reads int, done *atomic.Int64) (Result, error) {
	l, err := newLine(o, number)
	if err != nil {
		return Result{}, fmt.Errorf("campaign: %w", err)
	}
	defer l.close()
	reader, err := o.Open(l.url)
	if err != nil {
		return Result{}, fmt.Errorf("campaign: open %s: %w", l.url, err)
	}
	defer func() { _ = reader.Close() }()
	r := Result{Faults: map[string]int{}}
	ask := &asker{chance: rand.New(rand.NewPCG(o.Seed, number))}
	for n := range reads {
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		l.judge(ctx, reader, ask.next(), &r)
		if o.Progress != nil && (n+1)%progressEvery == 0 {
			o.Progress(int(done.Add(progressEvery)))
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Requests = int(l.number)
	maps.Copy(r.Faults, l.faults)
	return r, nil
}

// A question is what a read asks for.
type question struct {
	slave, function   byte
	address, quantity uint16
}

// slaves is how many there are on a line.
const slaves = 8

// An asker makes questions.
type asker struct {
	chance *rand.Rand
	last   question
}

func (a *asker) next() question {
	q := a.last
	if q.slave == 0 || a.chance.IntN(2) == 0 {
		q = question{slave: byte(1 + a.chance.IntN(slaves)), function: byte(3 + a.chance.IntN(2)),
			quantity: uint16(2 + a.chance.IntN(7))}
	}
	q.address = uint16(a.chance.IntN(60000))
	a.last = q
	return q
}

// judge reads once and books how it went.
func (l *line) judge(ctx context.Context, reader Reader, q question, r *Result) {
	l.mu.Lock()
	l.recent = l.recent[:0]
	l.mu.Unlock()
	answer, err := reader.Read(ctx, q.slave, q.function, q.address, q.quantity)
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Reads++
	readable, last := true, (*request)(nil)
	for _, asked := range l.recent {
		if asked.question == q {
			last = asked
		}
		readable = readable && asked.served
	}
	right := err == nil && last != nil && string(answer) == string(content(q, last.number))
	switch {
	case err == nil && !right:
		r.Wrong++
		r.Mixups = append(r.Mixups, l.explain(q, answer))
	case readable && right:
		r.Good++
	}
	if readable {
		r.Readable++
	}
}

// mostMixups bounds how many wrong reads are explained.
const mostMixups = 10

// explain says which answer was taken for that of the read that has ended, by
// trying the latest requests and what another master asked at them.
func (l *line) explain(q question, answer []byte) string {
	whose := "nobody's"
	for _, r := range l.past {
		own, foreign := r.question, r.question
		own.quantity, foreign.quantity = q.quantity, q.quantity
		foreign.address = ^foreign.address
		switch string(answer) {
		case string(content(own, r.number)):
			whose = "that to " + r.String()
		case string(content(own, r.number|1<<31)):
			whose = "a counterfeit of that to " + r.String()
		case string(content(foreign, r.number|1<<31)):
			whose = "another master's, who asked at " + r.String()
		}
	}
	return fmt.Sprintf("%s was given %s; asked were %s", q, whose, l.recent)
}

// content is what the registers of a question hold for a request's number.
func content(q question, number uint32) []byte {
	b := make([]byte, 0, 2*q.quantity)
	for i := range q.quantity {
		x := uint64(q.slave)<<56 | uint64(q.function)<<48 | uint64(q.address+i)<<32 | uint64(number)
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9 // splitmix64, whose every bit depends on every bit
		x = (x ^ x>>27) * 0x94d049bb133111eb
		b = binary.BigEndian.AppendUint16(b, uint16(x^x>>31))
	}
	return b
}
