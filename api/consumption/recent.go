package consumption

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A recent keeps what InfluxDB answered about closed periods for a short while, so
// that pages that follow each other ask once. Which meters and days may be asked
// for is decided before, in SQL, at each request: what a household took back is
// not asked for any more, whatever is kept here. What was erased is gone from here
// when its time is over.
type recent struct {
	keep time.Duration

	mu      sync.Mutex
	answers map[question]answered
	held    int // periods in all answers
}

// A question is what was asked: of which meters, and how finely each may be read,
// so that a decision of a household makes it another question.
type question struct {
	period   influx.Period // empty where the last reading is asked for
	meters   string
	from, to int64
}

type answered struct {
	until time.Time
	found answer
	size  int
}

// An answer is what InfluxDB said: of periods, or of last readings.
type answer struct {
	periods map[metering.MeterID][]influx.Consumption
	last    map[metering.MeterID]metering.Reading
}

// mostHeld bounds the memory to some 25 MB.
const mostHeld = 400_000

// Remember makes the reader keep InfluxDB's answers about closed days and months for
// so long, and returns it; a figure is then at most as old. The last reading is
// always asked for, that of a time which is over apart. It must be called before the
// reader is used.
func (r *Reader) Remember(keep time.Duration) *Reader {
	r.recent = &recent{keep: keep, answers: map[question]answered{}}
	return r
}

// consumption asks InfluxDB, or answers as it did a short while ago. What it returns
// must not be changed.
func (r *Reader) consumption(ctx context.Context, p influx.Period, spans []span, ids []metering.MeterID, from, to time.Time) (map[metering.MeterID][]influx.Consumption, error) {
	found, err := r.recall(asked(p, spans, ids, from, to), func() (a answer, err error) {
		a.periods, err = r.influx.Consumption(ctx, p, ids, from, to)
		return a, err
	})
	return found.periods, err
}

// lastBefore returns the last reading of each meter before at, as
// [influx.Client.Before] does. Of a time that is over at now it answers as it did a
// short while ago: readings that come late show as late as those of closed days.
func (r *Reader) lastBefore(ctx context.Context, spans []span, ids []metering.MeterID, at, since, now time.Time) (map[metering.MeterID]metering.Reading, error) {
	ask := func() (a answer, err error) {
		a.last, err = r.influx.Before(ctx, ids, metering.Index, at, since)
		return a, err
	}
	if at.After(now) {
		found, err := ask()
		return found.last, err
	}
	found, err := r.recall(asked("", spans, ids, since, at), ask)
	return found.last, err
}

// recall answers as ask did a short while ago, or asks.
func (r *Reader) recall(q question, ask func() (answer, error)) (answer, error) {
	if r.recent == nil {
		return ask()
	}
	if found, ok := r.recent.find(q); ok {
		return found, nil
	}
	found, err := ask()
	if err == nil {
		r.recent.put(q, found)
	}
	return found, err
}

func asked(p influx.Period, spans []span, ids []metering.MeterID, from, to time.Time) question {
	var names strings.Builder
	for _, id := range ids {
		names.WriteString(string(id))
		for _, s := range spans {
			if s.hanging.Meter.ID == id {
				names.WriteString(" " + string(s.hanging.Meter.Resolution))
			}
		}
		names.WriteByte('\n')
	}
	return question{p, names.String(), from.UnixMilli(), to.UnixMilli()}
}

func (c *recent) find(q question) (answer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.answers[q]
	if !ok || !time.Now().Before(a.until) {
		return answer{}, false
	}
	return a.found, true
}

// put keeps an answer; those that are too old go first, and all where that is not
// enough.
func (c *recent) put(q question, found answer) {
	a := answered{until: time.Now().Add(c.while()), found: found, size: 1 + len(found.last)}
	for _, periods := range found.periods {
		a.size += len(periods)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held+a.size > mostHeld {
		c.sweep()
	}
	if c.held+a.size > mostHeld {
		clear(c.answers)
		c.held = 0
	}
	c.held += a.size - c.answers[q].size
	c.answers[q] = a
}

// while is how long an answer is kept: from half of keep to all of it, by lot, so that
// what many people asked for at once is not asked for at once again.
func (c *recent) while() time.Duration { return c.keep/2 + rand.N(c.keep/2+1) }

func (c *recent) sweep() {
	now := time.Now()
	for q, a := range c.answers {
		if !now.Before(a.until) {
			c.held -= a.size
			delete(c.answers, q)
		}
	}
}

// Forget drops all that is kept: whatever was decided is seen by the next request.
func (r *Reader) Forget() {
	if r.recent == nil {
		return
	}
	r.recent.mu.Lock()
	defer r.recent.mu.Unlock()
	clear(r.recent.answers)
	r.recent.held = 0
}
