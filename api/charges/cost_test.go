package charges_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

func date(t testing.TB, text string) civil.Date {
	t.Helper()
	d, err := civil.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A meter is read at the first instant of some days; its index is known on those.
type meter struct {
	kind metering.Kind
	days map[civil.Date]metering.Amount
}

// Over is the difference of the first and the last index that are known within.
func (m meter) Over(from, to civil.Date) metering.Explanation {
	var first, last *metering.Boundary
	for d := from; !to.Before(d); d = d.AddDays(1) {
		if index, ok := m.days[d]; ok {
			b := metering.Boundary{Meter: "m", At: d.Start(time.UTC), Index: index}
			if first == nil {
				first = &b
			} else {
				last = &b
			}
		}
	}
	if last == nil {
		return metering.Explain(m.kind, from.Start(time.UTC), to.Start(time.UTC), nil)
	}
	return metering.Explain(m.kind, from.Start(time.UTC), to.Start(time.UTC), []metering.Part{{From: *first, To: *last}})
}

// daily is a meter that counts the same each day.
func daily(t testing.TB, k metering.Kind, from string, days int, each metering.Amount) meter {
	t.Helper()
	m := meter{k, map[civil.Date]metering.Amount{}}
	for i := range days + 1 {
		m.days[date(t, from).AddDays(i)] = metering.Amount(i) * each
	}
	return m
}

func all(metering.Part) bool  { return true }
func none(metering.Part) bool { return false }

// The regulated price of electricity, base option, taxes included, fell from
// 0.2016 to 0.1952 € a kWh on 2025-08-01.
func electricity(t testing.TB) charges.Tariffs {
	t.Helper()
	return charges.Tariffs{
		{Kind: metering.Electricity, From: date(t, "2025-08-01"), Bill: metering.Supplier, MicroEUR: 195_200, Per: "kWh", IndividualPercent: 100, FixedMonthlyCents: 1200},
		{Kind: metering.Electricity, From: date(t, "2025-02-01"), Bill: metering.Supplier, MicroEUR: 201_600, Per: "kWh", IndividualPercent: 100, FixedMonthlyCents: 1300},
	}
}

func TestCostOverAChangeOfPrice(t *testing.T) {
	m := daily(t, metering.Electricity, "2025-07-01", 62, 5_000) // 5 kWh a day
	got := electricity(t).Cost(m, time.UTC, date(t, "2025-07-01"), date(t, "2025-09-01"), all)
	// 31 × 5 kWh × 0.2016 = 31.248 €; 31 × 5 kWh × 0.1952 = 30.256 €: 31.25 € + 30.26 €.
	want := &metering.Cost{SupplierCents: 6151, Lines: []metering.CostLine{
		{Of: "use", From: "2025-07-01", To: "2025-08-01", Used: 155_000, Price: metering.Price{MicroEUR: 201_600, Per: "kWh", From: "2025-02-01"},
			SharePercent: 100, MicroEUR: 31_248_000, Bill: "supplier", Formula: "155.000 kWh x 0.201600 EUR/kWh"},
		{Of: "use", From: "2025-08-01", To: "2025-09-01", Used: 155_000, Price: metering.Price{MicroEUR: 195_200, Per: "kWh", From: "2025-08-01"},
			SharePercent: 100, MicroEUR: 30_256_000, Bill: "supplier", Formula: "155.000 kWh x 0.195200 EUR/kWh"},
	}}
	if diff := cmp.Diff(want, got.Cost); diff != "" || got.NoCost != nil {
		t.Errorf("cost (-want +got):\n%s no cost: %v", diff, got.NoCost)
	}
	if got.Cost.ChargesCents != 0 {
		t.Error("a supplier's bill counts as charges")
	}
}

// Who adds up the lines of a page finds its total. The exact sums are 60.236 € and
// 412.480 €, a cent more than what is shown comes to.
func TestTotalIsTheSumOfTheLinesAsShown(t *testing.T) {
	tariffs := charges.Tariffs{
		{Kind: metering.HotWater, From: date(t, "2026-03-01"), Bill: metering.Charges, MicroEUR: 4_690_000, Per: "m3", HeatMicroEUR: 105_000, WhPerM3: 70_000, IndividualPercent: 100},
		{Kind: metering.HotWater, From: date(t, "2024-01-01"), Bill: metering.Charges, MicroEUR: 4_690_000, Per: "m3", HeatMicroEUR: 101_920, WhPerM3: 70_000, IndividualPercent: 100},
	}
	year := meter{metering.HotWater, map[civil.Date]metering.Amount{date(t, "2026-01-01"): 0, date(t, "2026-03-01"): 7_449_100, date(t, "2026-11-01"): 34_392_500}}
	month := meter{metering.HotWater, map[civil.Date]metering.Amount{date(t, "2026-10-01"): 0, date(t, "2026-11-01"): 5_003_000}}
	for _, tt := range []struct {
		name  string
		m     meter
		from  string
		lines []int64
		want  int64
	}{
		{"a month", month, "2026-10-01", []int64{2346, 3677}, 6023},
		{"a year with a change of price", year, "2026-01-01", []int64{3494, 5314, 12636, 19803}, 41247},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tariffs.Cost(tt.m, time.UTC, date(t, tt.from), date(t, "2026-11-01"), all)
			if got.Cost == nil {
				t.Fatalf("no cost: %+v", got.NoCost)
			}
			var lines []int64
			for _, l := range got.Cost.Lines {
				lines = append(lines, l.Cents())
			}
			if diff := cmp.Diff(tt.lines, lines); diff != "" || got.Cost.ChargesCents != tt.want {
				t.Errorf("%d cents, want %d; lines (-want +got):\n%s", got.Cost.ChargesCents, tt.want, diff)
			}
		})
	}
}

