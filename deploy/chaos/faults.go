package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/xnetroseraie/xnet/deploy/chaos/ledger"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const historyKind = "gateway killed, history brought"

// kinds lists every kind of fault.
func kinds() []kind {
	all := []kind{
		{"gateway killed", killGateway},
		{historyKind, bringHistory},
		{historyKind, bringHistory}, // twice as often: late readings are what rollups suffer from
		{"broker killed", killBroker},
		{"broker wiped", wipeBroker},
		{"collector killed", killCollector},
		{"influxdb killed", killInflux},
		{"disk full", fillDisk},
		{"clock stepped", stepClock},
		{"poison", throwPoison},
	}
	for name, pick := range map[string]func(*site, *rand.Rand) *road{
		"gateway to broker":     func(s *site, c *rand.Rand) *road { return one(c, s.gateways).road },
		"collector to broker":   func(s *site, c *rand.Rand) *road { return one(c, s.collects).toBroker },
		"collector to influxdb": func(s *site, c *rand.Rand) *road { return one(c, s.collects).toInflux },
	} {
		all = append(all, onRoad(name, "cut", pick, (*road).cut), onRoad(name, "slow", pick, (*road).slow),
			onRoad(name, "swallowed", pick, func(r *road) (func() error, error) { return r.swallow("upstream", "downstream") }),
			onRoad(name, "answers swallowed", pick, func(r *road) (func() error, error) { return r.swallow("downstream") }))
	}
	for _, how := range answers {
		all = append(all, kind{"influxdb " + how, answering(how)})
	}
	return ordered(all)
}

func one[T any](chance *rand.Rand, among []T) T { return among[chance.IntN(len(among))] }

// onRoad makes a kind of fault of what can befall a road.
func onRoad(between, how string, pick func(*site, *rand.Rand) *road, befall func(*road) (func() error, error)) kind {
	return kind{between + " " + how, func(s *site, chance *rand.Rand) injection {
		r := pick(s, chance)
		return injection{r.name + ": " + how, r.name, func() (func() error, error) { return befall(r) }}
	}}
}

func answering(how string) func(*site, *rand.Rand) injection {
	return func(s *site, chance *rand.Rand) injection {
		what, meter := "influxdb answers "+how, metering.MeterID("")
		switch how {
		case answerPartial:
			meter = one(chance, s.residence.Meters()).ID
			what += fmt.Sprintf(" to writes of %s", meter)
		case answerHang, answerKeptHang:
			what = "influxdb " + how
		}
		return injection{what, "answers", func() (func() error, error) { return s.store.answerWith(how, meter), nil }}
	}
}

func killGateway(s *site, chance *rand.Rand) injection {
	g := one(chance, s.gateways)
	return injection{g.id() + ": kill -9", g.id(), func() (func() error, error) {
		g.die()
		return g.program.start, nil
	}}
}

func (g *gateway) die() {
	from, gone := g.program.kill()
	g.kills = append(g.kills, ledger.Kill{Gateway: g.ID, From: from, Gone: gone})
}

// bringHistory kills a gateway and imports a part of what its meters showed
// before the campaign, which comes late and out of order.
func bringHistory(s *site, chance *rand.Rand) injection {
	g := one(chance, s.gateways)
	return injection{g.id() + ": kill -9, old readings imported", g.id(), func() (func() error, error) {
		g.die()
		rows := g.pending[0]
		g.pending = g.pending[1:]
		return g.program.start, s.bring(g, rows)
	}}
}

func killBroker(s *site, _ *rand.Rand) injection {
	return injection{"broker: kill -9", "broker", func() (func() error, error) {
		s.broker.kill()
		return s.broker.start, nil
	}}
}

func wipeBroker(s *site, _ *rand.Rand) injection {
	return injection{"broker: kill -9, its data wiped", "broker", func() (func() error, error) {
		s.broker.kill()
		folder := s.path("broker")
		if err := os.RemoveAll(folder); err != nil {
			return s.broker.start, err
		}
		return s.broker.start, os.Mkdir(folder, 0o755)
	}}
}

func killCollector(s *site, chance *rand.Rand) injection {
	c := one(chance, s.collects)
	return injection{c.program.name + ": kill -9", c.program.name, func() (func() error, error) {
		c.program.kill()
		return c.program.start, nil
	}}
}

func killInflux(s *site, _ *rand.Rand) injection {
	return injection{"influxdb: kill -9", "influxdb", func() (func() error, error) {
		s.influxd.kill()
		return s.influxd.start, nil
	}}
}

func fillDisk(s *site, chance *rand.Rand) injection {
	g := one(chance, s.gateways)
	return injection{g.id() + ": no room under the spool", g.id(), func() (func() error, error) {
		full := span{from: time.Now()}
		pid := g.program.pid()
		heal := func() error {
			err := g.disk.empty(pid)
			full.to = time.Now()
			g.full = append(g.full, full)
			return err
		}
		return heal, g.disk.fill(pid)
	}}
}

// farthest is by how much a clock steps at most.
const farthest = 12 * time.Second

func stepClock(s *site, chance *rand.Rand) injection {
	g := one(chance, s.gateways)
	offset := time.Second + time.Duration(chance.Int64N(int64(farthest))).Truncate(time.Millisecond)
	if chance.IntN(2) == 0 {
		offset = -offset
	}
	return injection{fmt.Sprintf("%s: clock steps by %s and back", g.id(), offset), g.id(), func() (func() error, error) {
		return func() error { return g.clock.set(0) }, g.clock.set(offset)
	}}
}

func throwPoison(s *site, chance *rand.Rand) injection {
	g, m := one(chance, s.gateways), one(chance, s.residence.Meters())
	all := poisons(chance, s.residence.SiteID, g.ID, m.ID)
	chance.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return injection{fmt.Sprintf("poison: %s, %s, %s", all[0].what, all[1].what, all[2].what), "poison", func() (func() error, error) {
		for _, p := range all[:3] {
			s.registrar.throw(p.topic, p.load)
		}
		return nil, nil
	}}
}
