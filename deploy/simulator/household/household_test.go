package household_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

var epoch = civil.Date{Year: 2025, Month: time.October, Day: 20}

// after is the instant n days and some hours of the clock after the epoch.
func after(r *household.Residence, days int, hours float64) time.Time {
	return r.Epoch.AddDays(days).Start(r.Zone).Add(time.Duration(hours * float64(time.Hour)))
}

// used is what m counted in [from, to).
func used(r *household.Residence, m *household.Meter, from, to time.Time) metering.Amount {
	return r.Index(m, to) - r.Index(m, from)
}

// meterOf returns a dwelling's first meter of a kind.
func meterOf(t testing.TB, r *household.Residence, id household.DwellingID, k metering.Kind) *household.Meter {
	t.Helper()
	d := r.ByID(id)
	if d == nil {
		t.Fatalf("no dwelling %s", id)
	}
	for _, m := range d.Meters {
		if m.Kind == k {
			return m
		}
	}
	t.Fatalf("dwelling %s has no %s meter", id, k)
	return nil
}

// withStory returns the dwellings in which s happens.
func withStory(t testing.TB, r *household.Residence, s household.Story) []*household.Dwelling {
	t.Helper()
	var found []*household.Dwelling
	for _, d := range r.Dwellings {
		if d.Has(s) {
			found = append(found, d)
		}
	}
	if len(found) == 0 {
		t.Fatalf("no dwelling has the story %s", s)
	}
	return found
}

func TestSameSeedSameResidence(t *testing.T) {
	a, b := household.New(7, epoch), household.New(7, epoch)
	opts := cmp.Options{
		cmpopts.IgnoreUnexported(household.Dwelling{}, household.Household{}, household.Meter{}),
	}
	if diff := cmp.Diff(a.Dwellings, b.Dwellings, opts); diff != "" {
		t.Errorf("dwellings of two residences of one seed (-first +second):\n%s", diff)
	}
	if diff := cmp.Diff(a.Dwellings, household.New(8, epoch).Dwellings, opts); diff == "" {
		t.Error("seed 8 made the residence of seed 7")
	}
}

