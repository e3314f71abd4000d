package consumption

import (
	"context"
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
	period   influx.Period
	meters   string
	from, to int64
}

type answered struct {
	until   time.Time
	periods map[metering.MeterID][]influx.Consumption
	size    int
}

// mostHeld bounds the memory to some 25 MB.
const mostHeld = 400_000

// Remember makes the reader keep InfluxDB's answers about closed days and months for
// so long, and returns it; a figure is then at most as old. The last reading is
// always asked for. It must be called before the reader is used.
func (r *Reader) Remember(keep time.Duration) *Reader {
	r.recent = &recent{keep: keep, answers: map[question]answered{}}
	return r
}

// consumption asks InfluxDB, or answers as it did a short while ago. What it returns
// must not be changed.
func (r *Reader) consumption(ctx context.Context, p influx.Period, spans []span, ids []metering.MeterID, from, to time.Time) (map[metering.MeterID][]influx.Consumption, error) {
	if r.recent == nil {
		return r.influx.Consumption(ctx, p, ids, from, to)
	}
	q := asked(p, spans, ids, from, to)
	if found, ok := r.recent.find(q); ok {
		return found, nil
	}
	found, err := r.influx.Consumption(ctx, p, ids, from, to)
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

func (c *recent) find(q question) (map[metering.MeterID][]influx.Consumption, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.answers[q]
	if !ok || !time.Now().Before(a.until) {
		return nil, false
	}
	return a.periods, true
}

// put keeps an answer; those that are too old go first, and all where that is not
// enough.
func (c *recent) put(q question, found map[metering.MeterID][]influx.Consumption) {
	a := answered{until: time.Now().Add(c.keep), periods: found, size: 1}
	for _, periods := range found {
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
