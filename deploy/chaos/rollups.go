package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// rollups computes all hours, days and months anew, from nothing but the stored
// readings and in buckets of their own, and returns how many periods differ.
func (s *site) rollups(ctx context.Context, stored []metering.Reading) (differences int, err error) {
	fresh, err := s.open("scratch")
	if err != nil {
		return 0, err
	}
	defer fresh.Close()
	if err := fresh.SetUp(ctx); err != nil {
		return 0, err
	}
	if err := fresh.WriteReadings(ctx, stored); err != nil {
		return 0, err
	}
	from := s.residence.Epoch
	to := time.Now().UTC().AddDate(0, 0, 1)
	said, err := s.once("rollup-from-scratch", s.bin("collector"), "rollup", "--config", s.scratch(),
		"--from", from.String(), "--to", to.Format(time.DateOnly))
	if err != nil {
		return 0, err
	}
	s.say("computed from scratch: %s", strings.TrimSpace(said))
	kept, err := s.open("xnet")
	if err != nil {
		return 0, err
	}
	defer kept.Close()
	periods := 0
	for _, p := range influx.Periods {
		n, d, err := s.differ(ctx, p, kept, fresh)
		if err != nil {
			return 0, err
		}
		periods, differences = periods+n, differences+d
	}
	s.say("hours, days and months: %d, of which %d differ from those computed from scratch", periods, differences)
	if periods == 0 {
		return differences, errors.New("no hour, day or month was rolled up, so that nothing is shown of them: inject more faults, some bring old readings")
	}
	return differences, nil
}

const mostShown = 10

// differ compares one kind of periods of two stores.
func (s *site) differ(ctx context.Context, p influx.Period, kept, fresh *influx.Client) (periods, differences int, err error) {
	from, to := time.Unix(0, 0), time.Now().AddDate(1, 0, 0)
	ours, err := kept.Consumption(ctx, p, s.meters(), from, to)
	if err != nil {
		return 0, 0, err
	}
	theirs, err := fresh.Consumption(ctx, p, s.meters(), from, to)
	if err != nil {
		return 0, 0, err
	}
	differ := func(what string) {
		if differences++; differences <= mostShown {
			s.say("  %s", what)
		}
	}
	for _, m := range s.meters() {
		want := map[time.Time]influx.Consumption{}
		for _, c := range theirs[m] {
			want[c.Start] = c
		}
		for _, c := range ours[m] {
			periods++
			w, known := want[c.Start]
			delete(want, c.Start)
			if !known {
				differ(fmt.Sprintf("%s period of %s at %s is kept, and has no ground", p, m, c.Start.Format(time.RFC3339)))
			} else if w != c {
				differ(fmt.Sprintf("%s period of %s at %s is kept as %d, %d, %v, from scratch it is %d, %d, %v", p, m, c.Start.Format(time.RFC3339),
					c.Index, c.Used, c.Quality, w.Index, w.Used, w.Quality))
			}
		}
		for start := range want {
			differ(fmt.Sprintf("%s period of %s at %s is not kept", p, m, start.Format(time.RFC3339)))
		}
	}
	return periods, differences, nil
}