// The index on the day of the change is not known: the time shares the use, the
// total stays exact, and it says so.
func TestCostWithoutTheIndexOfTheChange(t *testing.T) {
	m := meter{metering.Electricity, map[civil.Date]metering.Amount{date(t, "2025-07-01"): 0, date(t, "2025-09-01"): 310_001}}
	got := electricity(t).Cost(m, time.UTC, date(t, "2025-07-01"), date(t, "2025-09-01"), all)
	if got.Cost == nil || len(got.Cost.Lines) != 2 {
		t.Fatalf("cost = %+v, %+v", got.Cost, got.NoCost)
	}
	a, b := got.Cost.Lines[0], got.Cost.Lines[1]
	if !a.Estimated || !b.Estimated || a.Used != 155_000 || a.Used+b.Used != 310_001 {
		t.Errorf("shares = %d, %d", a.Used, b.Used)
	}
}

func TestNoCost(t *testing.T) {
	m := daily(t, metering.Electricity, "2025-01-15", 40, 5_000)
	ends := electricity(t)[1:]
	ends[0].Until = date(t, "2025-02-10")
	for _, tt := range []struct {
		name     string
		tariffs  charges.Tariffs
		m        meter
		from, to string
		verified func(metering.Part) bool
		want     metering.NoCost
	}{
		{"a price missing at the beginning", electricity(t), m, "2025-01-20", "2025-02-20", all, metering.NoCost{Reason: "price_missing", From: "2025-01-20", To: "2025-02-01"}},
		{"no price at all", nil, m, "2025-01-20", "2025-02-20", all, metering.NoCost{Reason: "price_missing", From: "2025-01-20", To: "2025-02-20"}},
		{"a price that ended", ends, m, "2025-02-01", "2025-02-20", all, metering.NoCost{Reason: "price_missing", From: "2025-02-10", To: "2025-02-20"}},
		{"of another kind", electricity(t), meter{metering.Heat, m.days}, "2025-02-01", "2025-02-20", all, metering.NoCost{Reason: "price_missing", From: "2025-02-01", To: "2025-02-20"}},
		{"nothing read", electricity(t), m, "2025-06-01", "2025-07-01", all, metering.NoCost{Reason: "no_reading"}},
		{"not checked", electricity(t), m, "2025-02-01", "2025-02-20", none, metering.NoCost{Reason: "not_verified"}},
		{"a temperature", electricity(t), meter{metering.Temperature, m.days}, "2025-02-01", "2025-02-20", all, metering.NoCost{Reason: "not_priceable"}},
		{"no household used that", electricity(t), meter{metering.Electricity, map[civil.Date]metering.Amount{date(t, "2025-02-01"): 0, date(t, "2025-02-20"): math.MaxInt64}},
			"2025-02-01", "2025-02-20", all, metering.NoCost{Reason: "not_plausible"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.tariffs.Cost(tt.m, time.UTC, date(t, tt.from), date(t, tt.to), tt.verified)
			if diff := cmp.Diff(&tt.want, got.NoCost); diff != "" || got.Cost != nil || got.Price != nil {
				t.Errorf("no cost (-want +got):\n%s cost: %+v", diff, got.Cost)
			}
		})
	}
}

// Only days that were measured need a price: of what came before nothing is told.
func TestPriceIsNeededOnlyWhereSomethingWasMeasured(t *testing.T) {
	m := daily(t, metering.Electricity, "2025-02-10", 10, 5_000)
	got := electricity(t).Cost(m, time.UTC, date(t, "2025-01-01"), date(t, "2025-03-01"), all)
	if got.Cost == nil || got.Cost.SupplierCents != 1008 { // 50 kWh × 0.2016
		t.Errorf("cost = %+v, %+v", got.Cost, got.NoCost)
	}
}

