package poll

import (
	"errors"
	"fmt"
	"time"
)

// beatGrace is how much later than planned a poll loop may go on before it counts
// as stuck: far longer than any request, and than a disk that is busy.
const beatGrace = 2 * time.Minute

// expect notes that the loop will go on after about d. It counts by the monotonic
// clock: one that is set does not look like a loop that hangs.
func (p *Poller) expect(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.nextBeat = time.Now().Add(max(0, d))
}

// overdue is by how much the loop is later than it planned; 0 where it is in time,
// or has not begun.
func (p *Poller) overdue(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.nextBeat.IsZero() {
		return 0
	}
	return max(0, now.Sub(p.nextBeat))
}

// Advances returns nil while the loop of every bus goes on, whether its meters
// answer or not; else an error that names each bus that hangs, in a request or in
// the sink. It may be called at any time.
func (g *Group) Advances() error { return g.advances(beatGrace) }

func (g *Group) advances(grace time.Duration) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var errs []error
	for _, m := range g.members {
		if late := m.poller.overdue(time.Now()); g.start != nil && late > grace {
			errs = append(errs, fmt.Errorf("bus %s: no step since %s", m.url, late.Round(time.Second)))
		}
	}
	return errors.Join(errs...)
}
