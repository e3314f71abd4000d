package poll_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/poll"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// An observed serves [meters], of which some are dead, and remembers who was
// asked when.
type observed struct {
	dead sync.Map // slave: true

	mu    sync.Mutex
	asked []ask
}

type ask struct {
	slave byte
	at    time.Time
}

func (o *observed) Read(unit, function byte, address, quantity uint16) ([]uint16, error) {
	o.mu.Lock()
	o.asked = append(o.asked, ask{unit, time.Now()})
	o.mu.Unlock()
	if _, dead := o.dead.Load(unit); dead {
		return nil, slave.ErrSilent
	}
	return meters{}.Read(unit, function, address, quantity)
}

// since returns who was asked after an instant.
func (o *observed) since(from time.Time) []ask {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := slices.IndexFunc(o.asked, func(a ask) bool { return a.at.After(from) })
	if i < 0 {
		return nil
	}
	return slices.Clone(o.asked[i:])
}

func (o *observed) times(unit byte, from time.Time) int {
	n := 0
	for _, a := range o.since(from) {
		if a.slave == unit {
			n++
		}
	}
	return n
}

const (
	interval = 400 * time.Millisecond
	patience = 20 * time.Millisecond
)

func busOf(url string, devices ...firmwareconfig.Device) firmwareconfig.Bus {
	return firmwareconfig.Bus{Name: "b", URL: url, Timeout: patience, Interval: interval, Devices: devices}
}

// start runs a group until the test ends, or until the returned function is
// called.
func start(t *testing.T, sink poll.Sink, buses ...firmwareconfig.Bus) (*poll.Group, func()) {
	t.Helper()
	return startWith(t, options(t, sink), buses...)
}

func startWith(t *testing.T, o poll.Options, buses ...firmwareconfig.Bus) (*poll.Group, func()) {
	t.Helper()
	g, err := poll.NewGroup(buses, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { _ = g.Run(ctx) })
	stop := func() { cancel(); group.Wait() }
	t.Cleanup(stop)
	return g, stop
}

// wait waits until a slave was asked n times after an instant.
func (o *observed) wait(t *testing.T, unit byte, n int, from time.Time) {
	t.Helper()
	testkit.Eventually(t, 15*time.Second, func() error {
		if got := o.times(unit, from); got < n {
			return fmt.Errorf("slave %d was asked %d times, want %d", unit, got, n)
		}
		return nil
	})
}

// TestDeadMeterIsProbedBetweenCycles holds by what the line was asked that a dead
// meter is left out of the cycles; see TestProbesLeaveRoomForTheCycle for when it
// is asked instead.
func TestDeadMeterIsProbedBetweenCycles(t *testing.T) {
	t.Parallel()
	source := &observed{}
	source.dead.Store(byte(1), true) // the first of the cycle, so that it would delay all
	var kept log
	bus := busOf(serve(t, source), counter(1), counter(2))
	bus.Timeout = interval / 4
	g, _ := start(t, kept.keep, bus)
	testkit.Eventually(t, 10*time.Second, func() error {
		if g.Report()[0].Errors["timeout"] < 2 {
			return errors.New("not dead yet")
		}
		return nil
	})
	known := time.Now()
	source.wait(t, 2, 12, known)
	if dead, live := source.times(1, known), source.times(2, known); dead == 0 || dead > live/2 {
		t.Errorf("in %d cycles the dead meter was probed %d times, want some, and fewer and fewer", live, dead)
	}
	if n := g.Report()[2].Errors["timeout"]; n > 0 {
		t.Errorf("the live meter failed %d times beside the dead one", n)
	}
	source.dead.Delete(byte(1))
	testkit.Eventually(t, 10*time.Second, func() error {
		if g.Report()[0].LastGoodMs == 0 {
			return errors.New("not read again")
		}
		return nil
	})
}

