package rollup_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A veeCase is an event in an otherwise even life of a meter that counts 10 each
// ten minutes, polled from base for eight hours; 48 polls make 480.
type veeCase struct {
	name string
	// of returns what the meter shows at poll n, and whether it answers.
	of func(n int) (metering.Amount, bool)
	// total is what was truly counted between the first and the last reading,
	// over the event.
	total metering.Amount
	// estimated are the hours of which the figure is flagged.
	estimated []int
}

const polls = 48

func veeCases() []veeCase {
	even := func(n int) metering.Amount { return metering.Amount(500_000 + 10*n) }
	always := func(of func(n int) metering.Amount) func(int) (metering.Amount, bool) {
		return func(n int) (metering.Amount, bool) { return of(n), true }
	}
	slip := func(at int, shown metering.Amount) func(int) (metering.Amount, bool) {
		return always(func(n int) metering.Amount {
			if n == at {
				return shown
			}
			return even(n)
		})
	}
	// from has another index from poll 20 on, which then counts on.
	from := func(first metering.Amount) func(int) (metering.Amount, bool) {
		return always(func(n int) metering.Amount {
			if n >= 20 {
				return first + metering.Amount(10*(n-20))
			}
			return even(n)
		})
	}
	return []veeCase{
		{"even", always(even), 480, nil},
		{"rollover", always(func(n int) metering.Amount { return (999_800 + metering.Amount(10*n)) % 1_000_000 }), 480, nil},
		{"rollover in a gap", func(n int) (metering.Amount, bool) {
			return (999_800 + metering.Amount(10*n)) % 1_000_000, n < 15 || n > 27
		}, 480, []int{2, 3, 4}},
		{"glitch to zero within an hour", slip(20, 0), 480, nil},
		{"glitch to zero at a boundary", slip(18, 0), 480, nil},
		{"glitch to half", slip(20, 250_000), 480, nil},
		{"spike within an hour", slip(20, 900_000), 480, nil},
		{"spike at a boundary", slip(18, 500_700), 480, nil},
		{"last poll is zero", slip(polls, 0), 470, []int{7}},
		{"last poll is a spike", slip(polls, 900_000), 470, []int{7}},
		{"reverse flow for one poll", slip(20, 500_185), 480, nil},
		{"reverse flow for two hours, that comes again", always(func(n int) metering.Amount {
			if n >= 20 && n < 32 {
				return even(20) - metering.Amount(3*(n-20))
			}
			if n >= 32 {
				return even(20) - 36 + metering.Amount(30*(n-32))
			}
			return even(n)
		}), 200 - 36 + 480, []int{3, 4, 5}},
		// At a reset the meter counted at most one step that nobody read.
		{"reset to zero", from(0), 470, []int{3}},
		{"jump that no meter of this size can count", from(900_000), 470, []int{3}},
		{"zeros for half an hour", always(func(n int) metering.Amount {
			if n >= 20 && n < 23 {
				return 0
			}
			return even(n)
		}), 440, []int{3}},
		{"stuck", always(func(n int) metering.Amount { return even(min(n, 20)) }), 200, nil},
		{"stuck, then right again", always(func(n int) metering.Amount {
			if n >= 20 && n < 32 {
				return even(20)
			}
			return even(n)
		}), 480, nil},
		{"gap", func(n int) (metering.Amount, bool) { return even(n), n < 15 || n > 27 }, 480, []int{2, 3, 4}},
	}
}

