package poll

import (
	"context"
	"errors"
	"fmt"
	"sync"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A Group is the pollers of all buses. Make it with [NewGroup] and call Run
// once; Reload and Report may be called at any time, from any goroutine.
type Group struct {
	options Options

	mu      sync.Mutex
	members []*member
	start   func(*member) // nil while Run does not run
	ended   sync.WaitGroup
}

// A member is the poller of one line, which its URL names.
type member struct {
	url    string
	poller *Poller
	cancel context.CancelFunc
	done   chan struct{}
}

// NewGroup plans the requests of all buses. It opens no port.
func NewGroup(buses []firmwareconfig.Bus, o Options) (*Group, error) {
	g := &Group{options: o}
	return g, g.Reload(buses)
}

// Run polls all buses until ctx ends, those of later configurations included.
func (g *Group) Run(ctx context.Context) error {
	g.mu.Lock()
	g.start = func(m *member) {
		ctx, cancel := context.WithCancel(ctx)
		m.cancel, m.done = cancel, make(chan struct{})
		g.ended.Go(func() {
			defer close(m.done)
			defer cancel()
			_ = m.poller.Run(ctx) // nil: it ends with ctx alone
		})
	}
	for _, m := range g.members {
		g.start(m)
	}
	g.mu.Unlock()
	<-ctx.Done()
	g.mu.Lock()
	g.start = nil
	g.mu.Unlock()
	g.ended.Wait()
	return nil
}

// Reload takes the buses of a new configuration over without losing a cycle: a
// bus that is as it was is not touched, one of the same URL takes over what
// changed after its cycle, one that is gone ends after its request. Where any
// bus has a fault nothing changes, and the error joins all faults.
func (g *Group) Reload(buses []firmwareconfig.Bus) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	prepared, err := g.prepare(buses)
	if err != nil {
		return err
	}
	kept := map[*member]bool{}
	for _, r := range prepared {
		kept[r.member] = true
	}
	for _, m := range g.members {
		if !kept[m] {
			m.stop()
		}
	}
	g.members = nil
	for _, r := range prepared {
		g.members = append(g.members, r.member)
		switch {
		case r.plan != nil:
			r.member.poller.announce(r.plan)
		case g.start != nil:
			g.start(r.member)
		}
	}
	return nil
}

// Pending reports whether a line still reads by the configuration before the last
// [Group.Reload]: until the cycle that runs has ended.
func (g *Group) Pending() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.members {
		if m.poller.pending() {
			return true
		}
	}
	return false
}

// A reload is a member of the new configuration, with the plan of one that there
// was before.
type reload struct {
	member *member
	plan   *plan
}

func (g *Group) prepare(buses []firmwareconfig.Bus) ([]reload, error) {
	var all []reload
	var errs []error
	urls := map[string]bool{}
	for _, b := range buses {
		if urls[b.URL] {
			errs = append(errs, fmt.Errorf("bus %s: %s belongs to another bus: a line has one owner", b.Name, b.URL))
			continue
		}
		urls[b.URL] = true
		r, err := g.prepareBus(b)
		errs = append(errs, err)
		all = append(all, r)
	}
	return all, errors.Join(errs...)
}

func (g *Group) prepareBus(b firmwareconfig.Bus) (r reload, err error) {
	for _, m := range g.members {
		if m.url == b.URL {
			r.member = m
			r.plan, err = m.poller.prepare(b)
			return r, err
		}
	}
	r.member = &member{url: b.URL}
	r.member.poller, err = New(b, g.options)
	return r, err
}

// stop ends a member and waits until it has let its port go.
func (m *member) stop() {
	if m.cancel != nil {
		m.cancel()
		<-m.done
	}
	m.poller.retire()
}

// Report returns how each meter of every bus fares, without its resolution.
func (g *Group) Report() []wire.MeterReport {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []wire.MeterReport
	for _, m := range g.members {
		all = append(all, m.poller.Report()...)
	}
	return all
}

// Buses is how many buses there are.
func (g *Group) Buses() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.members)
}
