package influx

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Period is the length of the periods of a bucket of consumption.
type Period string

// The periods. Hours are UTC hours; days and months are those of the
// residence's zone.
const (
	Hourly  Period = "hourly"
	Daily   Period = "daily"
	Monthly Period = "monthly"
)

// Periods lists every period, the shortest first.
var Periods = []Period{Hourly, Daily, Monthly}

func (p Period) bucket() (bucket, error) {
	switch p {
	case Hourly:
		return hourlyBucket, nil
	case Daily:
		return dailyBucket, nil
	case Monthly:
		return monthlyBucket, nil
	default:
		return bucket{}, fmt.Errorf("unknown period %q, known are %v", string(p), Periods)
	}
}

// Consumption is what one meter counted in one period.
type Consumption struct {
	Meter metering.MeterID
	Start time.Time // of the period, in UTC
	// Index is the index at the end of the period. It is continuous: it goes on
	// over rollovers of the register.
	Index metering.Amount
	// Used is what was counted between the period's two boundary indexes.
	Used    metering.Amount
	Quality metering.Quality // the worse of the two boundaries
}

// Fields of the measurement consumption.
const (
	fieldIndex   = "index"
	fieldUsed    = "used"
	fieldQuality = "quality"
)

var allFields = []string{fieldIndex, fieldUsed, fieldQuality}

// Consumption returns the periods of meters that start within [from, to), in
// order of time. A meter without periods is absent. It fails with
// [ErrTemporary].
func (c *Client) Consumption(ctx context.Context, p Period, meters []metering.MeterID, from, to time.Time) (map[metering.MeterID][]Consumption, error) {
	return c.consumption(ctx, p, allFields, meters, from, to, every)
}

// Indexes returns of the same periods the meter, the start and the index only,
// for less than half the cost.
func (c *Client) Indexes(ctx context.Context, p Period, meters []metering.MeterID, from, to time.Time) (map[metering.MeterID][]Consumption, error) {
	return c.consumption(ctx, p, allFields[:1], meters, from, to, every)
}

// LastConsumption returns the last period of each meter that starts within
// [from, to). A meter without one is absent. It fails with [ErrTemporary].
func (c *Client) LastConsumption(ctx context.Context, p Period, meters []metering.MeterID, from, to time.Time) (map[metering.MeterID]Consumption, error) {
	b, err := p.bucket()
	if err != nil {
		return nil, err
	}
	latest := make(map[metering.MeterID]Consumption, len(meters))
	for _, w := range windowsBack(b, to, from) {
		found, err := c.consumption(ctx, p, allFields, without(meters, latest), w.from, w.to, last)
		if err != nil {
			return nil, err
		}
		for m, cs := range found {
			latest[m] = cs[len(cs)-1]
		}
	}
	return latest, nil
}

func (c *Client) consumption(ctx context.Context, p Period, fields []string, meters []metering.MeterID, from, to time.Time, which pick) (map[metering.MeterID][]Consumption, error) {
	b, err := p.bucket()
	if err != nil {
		return nil, err
	}
	q := pointQuery{from: from, to: to, measurement: consumptionMeasurement, fields: fields,
		meters: meters, pick: which}
	found := make(map[metering.MeterID]*periods, len(meters))
	err = c.query(ctx, b, q, func(r *run) {
		if found[r.meter] == nil {
			found[r.meter] = &periods{meter: r.meter}
		}
		found[r.meter].add(r)
	})
	if err != nil {
		return nil, fmt.Errorf("%s consumption of %d meters: %w", p, len(meters), err)
	}
	listed := make(map[metering.MeterID][]Consumption, len(found))
	for m, ps := range found {
		listed[m] = ps.list
	}
	return listed, nil
}

// periods joins the fields of one meter, which arrive one after the other, each
// in order of time. The three are written as one point, so that the place where
// the last row went tells where the next goes.
type periods struct {
	meter metering.MeterID
	list  []Consumption
	next  int
}

func (p *periods) add(r *run) {
	for _, at := range r.points {
		start := time.UnixMilli(at.ms).UTC()
		if p.next >= len(p.list) || !p.list[p.next].Start.Equal(start) {
			p.next = p.place(start)
		}
		c := &p.list[p.next]
		p.next++
		switch r.field {
		case fieldIndex:
			c.Index = metering.Amount(at.n)
		case fieldUsed:
			c.Used = metering.Amount(at.n)
		case fieldQuality:
			c.Quality = metering.Quality(at.n)
		}
	}
}

// place returns where the period that starts at at stands, inserting it where it
// is new.
func (p *periods) place(at time.Time) int {
	i, found := slices.BinarySearchFunc(p.list, at, func(c Consumption, at time.Time) int { return c.Start.Compare(at) })
	if !found {
		p.list = slices.Insert(p.list, i, Consumption{Meter: p.meter, Start: at})
	}
	return i
}
