package consumption

import (
	"sync"
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A group is the homes of a residence with a kind of meter, in a month.
type group struct {
	residence metering.SiteID
	kind      metering.Kind
	month     civil.Month
}

// An untold remembers of which groups nothing may be told, so that each page of each
// home does not ask InfluxDB for all meters of the residence again. It holds an
// hour: readings may still be on their way. The zero value is ready.
type untold struct {
	mu    sync.Mutex
	since map[group]time.Time
}

const (
	untoldFor  = time.Hour
	mostUntold = 10_000 // about a megabyte; then all are asked for again
)

// holds reports whether nothing was to be told of a group within the last hour.
func (u *untold) holds(g group, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	since, ok := u.since[g]
	return ok && !now.Before(since) && now.Before(since.Add(untoldFor))
}

func (u *untold) note(g group, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.since == nil || len(u.since) >= mostUntold {
		u.since = map[group]time.Time{}
	}
	u.since[g] = now
}
