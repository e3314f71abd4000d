package uplink_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/xnetroseraie/xnet/gateway/uplink"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// TestNewestDoNotWaitBehindTheBacklog: while a long outage is made up for, what
// is read now overtakes it, and the outage goes in order.
func TestNewestDoNotWaitBehindTheBacklog(t *testing.T) {
	broker, s := testkit.Broker(t), openSpool(t)
	const backlog = 400
	fill(t, s, backlog)
	var mu sync.Mutex
	var order []wire.Seq
	listen(t, broker, func(m mqtt.Client, p wire.Pack, _ int) {
		mu.Lock()
		order = append(order, p.Seq)
		n := len(order)
		if n == 100 || n == 200 || n == 300 {
			fill(t, s, 1) // a poll cycle, in the middle of the replay
		}
		time.Sleep(2 * time.Millisecond) // one after the other, as a slow store
		mu.Unlock()
		reply(m, wire.Stored{Spool: p.Spool, Stored: []wire.Seq{p.Seq}})
	})
	startWith(t, uplink.Options{URL: broker.URL}, s)
	testkit.Eventually(t, 30*time.Second, empty(s))
	mu.Lock()
	defer mu.Unlock()
	for i := range 3 {
		live, appended := wire.Seq(backlog+1+i), 100*(i+1)
		at := placeOf(order, live)
		if at < appended-1 || at > appended+64 {
			t.Errorf("pack %d was read after the %dth was heard and was itself the %dth, want it within the 64 on their way", live, appended, at+1)
		}
	}
	if late := longestDetour(order, backlog); late > 64 {
		t.Errorf("a pack of the outage was overtaken by %d others: want it in order but for the window", late)
	}
}

func placeOf(order []wire.Seq, seq wire.Seq) int {
	for i, s := range order {
		if s == seq {
			return i
		}
	}
	return -1
}

// longestDetour is by how many younger packs of the backlog one was overtaken,
// the newest of the backlog left out, which go first.
func longestDetour(order []wire.Seq, backlog int) (longest int) {
	for i, s := range order {
		detour := 0
		for _, before := range order[:i] {
			if before > s && int(before) <= backlog-16 {
				detour++
			}
		}
		longest = max(longest, detour)
	}
	return longest
}

// TestFirstPackAfterAnOutageIsTriedAtOnce: all places are taken by packs that
// nobody answers, each waiting longer and longer. What is read after the collector
// is back does not wait with them, and calls them all.
func TestFirstPackAfterAnOutageIsTriedAtOnce(t *testing.T) {
	broker, s := testkit.Broker(t), openSpool(t)
	// A collector that answers at first, so that the window opens to all its places.
	var mu sync.Mutex
	away, ignored := false, 0
	fill(t, s, 300)
	var heard []wire.Seq
	listen(t, broker, func(m mqtt.Client, p wire.Pack, _ int) {
		mu.Lock()
		defer mu.Unlock()
		if away {
			ignored++
			return
		}
		heard = append(heard, p.Seq)
		reply(m, wire.Stored{Spool: p.Spool, Stored: []wire.Seq{p.Seq}})
	})
	startWith(t, uplink.Options{URL: broker.URL, ResendAfter: 10 * time.Minute}, s)
	testkit.Eventually(t, 20*time.Second, empty(s))
	mu.Lock()
	away = true
	mu.Unlock()
	fill(t, s, 100)
	const taken = 64 + 3 // every place, and probes after 1, 2 and 4 s: the next is 8 s away
	testkit.Eventually(t, 20*time.Second, func() error {
		mu.Lock()
		defer mu.Unlock()
		if ignored < taken {
			return fmt.Errorf("%d packs came to a collector that does not answer, want %d", ignored, taken)
		}
		return nil
	})
	mu.Lock()
	heard, away = nil, false
	mu.Unlock()
	fill(t, s, 1)
	returned := time.Now()
	newest := s.Last()
	testkit.Eventually(t, 10*time.Second, func() error {
		mu.Lock()
		defer mu.Unlock()
		if len(heard) == 0 {
			return errors.New("nothing was heard")
		}
		return nil
	})
	took := time.Since(returned)
	mu.Lock()
	first := heard[0]
	mu.Unlock()
	const nextProbe = 8 * time.Second // what waits longer than half of it may have waited with the others
	if first != newest || took > nextProbe/2 {
		t.Errorf("pack %d was heard first, %s after the return, want the new one, %d, at once", first, took, newest)
	}
	testkit.Eventually(t, 10*time.Second, empty(s)) // long before the resend time
}

// TestCollectorThatComesLater: what a broker dropped because nobody listened is
// sent again when somebody answers, not after the resend time of a minute.
func TestCollectorThatComesLater(t *testing.T) {
	broker, s := testkit.Broker(t), openSpool(t)
	fill(t, s, 100)
	startWith(t, uplink.Options{URL: broker.URL, ResendAfter: time.Minute}, s)
	testkit.Eventually(t, 10*time.Second, func() error {
		if n := broker.Received(); n < 25 {
			return fmt.Errorf("%d messages at the broker", n)
		}
		return nil
	})
	time.Sleep(2500 * time.Millisecond) // so that what follows is clearly later
	listen(t, broker, func(m mqtt.Client, p wire.Pack, _ int) {
		reply(m, wire.Stored{Spool: p.Spool, Stored: []wire.Seq{p.Seq}})
	})
	testkit.Eventually(t, 15*time.Second, empty(s))
}
