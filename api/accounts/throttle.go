package accounts

import (
	"net/netip"
	"sync"
	"time"
)

// Limits of the throttle. A residence may share one address, so that the waits
// stay short enough for a neighbour: an address has 5 tries at once, then one
// a wait that doubles from 2 s to a minute. A try is forgotten each minute.
const (
	freeTries   = 5
	firstWait   = 2 * time.Second
	longestWait = time.Minute
	forgetAfter = time.Minute
	mostKnown   = 20_000
)

// Limits of asking for codes by e-mail: a class of beginners behind one address
// asks at once, and nobody fills a mailbox.
const (
	freeAsks       = 15
	firstAskWait   = time.Minute
	longestAskWait = 15 * time.Minute
	forgetAskAfter = 5 * time.Minute
)

// A Throttle slows an address that tries wrong codes. It slows the address, not
// the account, so that nobody can lock somebody else out. It may be used from
// several goroutines.
type Throttle struct {
	free                   int
	first, longest, forget time.Duration

	mu    sync.Mutex
	tries map[netip.Prefix]tries
}

type tries struct {
	count int
	last  time.Time // when count was brought up to date
	next  time.Time // when the next try is let in
}

// NewThrottle returns a throttle of sign-ins that knows no address.
func NewThrottle() *Throttle {
	return &Throttle{free: freeTries, first: firstWait, longest: longestWait, forget: forgetAfter, tries: map[netip.Prefix]tries{}}
}

// NewAskThrottle returns one of codes asked for by e-mail.
func NewAskThrottle() *Throttle {
	return &Throttle{free: freeAsks, first: firstAskWait, longest: longestAskWait, forget: forgetAskAfter, tries: map[netip.Prefix]tries{}}
}

// Admit counts a try of the address at now and returns 0, or how long it must
// wait before it tries again; a try that must wait is not counted.
func (t *Throttle) Admit(address string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := network(address)
	known := t.tries[key].forgotten(now, t.forget)
	if wait := known.next.Sub(now); wait > 0 {
		return wait
	}
	t.makeRoom(now)
	known.count++
	if over := known.count - t.free; over >= 0 {
		known.next = now.Add(min(t.longest, t.first<<min(over, 10)))
	}
	t.tries[key] = known
	return 0
}

// Forgive takes back the try of a code that was right.
func (t *Throttle) Forgive(address string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := network(address)
	known := t.tries[key].forgotten(now, t.forget)
	known.count = max(0, known.count-1)
	if known.count < t.free {
		known.next = time.Time{}
	}
	t.tries[key] = known
}

func (k tries) forgotten(now time.Time, after time.Duration) tries {
	if k.count == 0 {
		return tries{last: now}
	}
	gone := int(now.Sub(k.last) / after)
	if gone > 0 {
		k.count = max(0, k.count-gone)
		k.last = k.last.Add(time.Duration(gone) * after)
	}
	return k
}

// makeRoom keeps an attacker with many addresses from filling the memory.
func (t *Throttle) makeRoom(now time.Time) {
	if len(t.tries) < mostKnown {
		return
	}
	for key, known := range t.tries {
		if known.forgotten(now, t.forget).count == 0 {
			delete(t.tries, key)
		}
	}
	for key := range t.tries {
		if len(t.tries) < mostKnown {
			return
		}
		delete(t.tries, key)
	}
}

// network is what one subscriber holds: an IPv4 address or an IPv6 /64. What is
// no address shares one entry.
func network(address string) netip.Prefix {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}
	}
	addr = addr.Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}
