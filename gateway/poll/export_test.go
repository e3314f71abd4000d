package poll

import (
	"time"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
)

// AdvancesWithin is Advances with a grace of its own.
func (g *Group) AdvancesWithin(grace time.Duration) error { return g.advances(grace) }

// MayProbe reports whether a dead device on a line of that timeout, which waits so
// long between probes and was due so long ago, may be probed before a cycle.
func MayProbe(timeout, wait, ago, untilCycle time.Duration) bool {
	now := time.Now()
	p := &Poller{config: firmwareconfig.Bus{Timeout: timeout}}
	return p.mayProbe(&device{wait: wait, probeAt: now.Add(-ago)}, now.Add(untilCycle))
}
