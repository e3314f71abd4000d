package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/analysis/residence"
)

// unitGOGC is what the units of the API and of InfluxDB set: memory is given back
// rather than kept. The collector's leaves it as Go has it.
const unitGOGC, plainGOGC = "50", "100"

// asInstalled does what is to be measured of programs that run as their units run
// them.
func asInstalled(measure func() error) (err error) {
	if err := os.Setenv("GOGC", unitGOGC); err != nil { // for those that are started; this one has read it
		return err
	}
	defer func() { err = errors.Join(err, os.Unsetenv("GOGC")) }()
	return measure()
}

// idle measures the three programs at rest: a month after they were installed, and
// when they have all the months that pages look at.
func (c *commands) idle(ctx context.Context) (rows []bench.Row, err error) {
	for _, row := range []struct {
		name   string
		months int
		most   float64 // MB
	}{{"idle-memory", 1, 120}, {"idle-memory-all", 0, 150}} {
		r := bench.Row{Bench: row.name, Unit: "MB"}
		err := asInstalled(func() (err error) {
			r.Ours, r.Note, err = c.rest(ctx, row.months)
			return err
		})
		if err != nil {
			return nil, err
		}
		rows = append(rows, bench.New(r, bench.AtMost(row.most, "MB")))
	}
	return rows, nil
}

// rest returns the MB that the programs hold after a rest, and what each does.
func (c *commands) rest(ctx context.Context, months int) (sum float64, note string, err error) {
	s, err := c.serve(ctx, 1, months)
	if err != nil {
		return 0, "", err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	select {
	case <-ctx.Done():
		return 0, "", ctx.Err()
	case <-time.After(time.Duration(c.Rest) * time.Second):
	}
	var each []string
	for _, p := range s.programs() {
		mb, err := residentMB(p.pid)
		if err != nil {
			return 0, "", err
		}
		sum += mb
		each = append(each, fmt.Sprintf("%s %.0f", p.name, mb))
	}
	return sum, strings.Join(each, ", ") + fmt.Sprintf(" MB resident after %d s of rest", c.Rest), nil
}

// steady measures what the readings of a residence take of a core, each meter's once
// a minute.
func (c *commands) steady(ctx context.Context) (rows []bench.Row, err error) {
	const dwellings, most = 600, 10
	r := bench.Row{Bench: "residence-core", Unit: "% of a core"}
	err = asInstalled(func() (err error) {
		r.Ours, r.Note, err = c.take(ctx, dwellings)
		return err
	})
	if err != nil {
		return nil, err
	}
	return []bench.Row{bench.New(r, bench.AtMost(most, r.Unit))}, nil
}

// take returns the percentage of a core that the programs work while readings come
// in, and what each does.
func (c *commands) take(ctx context.Context, dwellings int) (percent float64, note string, err error) {
	s, err := c.serve(ctx, dwellings, 1)
	if err != nil {
		return 0, "", err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	readings, err := newStream(s.house)
	if err != nil {
		return 0, "", err
	}
	defer readings.client.Disconnect(100)
	before, err := s.worked()
	if err != nil {
		return 0, "", err
	}
	begun := time.Now()
	if err := readings.run(ctx, time.Duration(c.Rest)*time.Second); err != nil {
		return 0, "", err
	}
	took := time.Since(begun)
	after, err := s.worked()
	if err != nil {
		return 0, "", err
	}
	var each []string
	for i, p := range s.programs() {
		share := 100 * (after[i] - before[i]).Seconds() / took.Seconds()
		percent += share
		each = append(each, fmt.Sprintf("%s %.1f", p.name, share))
	}
	return percent, fmt.Sprintf("%s %%, %d meters read once a minute for %.0f s", strings.Join(each, ", "), dwellings*len(residence.Kinds), took.Seconds()), nil
}

// worked is for how long each of the programs has worked.
func (s *server) worked() (times []time.Duration, err error) {
	for _, p := range s.programs() {
		worked, err := residence.Worked(p.pid)
		if err != nil {
			return nil, err
		}
		times = append(times, worked)
	}
	return times, nil
}