func TestSharedHeatAndHotWater(t *testing.T) {
	tariffs := charges.Tariffs{
		{Kind: metering.Heat, From: date(t, "2025-01-01"), Bill: metering.Charges, MicroEUR: 102_000, Per: "kWh", IndividualPercent: 70},
		{Kind: metering.HotWater, From: date(t, "2025-01-01"), Bill: metering.Charges, MicroEUR: 4_690_000, Per: "m3", HeatMicroEUR: 102_000, WhPerM3: 90_000, IndividualPercent: 100},
		{Kind: metering.Gas, From: date(t, "2025-01-01"), Bill: metering.Supplier, MicroEUR: 132_490, Per: "kWh", WhPerM3: 11_200, IndividualPercent: 100},
	}
	for _, tt := range []struct {
		kind              metering.Kind
		each              metering.Amount
		charges, supplier int64
		lines             []string
	}{
		{metering.Heat, 40_000, 2856, 0, []string{"400.000 kWh x 0.102000 EUR/kWh x 70 %"}},                                          // 400 × 0.102 × 0.7
		{metering.HotWater, 100_000, 1387, 0, []string{"1.000 m3 x 4.690000 EUR/m3", "1.000 m3 x 90.000 kWh/m3 x 0.102000 EUR/kWh"}}, // 4.69 + 90 × 0.102
		{metering.Gas, 100_000, 0, 148, []string{"1.000 m3 x 11.200 kWh/m3 x 0.132490 EUR/kWh"}},                                     // 11.2 × 0.13249
	} {
		got := tariffs.Cost(daily(t, tt.kind, "2025-03-01", 10, tt.each), time.UTC, date(t, "2025-03-01"), date(t, "2025-03-11"), all)
		if got.Cost == nil || got.Cost.ChargesCents != tt.charges || got.Cost.SupplierCents != tt.supplier {
			t.Errorf("%s: %+v, %+v, want %d and %d", tt.kind, got.Cost, got.NoCost, tt.charges, tt.supplier)
			continue
		}
		var formulas []string
		for _, l := range got.Cost.Lines {
			formulas = append(formulas, l.Formula)
		}
		if diff := cmp.Diff(tt.lines, formulas); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.kind, diff)
		}
	}
	rates, ok := tariffs.Rates(metering.HotWater, date(t, "2025-03-01"))
	if !ok || len(rates) != 2 || rates[1].MicroEUR != 9_180_000 || rates[1].Per != "m3" || rates[0].MicroEUR != 4_690_000 {
		t.Errorf("rates of hot water = %+v", rates)
	}
	if rates, _ := tariffs.Rates(metering.Heat, date(t, "2025-03-01")); len(rates) != 1 || rates[0].Share != 0.7 || rates[0].Bill != metering.Charges {
		t.Errorf("rates of heat = %+v", rates)
	}
	if _, ok := tariffs.Rates(metering.Heat, date(t, "2024-12-31")); ok {
		t.Error("there is a rate before the first tariff")
	}
}

func TestFixed(t *testing.T) {
	got, ok := electricity(t).Fixed(metering.Electricity, date(t, "2025-07-01"), date(t, "2025-08-11"))
	// A whole month at 13 €, 10 of 31 days at 12 €.
	if want := map[metering.Bill]int64{metering.Supplier: 1687}; !ok || !cmp.Equal(got, want) {
		t.Errorf("fixed = %v, %v, want %v", got, ok, want)
	}
	if _, ok := electricity(t).Fixed(metering.Electricity, date(t, "2025-01-31"), date(t, "2025-02-02")); ok {
		t.Error("a day without a price has a fixed part")
	}
}

// Whatever the prices and the days of their changes, the lines share all that was
// used, and nothing is billed twice.
func FuzzCost(f *testing.F) {
	f.Add(int64(310_001), int64(201_600), int64(195_200), uint8(31), true)
	f.Add(int64(0), int64(0), int64(100_000_000), uint8(0), false)
	f.Add(int64(math.MaxInt64), int64(1), int64(1), uint8(200), true)
	f.Fuzz(func(t *testing.T, used, before, after int64, day uint8, known bool) {
		if used < 0 || before < 0 || after < 0 || before > 100_000_000 || after > 100_000_000 {
			t.Skip("the schema refuses it")
		}
		first := date(t, "2025-03-01")
		change := first.AddDays(int(day))
		m := meter{metering.Electricity, map[civil.Date]metering.Amount{first: 0, first.AddDays(60): metering.Amount(used)}}
		if known && day > 0 && day < 60 {
			m.days[change] = metering.Amount(used / 2)
		}
		tariffs := charges.Tariffs{
			{Kind: metering.Electricity, From: first.AddDays(-1), Bill: metering.Supplier, MicroEUR: before, Per: "kWh", IndividualPercent: 100},
			{Kind: metering.Electricity, From: change.AddDays(1), Bill: metering.Supplier, MicroEUR: after, Per: "kWh", IndividualPercent: 100},
		}
		got := tariffs.Cost(m, time.UTC, first, first.AddDays(60), all)
		if got.Cost == nil {
			if got.NoCost == nil || got.NoCost.Reason != metering.NotPlausible {
				t.Errorf("no cost: %+v", got.NoCost)
			}
			return
		}
		var sum metering.Amount
		for _, l := range got.Cost.Lines {
			sum += l.Used
		}
		if sum != metering.Amount(used) || got.Used != sum || got.Cost.SupplierCents < 0 {
			t.Errorf("%d used, the lines share %d, %d cents", used, sum, got.Cost.SupplierCents)
		}
	})
}
