package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

const (
	pollEach                   = 10 * time.Minute
	modulus    metering.Amount = 1_000_000_000 // mL: a register of a million litres
	maxPerHour metering.Amount = 3_000_000
	mostStep                   = 5_000 // mL drawn between two polls
)

// A life is what a register shows poll by poll while water is drawn, and what
// happens to it.
type life struct {
	of    string            // the event
	first metering.Amount   // the index at the first poll
	step  []metering.Amount // drawn before each poll; none before the first
	shown []metering.Amount // at each poll; below zero: it did not answer
	swap  int               // from which poll on another meter is read; 0: none
}

// truth is what was drawn between the first and the last poll.
func (l life) truth() (sum metering.Amount) {
	for _, s := range l.step {
		sum += s
	}
	return sum
}

// newLife draws water and lets the register count it, without an event yet.
func newLife(of string, polls int, chance *rand.Rand) life {
	l := life{of: of, step: make([]metering.Amount, polls), shown: make([]metering.Amount, polls)}
	l.first = modulus/5 + metering.Amount(chance.Int64N(int64(modulus*3/5)))
	if of == "rollover" {
		l.first = modulus - metering.Amount(polls*mostStep/4)
	}
	index := l.first
	for n := range polls {
		if n > 0 && chance.IntN(3) > 0 {
			l.step[n] = metering.Amount(chance.IntN(mostStep))
		}
		index += l.step[n]
		l.shown[n] = index % modulus
	}
	return l
}

// events are what may happen to an index from a poll on, for some polls: each
// changes what is shown and nothing of what was drawn.
var events = []struct {
	name   string
	change func(l *life, from, polls int, chance *rand.Rand)
}{
	{"none", func(*life, int, int, *rand.Rand) {}},
	{"rollover", func(*life, int, int, *rand.Rand) {}}, // see newLife
	{"glitch to zero", func(l *life, from, _ int, _ *rand.Rand) { l.shown[from] = 0 }},
	{"glitch below", func(l *life, from, _ int, chance *rand.Rand) {
		l.shown[from] = metering.Amount(chance.Int64N(int64(l.shown[from])))
	}},
	{"spike", func(l *life, from, _ int, chance *rand.Rand) {
		l.shown[from] += mostStep*2 + metering.Amount(chance.Int64N(int64(modulus-l.shown[from]-mostStep*2)))
	}},
	{"reverse flow that comes again", func(l *life, from, polls int, _ *rand.Rand) {
		for n := from; n < from+polls; n++ {
			l.shown[n] = l.shown[from-1] - metering.Amount(n-from+1)*50
		}
	}},
	{"reset to zero", func(l *life, from, _ int, _ *rand.Rand) { l.shift(from, -l.shown[from]) }},
	{"jump", func(l *life, from, _ int, _ *rand.Rand) { l.shift(from, modulus/7) }},
	{"stuck, then right again", func(l *life, from, polls int, _ *rand.Rand) {
		for n := from; n < from+polls; n++ {
			l.shown[n] = l.shown[from]
		}
	}},
	{"stuck", func(l *life, from, _ int, _ *rand.Rand) { l.hold(from, l.shown[from]) }},
	{"gap", func(l *life, from, polls int, _ *rand.Rand) {
		for n := from; n < from+polls; n++ {
			l.shown[n] = -1
		}
	}},
	{"replacement", func(l *life, from, _ int, _ *rand.Rand) {
		l.swap = from
		l.shift(from, 4_321-l.shown[from])
	}},
}

// shift adds to all that is shown from a poll on.
func (l *life) shift(from int, by metering.Amount) {
	for n := from; n < len(l.shown); n++ {
		l.shown[n] = (l.shown[n] + by + modulus) % modulus
	}
}

func (l *life) hold(from int, at metering.Amount) {
	for n := from; n < len(l.shown); n++ {
		l.shown[n] = at
	}
}

// lives lets every event happen so many times, at random polls.
func lives(seed uint64, polls, times int) (all []life) {
	for kind, e := range events {
		for i := range times {
			chance := rand.New(rand.NewPCG(seed, uint64(polls)<<32|uint64(kind)<<16|uint64(i)))
			l := newLife(e.name, polls, chance)
			e.change(&l, 12+chance.IntN(polls-72), 1+chance.IntN(36), chance)
			all = append(all, l)
		}
	}
	return all
}

// ids are the meters of the n-th life.
func ids(prefix string, n int) (first, second metering.MeterID) {
	return metering.MeterID(fmt.Sprintf("%s-%04d", prefix, n)), metering.MeterID(fmt.Sprintf("%s-%04d-new", prefix, n))
}

// readings are what the gateway read of the n-th life from an instant on, and the
// meters it read.
func (l life) readings(prefix string, n int, from time.Time) (rs []metering.Reading, meters []wire.RegistryMeter) {
	first, second := ids(prefix, n)
	m := wire.RegistryMeter{Meter: first, Gateway: "gw", Kind: metering.ColdWater, IndexModulus: modulus, MaxPerHour: maxPerHour,
		IntervalS: int64(pollEach / time.Second), Resolution: metering.Fine, FromMs: from.UnixMilli()}
	meters = append(meters, m)
	for i, shown := range l.shown {
		if l.swap > 0 && i == l.swap {
			m.Meter, m.FromMs = second, from.Add(time.Duration(i)*pollEach).UnixMilli()
			meters[0].ToMs = m.FromMs
			meters = append(meters, m)
		}
		if shown >= 0 {
			rs = append(rs, metering.Reading{Meter: m.Meter, Quantity: metering.Index, At: from.Add(time.Duration(i) * pollEach).UTC(), Amount: shown})
		}
	}
	return rs, meters
}