// An index must not depend on which instants were asked for before, nor by how
// many at once.
func TestIndexIsAFunctionOfTheInstant(t *testing.T) {
	forward, random := household.New(7, epoch), household.New(7, epoch)
	type ask struct {
		meter int
		at    time.Time
	}
	rng := rand.New(rand.NewPCG(1, 2))
	asks := make([]ask, 4000)
	want := make([]metering.Amount, len(asks))
	for i := range asks {
		asks[i] = ask{rng.IntN(len(forward.Meters())), after(forward, 0, 400*24*rng.Float64())}
	}
	slices.SortFunc(asks, func(a, b ask) int { return a.at.Compare(b.at) })
	for i, q := range asks {
		want[i] = forward.Register(forward.Meters()[q.meter], q.at)
	}
	got := make([]metering.Amount, len(asks))
	order := rng.Perm(len(asks))
	var wg sync.WaitGroup
	for part := range slices.Chunk(order, 500) {
		wg.Go(func() {
			for _, i := range part {
				got[i] = random.Register(random.Meters()[asks[i].meter], asks[i].at)
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("registers asked in order and at random (-order +random):\n%s", diff)
	}
}

func TestIndexNeverDecreases(t *testing.T) {
	r := household.New(3, epoch)
	rng := rand.New(rand.NewPCG(3, 4))
	for _, m := range r.Meters() {
		at := after(r, -2, 0)
		last := r.Index(m, at)
		for at.Before(after(r, 400, 0)) {
			at = at.Add(time.Duration(rng.ExpFloat64() * float64(4*time.Hour)))
			index := r.Index(m, at)
			if index < last {
				t.Fatalf("index of %s at %s is %d, before it was %d", m.ID, at, index, last)
			}
			last = index
		}
	}
}

// The last instants of a day and the first of the next must join, on the days of
// 23 and 25 hours too.
func TestDaysJoin(t *testing.T) {
	r := household.New(1, epoch)
	m := meterOf(t, r, "A1-06", metering.Electricity) // never draws less than 150 W
	for days := range 396 {
		midnight := after(r, days+1, 0)
		if got := used(r, m, midnight.Add(-time.Hour), midnight.Add(time.Hour)); got < 300 || got > 24_000 {
			t.Errorf("around %s it drew %d Wh, want 300 to 24,000", midnight, got)
		}
	}
	for _, tt := range []struct {
		name string
		date civil.Date
		want metering.Amount
	}{
		{"23 hours", civil.Date{Year: 2027, Month: time.March, Day: 28}, 23 * 25_000},
		{"24 hours", civil.Date{Year: 2027, Month: time.March, Day: 29}, 24 * 25_000},
		{"25 hours", civil.Date{Year: 2026, Month: time.October, Day: 25}, 25 * 25_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from, to := tt.date.Bounds(r.Zone)
			leak := meterOf(t, r, "A1-03", metering.ColdWater)
			if got := used(r, leak, from, to); got < tt.want {
				t.Errorf("the leaking flat drew %d mL, its leak alone is %d", got, tt.want)
			}
		})
	}
}

func TestLayout(t *testing.T) {
	r := household.New(1, epoch)
	if got := len(r.Dwellings); got != 48 {
		t.Errorf("%d dwellings, want 48", got)
	}
	type place struct {
		gateway metering.GatewayID
		slave   byte
		channel int
	}
	places := map[place]*household.Meter{}
	slaves := map[metering.GatewayID]map[byte]bool{}
	ids := map[metering.MeterID]bool{}
	for _, m := range r.Meters() {
		if !metering.ValidID(m.ID) || ids[m.ID] {
			t.Errorf("meter id %q is not valid or stands twice", m.ID)
		}
		ids[m.ID] = true
		if m.Slave < 1 || m.Slave > 247 {
			t.Errorf("meter %s is slave %d", m.ID, m.Slave)
		}
		p := place{m.Gateway, m.Slave, m.Channel}
		if other := places[p]; other != nil && other.To.IsZero() && m.To.IsZero() {
			t.Errorf("meters %s and %s hang in one place %v", m.ID, other.ID, p)
		}
		places[p] = m
		if slaves[m.Gateway] == nil {
			slaves[m.Gateway] = map[byte]bool{}
		}
		slaves[m.Gateway][m.Slave] = true
	}
	for _, g := range r.Gateways {
		if g.Buses[0].Transport == household.RTU && len(slaves[g.ID]) > 32 {
			t.Errorf("gateway %s has %d slaves on its serial line, at most 32 may hang there", g.ID, len(slaves[g.ID]))
		}
		if len(slaves[g.ID]) == 0 {
			t.Errorf("gateway %s has no slaves", g.ID)
		}
	}
}

func TestConsent(t *testing.T) {
	r := household.New(1, epoch)
	fine, all := 0, 0
	names := map[string]bool{}
	for _, d := range r.Dwellings {
		for _, h := range d.Households {
			if h.Occupants != len(h.Persons) || h.Occupants == 0 {
				t.Errorf("%s: %d occupants, %d persons", d.ID, h.Occupants, len(h.Persons))
			}
			if names[h.Persons[0].LastName] {
				t.Errorf("%s: a second household %s", d.ID, h.Persons[0].LastName)
			}
			names[h.Persons[0].LastName] = true
		}
		h := d.HouseholdOn(epoch.AddDays(395))
		if h == nil {
			continue
		}
		all++
		want := metering.DefaultResolution
		if h.Consent == household.ConsentFine {
			fine++
			want = func(metering.Kind) metering.Resolution { return metering.Fine }
		}
		for _, m := range d.Meters {
			if m.Resolution != want(m.Kind) {
				t.Errorf("meter %s of %s has resolution %s, its household (%s) agreed to %s",
					m.ID, d.ID, m.Resolution, h.Consent, want(m.Kind))
			}
		}
	}
	if share := float64(fine) / float64(all); share < 0.55 || share > 0.65 {
		t.Errorf("%d of %d households consented to fine, want about 60 %%", fine, all)
	}
	for _, s := range []household.Story{household.LeakingToilet, household.HighStandby, household.ColdFlat, household.Careful, household.NightWorker} {
		for _, d := range withStory(t, r, s) {
			if d.Households[0].Consent != household.ConsentFine {
				t.Errorf("%s (%s) is not read finely", d.ID, s)
			}
		}
	}
}

func BenchmarkThirteenMonths(b *testing.B) { // budget: 2 s
	for b.Loop() {
		r := household.New(1, epoch)
		r.Warm(after(r, 395, 0))
	}
}

func BenchmarkIndex(b *testing.B) { // budget: 2 µs
	r := household.New(1, epoch)
	r.Warm(after(r, 395, 0))
	m, at, n := r.Meters()[0], after(r, 0, 0), 0
	for b.Loop() {
		n = (n + 7919) % (395 * 24 * 60)
		r.Index(m, at.Add(time.Duration(n)*time.Minute))
	}
}
