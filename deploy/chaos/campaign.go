package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ordered sorts kinds by name, so that a seed always deals the same.
func ordered(all []kind) []kind {
	slices.SortFunc(all, func(a, b kind) int { return cmp.Compare(a.name, b.name) })
	return all
}

// campaign runs the system, injects the faults, heals everything and compares.
// Whatever goes amiss once the first fault was injected, what is stored is
// compared all the same, and the outcome has figures beside the error.
func campaign(ctx context.Context, c *commands, dir string, con *console) (o outcome, err error) {
	s, err := newSite(ctx, dir, c.Apart, c.Seed, con.say)
	defer s.stop()
	if err != nil {
		return o, err
	}
	faults := deal(c.Seed, c.Faults, kinds())
	if err := s.prepareHistory(faults); err != nil {
		return o, err
	}
	if err := s.start(ctx); err != nil {
		return o, err
	}
	began := time.Now()
	if err := within(ctx, time.Minute, s.heard); err != nil {
		return o, fmt.Errorf("before the first fault: %w", err)
	}
	con.say("%d gateways read %d meters every %s; full disks are %s", len(s.gateways), len(s.compared()), cycle, s.disks())
	watching, enough := context.WithCancel(ctx)
	go s.report(watching)
	injected, err := s.inject(ctx, faults)
	enough()
	if ctx.Err() != nil {
		return o, ctx.Err()
	}
	con.say("%d faults are over; %d requests were answered instead of influxdb, %d messages of poison", injected, s.store.hits.Load(), s.registrar.thrown.Load())
	until, unsettled := s.settle(ctx)
	if ctx.Err() != nil {
		return o, ctx.Err()
	}
	o, judging := s.judge(ctx, outcome{Bench: "chaos", Seed: c.Seed, Faults: injected}, began, until)
	amiss := errors.Join(err, unsettled, judging)
	o.Met = amiss == nil && o.Missing+o.Wrong+o.Double == 0 && o.Faults >= c.Faults && o.Stored > 0
	return o, amiss
}

func (s *site) disks() string {
	if s.gateways[0].disk.own {
		return "small file systems in memory, filled up"
	}
	return "limits on the length of files, since nothing can be mounted here"
}

// prepareHistory asks for every gateway's history and cuts it into as many parts
// as there are faults that bring one.
func (s *site) prepareHistory(faults []fault) error {
	parts := map[*gateway]int{}
	for _, f := range faults {
		if f.kind.name == historyKind {
			parts[one(f.fresh(), s.gateways)]++
		}
	}
	until := time.Now().Add(-2 * time.Hour)
	for g, n := range parts {
		if err := s.history(g, until, historyStep); err != nil {
			return err
		}
		for i := range n {
			g.pending = append(g.pending, g.chunk(i, n))
		}
	}
	return nil
}

// heard is nil once every gateway's first readings are stored.
func (s *site) heard() error {
	sent := s.recorder.Sent()
	for _, g := range s.gateways {
		if err := zero(g.figures, "xnet_gateway_spool_packs"); err != nil {
			return fmt.Errorf("%s: %w", g.id(), err)
		}
		if sent.Packs[g.ID] == 0 {
			return fmt.Errorf("%s has sent nothing", g.id())
		}
	}
	return nil
}

// report says now and then how much waits.
func (s *site) report(ctx context.Context) {
	for pause(ctx, 10*time.Second) {
		s.say("           %s", s.waiting())
	}
}

func (s *site) waiting() string {
	packs, silent := 0.0, 0
	for _, g := range s.gateways {
		n, err := figure(g.figures, "xnet_gateway_spool_packs")
		if err != nil {
			silent++
		}
		packs += n
	}
	text := fmt.Sprintf("%.0f packs wait in the spools", packs)
	if silent > 0 {
		text += fmt.Sprintf(", %d gateways do not tell", silent)
	}
	return text
}

// drained is nil when nothing waits any more.
func (s *site) drained() error {
	for _, g := range s.gateways {
		if err := zero(g.figures, "xnet_gateway_spool_packs"); err != nil {
			return fmt.Errorf("%s: %w", g.id(), err)
		}
	}
	return nil
}

// rolledUp is nil when no collector has work left.
func (s *site) rolledUp() error {
	for _, c := range s.collects {
		if err := zero(c.figures, "xnet_collector_rollup_pending_meters"); err != nil {
			return fmt.Errorf("%s: %w", c.program.name, err)
		}
	}
	return nil
}

// patience is how long everything may take to be stored once all is healed: a
// pack that was sent in vain several times is sent again after minutes.
const patience = 5 * time.Minute

// settle lets the healed system read for a while, ends the reading, and returns
// when everything is stored and rolled up, or when patience is over, which is an
// error. What meters showed up to the instant returned had to be kept.
func (s *site) settle(ctx context.Context) (until time.Time, err error) {
	pause(ctx, 3*cycle)
	until = time.Now()
	pause(ctx, cycle+busTimeout)
	s.simulator.stop()
	s.say("reading has ended; %s", s.waiting())
	if waiting := within(ctx, patience, s.drained); waiting != nil {
		err = fmt.Errorf("the spools do not empty: %w", waiting)
	}
	err = errors.Join(err, s.lost(), s.replay(ctx))
	for _, g := range s.gateways {
		g.program.stop()
	}
	if rolling := within(ctx, patience, s.rolledUp); rolling != nil {
		err = errors.Join(err, fmt.Errorf("the rollup does not end: %w", rolling))
	}
	if err == nil {
		s.say("everything is stored and rolled up")
	}
	return until, err
}

// lost fails where a gateway says that its spool has lost packs, which none of the
// faults excuses: a full disk refuses readings before they are written, and what a
// kill has torn was not written yet.
func (s *site) lost() (err error) {
	for _, g := range s.gateways {
		for _, name := range []string{"dropped_packs", "damaged_packs"} {
			if lost := zero(g.figures, "xnet_gateway_spool_"+name); lost != nil {
				err = errors.Join(err, fmt.Errorf("%s: %w", g.id(), lost))
			}
		}
	}
	return err
}

// zero is nil when a metric is 0.
func zero(addr, name string) error {
	n, err := figure(addr, name)
	if err == nil && n != 0 {
		err = fmt.Errorf("%s is %v", name, n)
	}
	return err
}

// figure reads one metric without labels of a program.
func figure(addr, name string) (float64, error) {
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get("http://" + addr + "/metrics")
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if number, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			return strconv.ParseFloat(number, 64)
		}
	}
	return 0, fmt.Errorf("%s does not tell %s", addr, name)
}