// A probe costs a timeout where nobody answers, so one that might not end before
// the next cycle waits; but not for ever on a line that is always busy.
func TestProbesLeaveRoomForTheCycle(t *testing.T) {
	t.Parallel()
	const timeout = 10 * time.Second // so that no pause of the machine matters
	for _, tt := range []struct {
		name            string
		wait, ago, room time.Duration // between probes; since the probe was due; until the cycle
		want            bool
	}{
		{"not due", 10 * timeout, -timeout, 9 * timeout, false},
		{"due, with room", 10 * timeout, timeout, 9 * timeout, true},
		{"due, with room for itself and little more", 10 * timeout, timeout, 2*timeout + timeout/2, true},
		{"due, without room", 10 * timeout, timeout, 2*timeout - timeout/2, false},
		{"the cycle has begun", 10 * timeout, timeout, -timeout, false},
		{"without room, overdue", timeout, timeout + timeout/2, timeout, true},
		{"without room, after the longest wait", 10 * time.Minute, timeout, timeout, true},
	} {
		if got := poll.MayProbe(timeout, tt.wait, tt.ago, tt.room); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// A cable that is mended brings all meters back at once.
func TestAllDeadComeBackTogether(t *testing.T) {
	t.Parallel()
	source := &observed{}
	devices := []firmwareconfig.Device{counter(1), counter(2), counter(5), counter(6)}
	for _, d := range devices {
		source.dead.Store(d.Slave, true)
	}
	var kept log
	g, _ := start(t, kept.keep, busOf(serve(t, source), devices...))
	testkit.Eventually(t, 15*time.Second, func() error {
		for _, r := range g.Report() {
			if r.Errors["timeout"] < 5 { // some probes have failed as well
				return fmt.Errorf("%s: %v", r.Meter, r.Errors)
			}
		}
		return nil
	})
	for _, d := range devices {
		source.dead.Delete(d.Slave)
	}
	back := map[metering.MeterID]time.Time{}
	testkit.Eventually(t, 20*time.Second, func() error {
		for _, r := range g.Report() {
			if r.LastGoodMs > 0 && back[r.Meter].IsZero() {
				back[r.Meter] = time.UnixMilli(r.LastGoodMs)
			}
		}
		if len(back) < 2*len(devices) {
			return fmt.Errorf("%d of %d meters are back", len(back), 2*len(devices))
		}
		return nil
	})
	first, last := time.Now(), time.Time{}
	for _, at := range back {
		if at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	if last.Sub(first) > 2*interval {
		t.Errorf("the last meter came back %s after the first, want two cycles at most", last.Sub(first))
	}
}

func TestIntervalOfADevice(t *testing.T) {
	t.Parallel()
	source := &observed{}
	slow := counter(2)
	slow.Interval = 3 * interval
	var kept log
	registry := prometheus.NewRegistry()
	bus := busOf(serve(t, source), counter(1), slow)
	bus.Timeout = 5 * interval
	startWith(t, optionsWith(t, kept.keep, registry), bus)
	source.wait(t, 2, 4, time.Time{})
	asked := source.since(time.Time{})
	fast, rare, between := 0, 0, 0
	for _, a := range asked {
		if a.slave == 1 {
			between++
			continue
		}
		if rare > 0 { // before the first the count begins anywhere
			fast += between
			if between > 3 {
				t.Errorf("the other device was read %d times between two reads of the one of the long interval, want 3", between)
			}
		}
		rare, between = rare+1, 0
	}
	// What a busy machine makes a device miss is counted.
	if missed := int(sum(t, registry, "xnet_gateway_readings_missed_total")); fast+missed < 3*(rare-1) {
		t.Errorf("the device of the long interval was read %d times, the other %d times meanwhile and %d were missed, want a third", rare, fast, missed)
	}
	onGrid := 0
	for _, a := range asked {
		if a.slave == 2 && a.at.Truncate(interval).Equal(a.at.Truncate(3*interval)) {
			onGrid++
		}
	}
	if 2*onGrid <= rare { // a machine that is busy may hold some up, a wrong grid all
		t.Errorf("the device of the long interval was read on its grid %d times of %d", onGrid, rare)
	}
}

// sum adds the metrics of a name up.
func sum(t *testing.T, r *prometheus.Registry, name string) (total float64) {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return total
}

// The grid of a device must not lose an instant, however often the configuration
// changes around it. What a busy machine makes it miss is counted.
func TestReloadLosesNoCycle(t *testing.T) {
	t.Parallel()
	url := serve(t, &observed{})
	var kept log
	registry := prometheus.NewRegistry()
	bus := func(devices ...firmwareconfig.Device) []firmwareconfig.Bus {
		b := busOf(url, devices...)
		b.Timeout = 5 * interval // nothing is silent here
		return []firmwareconfig.Bus{b}
	}
	g, stop := startWith(t, optionsWith(t, kept.keep, registry), bus(counter(1))...)
	begin, reloads := time.Now(), 0
	for ; time.Since(begin) < 10*interval; reloads++ {
		devices := []firmwareconfig.Device{counter(1)}
		if reloads%2 == 0 {
			devices = append(devices, counter(2))
		}
		if err := g.Reload(bus(devices...)); err != nil {
			t.Fatal(err)
		}
		<-time.After(7 * time.Millisecond)
	}
	stop()
	var instants []int64 // of the grid, in which meter 1 was read
	for _, r := range kept.readings {
		if r.Meter == "CW-1" {
			instants = append(instants, r.At.Truncate(interval).UnixNano()/int64(interval))
		}
	}
	if len(instants) < 2 {
		t.Fatalf("%d readings in %d reloads", len(instants), reloads)
	}
	span := int(instants[len(instants)-1]-instants[0]) + 1
	missed := int(sum(t, registry, "xnet_gateway_readings_missed_total"))
	if read := len(instants); read > span+1 || read+missed < span-1 { // the first or the last may have been held up
		t.Errorf("%d readings and %d counted as missed at %d instants, in %d reloads", read, missed, span, reloads)
	}
}

func TestReload(t *testing.T) {
	t.Parallel()
	source := &observed{}
	first, second := serve(t, source), serve(t, source)
	var kept log
	g, _ := start(t, kept.keep, busOf(first, counter(1), counter(2)))
	source.wait(t, 2, 2, time.Time{})
	before := g.Report()

	faulty := counter(7)
	faulty.Profile = "nothing-of-the-kind"
	err := g.Reload([]firmwareconfig.Bus{busOf(first, counter(5)), busOf(second, faulty)})
	if err == nil || !strings.Contains(err.Error(), "nothing-of-the-kind") {
		t.Errorf("a profile that does not exist: %v", err)
	}
	if err := g.Reload([]firmwareconfig.Bus{busOf(first, counter(5)), busOf(first, counter(6))}); err == nil {
		t.Error("one line for two buses: no error")
	}
	if diff := cmp.Diff(meterIDs(before), meterIDs(g.Report())); diff != "" {
		t.Errorf("a refused configuration changed the meters (-want +got):\n%s", diff)
	}

	other := counter(6)
	if err := g.Reload([]firmwareconfig.Bus{busOf(second, other), busOf(first, counter(2))}); err != nil {
		t.Fatal(err)
	}
	changed := time.Now()
	source.wait(t, 6, 2, changed)
	source.wait(t, 2, 2, changed)
	reports := g.Report()
	if got, want := meterIDs(reports), []metering.MeterID{"CW-6", "HW-6", "CW-2", "HW-2"}; !slices.Equal(got, want) {
		t.Errorf("meters %v, want %v", got, want)
	}
	if reports[2].LastGoodMs < before[2].LastGoodMs {
		t.Error("a meter that stayed lost its last good read")
	}
	if n := source.times(1, changed.Add(interval)); n > 0 {
		t.Errorf("a meter that is configured no more was read %d times", n)
	}

	if err := g.Reload(nil); err != nil {
		t.Fatal(err)
	}
	gone := time.Now()
	<-time.After(2 * interval) // nothing to wait for: two cycles that must not be
	if n := len(source.since(gone.Add(interval / 4))); n > 0 {
		t.Errorf("%d requests without a bus", n)
	}
}

func meterIDs(reports []wire.MeterReport) []metering.MeterID {
	var ids []metering.MeterID
	for _, r := range reports {
		ids = append(ids, r.Meter)
	}
	return ids
}

// A line whose settings change is opened anew, with those.
func TestReloadOfTheLine(t *testing.T) {
	t.Parallel()
	source := &observed{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	connections := &counted{Listener: listener}
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { _ = slave.New(source, slave.Options{}).ServeTCP(ctx, connections) })
	t.Cleanup(func() { cancel(); group.Wait() })
	bus := busOf("tcp://"+listener.Addr().String(), counter(1))
	var kept log
	g, _ := start(t, kept.keep, bus)
	source.wait(t, 1, 1, time.Time{})
	bus.Devices = append(bus.Devices, counter(2))
	if err := g.Reload([]firmwareconfig.Bus{bus}); err != nil {
		t.Fatal(err)
	}
	source.wait(t, 2, 1, time.Time{})
	if n := connections.accepted.Load(); n != 1 {
		t.Errorf("%d connections after a meter was added, want 1", n)
	}
	bus.Timeout *= 2
	changed := time.Now()
	if err := g.Reload([]firmwareconfig.Bus{bus}); err != nil {
		t.Fatal(err)
	}
	source.wait(t, 1, 2, changed)
	if n := connections.accepted.Load(); n != 2 {
		t.Errorf("%d connections after another timeout, want 2", n)
	}
}

// counted counts connections.
type counted struct {
	net.Listener
	accepted atomic.Int64
}

func (c *counted) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.accepted.Add(1)
	}
	return conn, err
}

// A converter that says for a slave that it does not answer costs as much time
// as silence.
func TestSlaveThatAConverterGivesUpIsDead(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	source := slave.SourceFunc(func(unit, function byte, address, quantity uint16) ([]uint16, error) {
		if unit == 1 {
			asked.Add(1)
			return nil, slave.Exception(11)
		}
		return meters{}.Read(unit, function, address, quantity)
	})
	var kept log
	g, _ := start(t, kept.keep, busOf(serve(t, source), counter(1), counter(2)))
	testkit.Eventually(t, 10*time.Second, func() error {
		kept.mu.Lock()
		defer kept.mu.Unlock()
		if kept.cycles < 10 {
			return fmt.Errorf("%d cycles", kept.cycles)
		}
		return nil
	})
	if r := g.Report()[0]; r.Errors["exception_11"] == 0 || r.LastGoodMs != 0 {
		t.Errorf("last good %d, errors %v, want exception_11", r.LastGoodMs, r.Errors)
	}
	if n := asked.Load(); n >= 10 {
		t.Errorf("it was asked %d times in 10 cycles, want fewer and fewer", n)
	}
}