// TestEvents holds of each event that nothing is booked that was not counted,
// that the total over it is exact, and that the readings stay as they are,
// whether they come at once or in parts.
func TestEvents(t *testing.T) {
	t.Parallel()
	cases := veeCases()
	var meters []wireMeter
	var names []metering.MeterID
	inParts := func(i int) metering.MeterID { return metering.MeterID(fmt.Sprintf("P%02d", i)) }
	atOnce := func(i int) metering.MeterID { return metering.MeterID(fmt.Sprintf("A%02d", i)) }
	for i := range cases {
		for _, id := range []metering.MeterID{inParts(i), atOnce(i)} {
			m := meter(metering.Fine)
			m.Meter = id
			meters, names = append(meters, m), append(names, id)
		}
	}
	b := newBench(t, meters...)
	raw := map[metering.MeterID][]metering.Reading{}
	for _, part := range [][2]int{{0, 24}, {24, 33}, {33, 42}, {42, polls + 1}} {
		var arrived []metering.Reading
		for i, tt := range cases {
			arrived = append(arrived, tt.readings(inParts(i), part[0], part[1])...)
			if part[1] > polls {
				arrived = append(arrived, tt.readings(atOnce(i), 0, polls+1)...)
			}
		}
		b.feed(arrived...)
		for _, r := range arrived {
			raw[r.Meter] = append(raw[r.Meter], r)
		}
	}
	hours, err := b.store.Consumption(t.Context(), influx.Hourly, names, dawn, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for i, tt := range cases {
		t.Run(tt.name+", in parts", func(t *testing.T) { checkEvent(t, tt, hours[inParts(i)]) })
		t.Run(tt.name+", at once", func(t *testing.T) { checkEvent(t, tt, hours[atOnce(i)]) })
	}
	kept, err := b.store.Readings(t.Context(), names, metering.Index, dawn, time.Now())
	if diff := cmp.Diff(raw, kept); diff != "" || err != nil {
		t.Errorf("%v: the readings changed (-were +are):\n%s", err, diff)
	}
}

// readings returns what polls from first to before end gave.
func (tt veeCase) readings(m metering.MeterID, first, end int) []metering.Reading {
	var rs []metering.Reading
	for n := first; n < end; n++ {
		if shown, ok := tt.of(n); ok {
			r := reading(time.Duration(n)*10*minute, shown)
			r.Meter = m
			rs = append(rs, r)
		}
	}
	return rs
}

func checkEvent(t *testing.T, tt veeCase, hours []influx.Consumption) {
	t.Helper()
	checkTelescopes(t, hours)
	total := metering.Amount(0)
	var flagged []int
	for i, h := range hours {
		total += h.Used
		if h.Quality == estimated {
			flagged = append(flagged, i)
		}
		if h.Used > 180 { // no hour of any case counts more
			t.Errorf("hour %d books %d", i, h.Used)
		}
	}
	if len(hours) != 8 || total != tt.total {
		t.Errorf("%d hours sum to %d, want 8 and %d: %v", len(hours), total, tt.total, hours)
	}
	if diff := cmp.Diff(tt.estimated, flagged); diff != "" {
		t.Errorf("estimated hours (-want +got):\n%s\n%v", diff, hours)
	}
}

// A replacement is two meters: what each counted is its own, the first index of
// the new one is no consumption, and both together are what was used.
func TestReplacement(t *testing.T) {
	t.Parallel()
	next := meter(metering.Fine)
	next.Meter = "M2"
	b := newBench(t, meter(metering.Fine), next)
	b.feed(every(base, base.Add(200*minute), 10*minute, 999_000, 10)...)
	after := every(base.Add(200*minute), base.Add(480*minute), 10*minute, 123_456, 10)
	for i := range after {
		after[i].Meter = "M2"
	}
	b.feed(after...)
	found, err := b.store.Consumption(t.Context(), influx.Hourly, []metering.MeterID{"M1", "M2"}, dawn, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	sum := func(m metering.MeterID) (n metering.Amount) {
		for _, h := range found[m] {
			n += h.Used
		}
		return n
	}
	// The old one's last hour is open: its last 20 minutes are the stitch's.
	if got := [2]metering.Amount{sum("M1"), sum("M2")}; got != [2]metering.Amount{180, 280} {
		t.Errorf("counted %v, want 180 and 280", got)
	}
	if last := found["M2"][len(found["M2"])-1]; last.Index != 123_456+280 {
		t.Errorf("the new meter ends at %d", last.Index)
	}
}

// TestReplacementOfTheRegistry takes the registry as the api publishes it: the
// old meter ends where the new one begins. From the dials of the replacement and
// the stored boundaries the total over it is exact, and nothing is booked for
// the index of the new meter.
func TestReplacementOfTheRegistry(t *testing.T) {
	t.Parallel()
	swap := base.Add(205 * minute)
	published := fmt.Sprintf(`{"site":"S1","zone":"Europe/Paris","earliest_ms":0,"meters":[
		{"meter":"M1","gateway":"G1","kind":"electricity","index_modulus":1000000,"max_per_hour":10000,"interval_s":600,"resolution":"fine","from_ms":1,"to_ms":%[1]d},
		{"meter":"M2","gateway":"G1","kind":"electricity","index_modulus":1000000,"max_per_hour":10000,"interval_s":600,"resolution":"fine","from_ms":%[1]d}]}`, swap.UnixMilli())
	r, err := wire.DecodeRegistry([]byte(published))
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, r.Meters...)
	const lastDial, firstDial = 999_205, 123_456 // typed by who replaced it
	b.feed(every(base, swap, 10*minute, 999_000, 10)...)
	after := every(swap.Add(5*minute), base.Add(24*time.Hour), 10*minute, firstDial+5, 10)
	for i := range after {
		after[i].Meter = "M2"
	}
	b.feed(after...)
	most := map[influx.Period]metering.Amount{influx.Hourly: 60, influx.Daily: 24 * 60}
	for _, p := range influx.Periods[:2] {
		found, err := b.store.Consumption(t.Context(), p, []metering.MeterID{"M1", "M2"}, dawn, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for m, cs := range found {
			checkTelescopes(t, cs)
			for _, c := range cs {
				if c.Used > most[p] {
					t.Errorf("%s: %v books a phantom", m, c)
				}
			}
		}
		total := stitched(t, found, 999_000, lastDial, firstDial)
		if until := found["M2"][len(found["M2"])-1].Index; total != 205+(until-firstDial) {
			t.Errorf("%s: %d over the replacement, want %d", p, total, 205+(until-firstDial))
		}
	}
}

// stitched is what both meters counted between the first index of the old and
// the last boundary of the new, as it is put together from stored periods and
// the two dials.
func stitched(t *testing.T, found map[metering.MeterID][]influx.Consumption, first, lastDial, firstDial metering.Amount) metering.Amount {
	t.Helper()
	total := lastDial
	if old := found["M1"]; len(old) > 0 { // its closed periods, and the rest to the dial
		total -= old[len(old)-1].Index
		for _, c := range old {
			total += c.Used
		}
	} else {
		total -= first
	}
	for i, c := range found["M2"] {
		if i == 0 { // its first period counts from the dial on
			total += c.Index - firstDial
			continue
		}
		total += c.Used
	}
	return total
}
