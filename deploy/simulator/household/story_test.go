package household_test

import (
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// An ordinary household is one in whose totals no story shows.
func ordinary(d *household.Dwelling) bool {
	for _, s := range d.Stories {
		if s != household.SilentGateway && s != household.Swapped && s != household.DeadMeter && s != household.Rollover {
			return false
		}
	}
	return true
}

func TestTotalsAreThoseOfHouseholds(t *testing.T) {
	for _, seed := range []uint64{1, 2, 99} {
		r := household.New(seed, epoch)
		from, to := after(r, 0, 0), after(r, 365, 0)
		var people, cold, hot, wh, homes float64
		for _, d := range r.Dwellings {
			if !ordinary(d) || len(d.Meters) == 0 {
				continue
			}
			n := float64(d.Households[0].Occupants)
			c := float64(used(r, meterOf(t, r, d.ID, metering.ColdWater), from, to))
			h := float64(used(r, meterOf(t, r, d.ID, metering.HotWater), from, to))
			e := float64(used(r, meterOf(t, r, d.ID, metering.Electricity), from, to))
			if litres := (c + h) / n / 365_000; litres < 60 || litres > 190 {
				t.Errorf("seed %d: %s draws %.0f L a person and day", seed, d.ID, litres)
			}
			if e < 1_200_000 || e > 5_000_000 {
				t.Errorf("seed %d: %s draws %.0f kWh a year", seed, d.ID, e/1000)
			}
			people, cold, hot, wh, homes = people+n, cold+c, hot+h, wh+e, homes+1
		}
		litres, share, mwh := (cold+hot)/people/365_000, hot/(cold+hot), wh/homes/1e6
		t.Logf("seed %d: %.0f L a person and day, %.0f %% hot, %.2f MWh a home", seed, litres, 100*share, mwh)
		if litres < 90 || litres > 150 || share < 0.30 || share > 0.40 || mwh < 2 || mwh > 4 {
			t.Errorf("seed %d: %.0f L a person and day (want 90-150), of which hot %.2f (0.30-0.40), %.2f MWh a home (2-4)",
				seed, litres, share, mwh)
		}
	}
}

func TestSeasonsShow(t *testing.T) {
	r := household.New(1, epoch)
	month := func(k metering.Kind, m civil.Month) (sum metering.Amount) {
		from, to := m.Bounds(r.Zone)
		for _, meter := range r.Meters() {
			if meter.Kind == k {
				sum += used(r, meter, from, to)
			}
		}
		return sum
	}
	january, june := civil.Month{Year: 2026, Month: 1}, civil.Month{Year: 2026, Month: 6}
	if winter, summer := month(metering.HotWater, january), month(metering.HotWater, june); float64(summer) > 0.95*float64(winter) {
		t.Errorf("hot water: %d mL in January, %d in June", winter, summer)
	}
	if winter, summer := month(metering.Electricity, january), month(metering.Electricity, june); float64(summer) > 0.95*float64(winter) {
		t.Errorf("electricity: %d Wh in January, %d in June", winter, summer)
	}
}

func TestAbsenceShows(t *testing.T) {
	r := household.New(1, epoch)
	away, august := 0, 0
	for _, d := range r.Dwellings {
		if !ordinary(d) || len(d.Meters) == 0 {
			continue
		}
		for n := range 395 {
			date := epoch.AddDays(n)
			if !r.Away(d, date) {
				continue
			}
			away++
			if date.Month == time.August {
				august++
			}
			from, to := date.Bounds(r.Zone)
			if got := used(r, meterOf(t, r, d.ID, metering.ColdWater), from, to); got != 0 {
				t.Errorf("%s drew %d mL on %s, when nobody was there", d.ID, got, date)
			}
		}
	}
	if away < 100 || august < away/8 {
		t.Errorf("%d days of absence, of them %d in August", away, august)
	}
}

// nightMinimum is the smallest draw in an hour of the night that begins on the
// n-th day, in mL or Wh.
func nightMinimum(r *household.Residence, m *household.Meter, n int) metering.Amount {
	least := metering.Amount(1 << 60)
	for hour := 24.0; hour < 30; hour += 0.25 {
		least = min(least, used(r, m, after(r, n, hour), after(r, n, hour+1)))
	}
	return least
}

func TestLeakingToilet(t *testing.T) {
	r := household.New(1, epoch)
	m := meterOf(t, r, withStory(t, r, household.LeakingToilet)[0].ID, metering.ColdWater)
	if got := nightMinimum(r, m, 335); got != 0 {
		t.Errorf("before the leak the least of a night's hours drew %d mL, want 0", got)
	}
	for _, day := range []int{340, 360, 394, 500} {
		if got := nightMinimum(r, m, day); got < 24_999 || got > 30_000 {
			t.Errorf("in night %d the least hour drew %d mL, want 25,000", day, got)
		}
	}
}

func TestHighStandby(t *testing.T) {
	r := household.New(1, epoch)
	m := meterOf(t, r, withStory(t, r, household.HighStandby)[0].ID, metering.Electricity)
	for _, day := range []int{0, 100, 394} {
		if got := nightMinimum(r, m, day); got < 150+30 || got > 450 {
			t.Errorf("in night %d the least hour drew %d Wh, want over 180", day, got)
		}
	}
	if got := r.Power(m, after(r, 100, 3)); got < 180 {
		t.Errorf("power at three in the morning is %d W, want over 180", got)
	}
}

func TestCarefulFlat(t *testing.T) {
	r := household.New(1, epoch)
	d := withStory(t, r, household.Careful)[0]
	from, to := after(r, 0, 0), after(r, 365, 0)
	var ml metering.Amount
	for _, k := range []metering.Kind{metering.ColdWater, metering.HotWater} {
		ml += used(r, meterOf(t, r, d.ID, k), from, to)
	}
	if perDay := float64(ml) / 365_000 / float64(d.Households[0].Occupants); perDay > 65 {
		t.Errorf("%.0f L a person and day, want at most 65", perDay)
	}
	if got := nightMinimum(r, meterOf(t, r, d.ID, metering.ColdWater), 200); got != 0 {
		t.Errorf("the least hour of a night drew %d mL, want 0: it has no leak", got)
	}
}

func TestNightWorker(t *testing.T) {
	r := household.New(1, epoch)
	d := withStory(t, r, household.NightWorker)[0]
	m := meterOf(t, r, d.ID, metering.ColdWater)
	var night, day metering.Amount
	dry := 0
	for n := range 365 {
		night += used(r, m, after(r, n, 0), after(r, n, 6))
		day += used(r, m, after(r, n, 8.5), after(r, n, 14.5))
		if used(r, m, after(r, n, 10), after(r, n, 13)) == 0 {
			dry++
		}
	}
	if night < 5*day {
		t.Errorf("%d mL from 0 to 6, %d from 8.30 to 14.30: want mostly at night", night, day)
	}
	if dry < 360 {
		t.Errorf("only %d of 365 days have a dry sleep", dry)
	}
}

func TestColdFlat(t *testing.T) {
	r := household.New(1, epoch)
	cold := withStory(t, r, household.ColdFlat)[0].ID
	january := civil.Date{Year: 2026, Month: 1, Day: 15}.Start(r.Zone)
	july := civil.Date{Year: 2026, Month: 7, Day: 15}.Start(r.Zone)
	sensors := 0
	for _, m := range r.Meters() {
		if m.Kind != metering.Temperature {
			continue
		}
		sensors++
		low, high := metering.Amount(18_500), metering.Amount(22_500)
		if m.Dwelling == cold {
			low, high = 15_000, 17_000
		}
		for hours := range 24 * 7 {
			at := january.Add(time.Duration(hours) * time.Hour)
			if got := r.Register(m, at); got < low || got > high || got%100 != 0 {
				t.Fatalf("%s shows %d m°C at %s, want %d to %d in tenths", m.Dwelling, got, at, low, high)
			}
		}
		if got := r.Temperature(m, july); got < 21_000 || got > 31_000 {
			t.Errorf("%s has %d m°C in July", m.Dwelling, got)
		}
	}
	if sensors < 3 {
		t.Errorf("%d room sensors", sensors)
	}
}

func TestReplacedMeter(t *testing.T) {
	r := household.New(1, epoch)
	d := withStory(t, r, household.ReplacedMeter)[0]
	old, fresh := d.Meters[0], d.Meters[len(d.Meters)-1]
	if old.ID == fresh.ID || old.Slave != fresh.Slave || old.Channel != fresh.Channel || !old.To.Equal(fresh.From) {
		t.Fatalf("want two meters in one place, one after the other, got %+v and %+v", old, fresh)
	}
	at := fresh.From
	if got := civil.DateIn(at, r.Zone); got != epoch.AddDays(200) {
		t.Errorf("replaced on %s, want day 200", got)
	}
	if r.Answers(old, at) || !r.Answers(old, at.Add(-1)) || !r.Answers(fresh, at) || r.Answers(fresh, at.Add(-1)) {
		t.Error("at every instant one of the two must answer")
	}
	if got := r.Index(old, at.Add(100*time.Hour)); got != old.LastIndex || got <= old.FirstIndex {
		t.Errorf("the old meter ends at %d, want its last index %d", got, old.LastIndex)
	}
	if got := r.Index(fresh, at); got != fresh.FirstIndex || got >= old.LastIndex {
		t.Errorf("the new meter begins at %d, want its first index %d", got, fresh.FirstIndex)
	}
	if got := used(r, fresh, at, at.AddDate(0, 2, 0)); got < 1_000_000 {
		t.Errorf("the new meter counted %d mL in two months", got)
	}
}

func TestRollover(t *testing.T) {
	r := household.New(1, epoch)
	m := meterOf(t, r, withStory(t, r, household.Rollover)[0].ID, metering.ColdWater)
	before, later := r.Register(m, after(r, 148, 0)), r.Register(m, after(r, 152, 0))
	if m.IndexModulus != 100_000_000 || before < 90_000_000 || later > 10_000_000 {
		t.Errorf("the register of modulus %d shows %d on day 148 and %d on day 152", m.IndexModulus, before, later)
	}
	if r.Index(m, after(r, 152, 0)) <= r.Index(m, after(r, 148, 0)) {
		t.Error("the true index rolled over too")
	}
}

func TestWhoFallsSilent(t *testing.T) {
	r := household.New(1, epoch)
	dead := meterOf(t, r, withStory(t, r, household.DeadMeter)[0].ID, metering.Electricity)
	if !r.Answers(dead, after(r, 299, 23)) || r.Answers(dead, after(r, 301, 0)) {
		t.Error("the dead meter must answer until day 300 and not after")
	}
	for _, m := range r.Meters() {
		silent := m.Gateway == "gw-d"
		if m.To.IsZero() && m.From.Equal(after(r, 0, 0)) && !r.Answers(m, after(r, 200, 0)) {
			t.Errorf("%s does not answer on day 200", m.ID)
		}
		if m.To.IsZero() && m.DeadFrom.IsZero() && r.Answers(m, after(r, 386, 0)) == silent {
			t.Errorf("%s at %s answers on day 386: %v", m.ID, m.Gateway, !silent)
		}
	}
	for _, d := range withStory(t, r, household.SilentGateway) {
		if d.Building != "C" || d.Staircase != 2 {
			t.Errorf("%s is behind the silent gateway", d.ID)
		}
	}
}

func TestSwappedFlats(t *testing.T) {
	r := household.New(1, epoch)
	pair := withStory(t, r, household.Swapped)
	if len(pair) != 2 {
		t.Fatalf("%d swapped flats, want 2", len(pair))
	}
	for i, d := range pair {
		other := pair[1-i].ID
		for _, m := range d.Meters {
			want := other
			if m.Kind == metering.Electricity {
				want = d.ID
			}
			if m.Dwelling != d.ID || m.Bound != want {
				t.Errorf("%s meter of %s is listed for %s, want %s", m.Kind, m.Dwelling, m.Bound, want)
			}
		}
	}
}

func TestWhoLivesThere(t *testing.T) {
	r := household.New(1, epoch)
	if got := len(withStory(t, r, household.Unmetered)); got != 4 {
		t.Errorf("%d flats without meters, want 4", got)
	}
	for _, d := range withStory(t, r, household.Unmetered) {
		if len(d.Meters) != 0 {
			t.Errorf("%s has meters", d.ID)
		}
	}
	d := withStory(t, r, household.ChangedHousehold)[0]
	first, second := d.HouseholdOn(epoch.AddDays(249)), d.HouseholdOn(epoch.AddDays(250))
	if first == second || first.Persons[0].Name() == second.Persons[0].Name() {
		t.Errorf("%s: the household did not change on day 250", d.ID)
	}
	empty := withStory(t, r, household.Empty)[0]
	if empty.HouseholdOn(epoch.AddDays(119)) == nil || empty.HouseholdOn(epoch.AddDays(120)) != nil {
		t.Errorf("%s: somebody must live there until day 120 and nobody after", empty.ID)
	}
	for _, m := range empty.Meters {
		if got := used(r, m, after(r, 120, 0), after(r, 395, 0)); got != 0 {
			t.Errorf("%s counted %d %s in an empty flat", m.ID, got, m.Kind.IndexUnit())
		}
	}
}
