package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/analysis/residence"
	"github.com/xnetroseraie/xnet/deploy/bench/paced"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// Goals of the row.
const (
	mostPageMs  = 200
	mostGrowthS = 1 // by which packs may wait longer at the end than at the begin
)

// mostPerPack is how many readings a pack has at most: a gateway of fifty dwellings.
const mostPerPack = 150

const spool = wire.SpoolID("load")

// A stream sends readings and hears when they are stored.
type stream struct {
	house  *residence.House
	client mqtt.Client
	topic  string

	mu     sync.Mutex
	sent   map[wire.Seq]time.Time
	waited []time.Duration // until stored, in the order of sending
	order  map[wire.Seq]int
	first  error
}

func newStream(h *residence.House) (*stream, error) {
	s := &stream{house: h, sent: map[wire.Seq]time.Time{}, order: map[wire.Seq]int{},
		topic: fmt.Sprintf("xnet/v1/%s/gw/", h.Site())}
	s.client = mqtt.NewClient(mqtt.NewClientOptions().AddBroker(h.BrokerURL()).SetClientID("load"))
	if token := s.client.Connect(); !token.WaitTimeout(time.Minute) || token.Error() != nil {
		return nil, fmt.Errorf("connect to the broker: %w", token.Error())
	}
	token := s.client.Subscribe(s.topic+"stored", 1, func(_ mqtt.Client, m mqtt.Message) { s.heard(m.Payload()) })
	if !token.WaitTimeout(time.Minute) || token.Error() != nil {
		return nil, fmt.Errorf("subscribe: %w", token.Error())
	}
	return s, nil
}

// heard notes for how long packs have waited.
func (s *stream) heard(payload []byte) {
	stored, err := wire.DecodeStored(payload)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(stored.Refused) > 0 {
		err = fmt.Errorf("pack %d is refused: %s", stored.Refused[0].Seq, stored.Refused[0].Reason)
	}
	s.first = errors.Join(s.first, err)
	for _, seq := range stored.Stored {
		if at, ok := s.sent[seq]; ok {
			s.waited[s.order[seq]] = time.Since(at)
			delete(s.sent, seq)
		}
	}
}

// send publishes a pack with the readings of some meters at an instant.
func (s *stream) send(seq wire.Seq, meters []int, at time.Time) error {
	pack := wire.Pack{Spool: spool, Seq: seq}
	for _, m := range meters {
		dwelling, kind := m/len(residence.Kinds), residence.Kinds[m%len(residence.Kinds)]
		pack.Readings = append(pack.Readings, wire.UnitReading{Unit: kind.IndexUnit(), Reading: metering.Reading{
			Meter: residence.Meter(kind, dwelling), Quantity: metering.Index, At: at, Amount: s.house.Index(dwelling, at)}})
	}
	payload, err := wire.AppendPack(nil, pack)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.sent[seq], s.order[seq] = time.Now(), len(s.waited)
	s.waited = append(s.waited, 0)
	s.mu.Unlock()
	token := s.client.Publish(s.topic+"readings", 1, false, payload)
	if !token.WaitTimeout(time.Minute) {
		return errors.New("the broker does not take a pack")
	}
	return token.Error()
}

// run sends every meter's index once a minute, evenly, and returns when all packs
// are stored.
func (s *stream) run(ctx context.Context, span time.Duration) error {
	meters := s.house.Dwellings * len(residence.Kinds)
	rate := (meters + 60*mostPerPack - 1) / (60 * mostPerPack) // packs a second
	packs := 60 * rate
	perPack := (meters + packs - 1) / packs
	tally := paced.Run(ctx, rate, span, func(n int) error {
		var some []int
		for m := n % packs * perPack; m < min(meters, (n%packs+1)*perPack); m++ {
			some = append(some, m)
		}
		if len(some) == 0 {
			return nil
		}
		return s.send(wire.Seq(n+1), some, time.Now())
	})
	if tally.First != nil {
		return tally.First
	}
	return bench.Within(ctx, 2*time.Minute, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.first != nil || len(s.sent) > 0 {
			return errors.Join(s.first, fmt.Errorf("%d packs are not stored", len(s.sent)))
		}
		return nil
	})
}

// lag returns the seconds within which 99 of 100 packs of the first and of the
// last third were stored.
func (s *stream) lag() (first, last float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	third := len(s.waited) / 3
	return slowest(s.waited[:third]), slowest(s.waited[len(s.waited)-third:])
}

func slowest(waited []time.Duration) float64 {
	sorted := slices.Sorted(slices.Values(waited))
	return paced.Tally{Times: sorted}.Quantile(0.99) / 1000
}

// load asks for pages while the readings of a large landlord come in.
func (c *commands) load(ctx context.Context) (rows []bench.Row, err error) {
	fmt.Fprintf(c.stderr, "  %d dwellings with %d months are written first\n", c.Dwellings, 13)
	server, err := c.serve(ctx, c.Dwellings, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.end()) }()
	people, err := server.house.Visitors(ctx, min(c.People, c.Dwellings))
	if err != nil {
		return nil, err
	}
	s, err := newStream(server.house)
	if err != nil {
		return nil, err
	}
	defer s.client.Disconnect(100)
	span := time.Duration(c.Minutes) * time.Minute
	fmt.Fprintf(c.stderr, "  %d tenants are signed in; the load lasts %s\n", len(people), span)
	sending := make(chan error, 1)
	go func() { sending <- s.run(ctx, span) }()
	pages := paced.Run(ctx, c.Rate, span, func(n int) error { _, err := people[n*7919%len(people)].Home(ctx); return err })
	if err := <-sending; err != nil {
		return nil, err
	}
	return []bench.Row{c.row(s, pages)}, ctx.Err()
}

func (c *commands) row(s *stream, pages paced.Tally) bench.Row {
	first, last := s.lag()
	fine := func(r bench.Row) bool {
		return r.Ours < mostPageMs && pages.Errors == 0 && last-first <= mostGrowthS && c.Dwellings >= 10_000 && c.Minutes >= 15
	}
	return bench.New(bench.Row{Bench: "load-10000", Ours: pages.Quantile(0.99), Unit: "ms",
		Note: fmt.Sprintf("99 of 100 of %d pages, %d a second, half within %.1f ms, %d errors, beside %d meters read once a minute for %d minutes; "+
			"99 of 100 packs stored within %.2f s in the first third and %.2f s in the last",
			len(pages.Times), c.Rate, pages.Quantile(0.5), pages.Errors, c.Dwellings*len(residence.Kinds), c.Minutes, first, last)},
		bench.All(fmt.Sprintf("less than %d ms, no errors, no growing lag, 10000 dwellings, 15 minutes", mostPageMs), fine))
}
