package tenant

import (
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// plain writes a page's spaces as a test types them.
func plain(text string) string {
	return strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(text)
}

func day(t *testing.T, text string) civil.Date {
	t.Helper()
	d, err := civil.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A scene is a home on one day: so many litres each day since a date.
type scene struct {
	name       string
	today      string
	now, then  metering.Amount // mL a day this year and last year
	since      string          // the first day that is known
	hole       string          // a day that nobody knows; empty for none
	kind       metering.Kind
	resolution metering.Resolution
	arrow      course
	sentence   string
	with       string
}

func TestHeadline(t *testing.T) {
	fine := metering.Fine
	for _, tt := range []scene{
		{"less than a year ago", "2026-03-18", 80_000, 100_000, "2025-01-01", "", metering.ColdWater, fine, less, "Ce mois-ci : moins d’eau froide que l’an dernier.", "Comparé aux 17 mêmes jours, en mars 2025."},
		{"more than a year ago", "2026-03-18", 120_000, 100_000, "2025-01-01", "", metering.Electricity, fine, more, "Ce mois-ci : plus d’électricité que l’an dernier.", "Comparé aux 17 mêmes jours, en mars 2025."},
		{"within five percent it is the same", "2026-03-18", 104_000, 100_000, "2025-01-01", "", metering.Gas, fine, same, "Ce mois-ci : autant de gaz que l’an dernier.", "Comparé aux 17 mêmes jours, en mars 2025."},
		{"on the seventh", "2026-03-07", 80_000, 100_000, "2025-01-01", "", metering.ColdWater, fine, less, "Ce mois-ci : moins d’eau froide que l’an dernier.", "Comparé aux 6 mêmes jours, en mars 2025."},
		{"not before the seventh", "2026-03-06", 80_000, 100_000, "2025-01-01", "", metering.ColdWater, fine, "", "Le mois commence. La comparaison arrive le 7.", ""},
		{"last month where last year is not known", "2026-03-18", 80_000, 0, "2026-02-01", "", metering.ColdWater, fine, same, "Ce mois-ci : autant d’eau froide que le mois dernier.", "Comparé aux 17 mêmes jours, en février 2026."},
		{"heat never with the month before", "2026-03-18", 80_000, 0, "2026-02-01", "", metering.Heat, fine, "", "Pas encore de comparaison. Il faut encore des jours relevés.", ""},
		{"a hole last year", "2026-03-18", 80_000, 100_000, "2025-02-01", "2025-03-05", metering.ColdWater, fine, same, "Ce mois-ci : autant d’eau froide que le mois dernier.", "Comparé aux 17 mêmes jours, en février 2026."},
		{"a hole this month compares nothing", "2026-03-18", 80_000, 100_000, "2025-02-01", "2026-03-05", metering.ColdWater, fine, "", "Pas encore de comparaison. Il faut encore des jours relevés.", ""},
		{"nothing used last year", "2026-03-18", 80_000, 0, "2025-03-01", "2026-02-03", metering.ColdWater, fine, "", "Pas encore de comparaison. Il faut encore des jours relevés.", ""},
		{"read by month", "2026-03-02", 80_000, 100_000, "2025-01-01", "", metering.Heat, metering.Month, less, "En février 2026 : moins de chauffage que l’an dernier.", "Comparé à février 2025. Nous n’avons pas pu tenir compte du froid."},
		{"not read", "2026-03-18", 80_000, 100_000, "2025-01-01", "", metering.Gas, metering.Off, "", "Aucun compteur n’est relevé ici. Il faut d’abord un accord.", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			teller, ago := tt.play(t)
			var all []comparison
			if c, ok := teller.compare(teller.home.Series[0], ago); ok {
				all = append(all, c)
			}
			h := teller.headline(all, false)
			if got := plain(h.Sentence); h.Arrow != tt.arrow || got != tt.sentence || !strings.HasSuffix(plain(h.More), tt.with) || strings.Contains(plain(h.More), " de "+map[course]string{less: "moins", more: "plus"}[h.Arrow]+".") != (h.Arrow == less || h.Arrow == more) {
				t.Errorf("%q %q (%q), want %q %q (%q)", h.Arrow, got, plain(h.More), tt.arrow, tt.sentence, tt.with)
			}
		})
	}
}

// play makes the home of the scene, and the same a year ago.
func (s scene) play(t *testing.T) (teller, beside) {
	t.Helper()
	today := day(t, s.today)
	stay := premises.Stay{Dwelling: premises.Dwelling{ID: "D"}, Zone: time.UTC, MovedIn: day(t, "2020-01-01"), From: today.MonthOf().Prev().First(), To: today.AddDays(1)}
	home := consumption.Home{Today: today, Zone: time.UTC, Stays: []premises.Stay{stay}, Series: []consumption.Series{s.series(t, stay.From, today, s.now)}}
	ago := home
	month := yearAgo(today.MonthOf())
	ago.Series = []consumption.Series{s.series(t, month.Prev().First(), month.First().AddDays(today.Day), s.then)}
	return teller{Language: web.French(), home: home, now: today.Start(time.UTC)}, beside{year: ago, yearKnown: true}
}

func (s scene) series(t *testing.T, from, to civil.Date, used metering.Amount) consumption.Series {
	t.Helper()
	series := consumption.Series{Kind: s.kind, Resolution: s.resolution}
	if s.resolution == metering.Month {
		month := from.MonthOf()
		start, end := month.Bounds(time.UTC)
		part := metering.Part{From: metering.Boundary{Meter: "m", At: start}, To: metering.Boundary{Meter: "m", At: end, Index: 28 * used}}
		series.Months = []consumption.Month{{Month: month, Why: metering.Explain(s.kind, start, end, []metering.Part{part})}}
		return series
	}
	for date := from; date.Before(to); date = date.AddDays(1) {
		if !date.Before(day(t, s.since)) && date.String() != s.hole {
			series.Days = append(series.Days, consumption.Day{Date: date, Used: used, Coverage: 1})
		}
	}
	return series
}

// What stands out is said, not what comes first.
func TestHeadlineSaysWhatChangedMost(t *testing.T) {
	teller, _ := scene{today: "2026-03-18", since: "2025-01-01", kind: metering.ColdWater, resolution: metering.Fine}.play(t)
	h := teller.headline([]comparison{
		{kind: metering.ColdWater, pair: pair{used: 94, before: 100}, since: "le mois dernier", change: &change{}},
		{kind: metering.Electricity, pair: pair{used: 150, before: 100}, since: "l’an dernier", change: &change{HowMuch: "h", With: "w"}},
		{kind: metering.Gas, pair: pair{used: 60, before: 100}, since: "le mois dernier", change: &change{}},
	}, false)
	if want := "Ce mois-ci : plus d’électricité que l’an dernier."; plain(h.Sentence) != want || h.Arrow != more || h.More != "h w" {
		t.Errorf("%+v, want %q", h, want)
	}
}

// The other flat's figures say nothing of what the household does.
func TestHomesCompareOnlyWithThemselves(t *testing.T) {
	home := func(ids ...premises.DwellingID) consumption.Home {
		var h consumption.Home
		for _, id := range ids {
			h.Stays = append(h.Stays, premises.Stay{Dwelling: premises.Dwelling{ID: id}})
		}
		return h
	}
	for _, tt := range []struct {
		name string
		a, b consumption.Home
		want bool
	}{
		{"the same", home("a"), home("a"), true},
		{"moved since", home("b"), home("a"), false},
		{"moved in between", home("b"), home("a", "b"), false},
		{"moved now", home("a", "b"), home("a"), false},
		{"nowhere", home("a"), home(), false},
	} {
		if got := sameHomes(tt.a, tt.b); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}

// Between two stays somebody else lived there: a total never spans it.
func TestTotalsJoinOnlyWhatTouches(t *testing.T) {
	at := func(text string) time.Time { return day(t, text).Start(time.UTC) }
	part := func(meter metering.MeterID, from string, first metering.Amount, to string, last metering.Amount) metering.Part {
		return metering.Part{From: metering.Boundary{Meter: meter, At: at(from), Index: first}, To: metering.Boundary{Meter: meter, At: at(to), Index: last}}
	}
	month := func(parts ...metering.Part) consumption.Month {
		return consumption.Month{Why: metering.Explanation{Parts: parts}}
	}
	s := consumption.Series{Kind: metering.ColdWater, Months: []consumption.Month{
		month(part("a", "2026-01-01", 100, "2026-02-01", 130)), month(part("a", "2026-02-01", 130, "2026-03-01", 170)),
		month(part("a", "2026-05-10", 900, "2026-06-01", 920)), // after somebody else's 730
		month(part("b", "2026-06-01", 0, "2026-07-01", 5)),
	}}
	got := total(s, at("2026-01-01"), at("2027-01-01"))
	if len(got.Parts) != 3 || got.Used != 70+20+5 {
		t.Errorf("total = %d in %d parts, want 95 in 3: %+v", got.Used, len(got.Parts), got.Parts)
	}
	if got.Parts[0].Used() != 70 {
		t.Errorf("the first part is %+v, want January and February joined", got.Parts[0])
	}
}

// The month of moving in is right for the days lived, and compares with no whole
// month.
func TestWholeMonth(t *testing.T) {
	march := civil.Month{Year: 2026, Month: 3}
	at := func(text string) time.Time { return day(t, text).Start(time.UTC) }
	for _, tt := range []struct {
		name, from, to string
		open, want     bool
		coverage       float64
	}{
		{"from end to end", "2026-03-01", "2026-04-01", false, true, 1},
		{"moved in", "2026-03-15", "2026-04-01", false, false, 1},
		{"moved out", "2026-03-01", "2026-03-31", false, false, 1},
		{"not over", "2026-03-01", "2026-04-01", true, false, 1},
		{"with a hole", "2026-03-01", "2026-04-01", false, false, 0.9},
	} {
		part := metering.Part{From: metering.Boundary{At: at(tt.from)}, To: metering.Boundary{At: at(tt.to), Index: 7}}
		s := consumption.Series{Months: []consumption.Month{{Month: march, Open: tt.open,
			Why: metering.Explanation{Parts: []metering.Part{part}, Used: 7, Coverage: tt.coverage}}}}
		if _, got := wholeMonth(s, march, time.UTC); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
	if _, got := wholeMonth(consumption.Series{}, march, time.UTC); got {
		t.Error("a month that nobody knows is whole")
	}
}

// Between two homes there is nowhere to turn to.
func TestNearestPeriod(t *testing.T) {
	stay := func(from, to string) premises.Stay { return premises.Stay{From: day(t, from), To: day(t, to)} }
	s := sheet{stays: []premises.Stay{stay("2025-02-10", "2025-06-01"), stay("2026-01-15", "2026-03-19")}}
	s.home.Today = day(t, "2026-03-18")
	for _, tt := range []struct{ at, prev, next string }{
		{"2026-03", "2026-02", ""},
		{"2026-01", "2025-05", "2026-02"},
		{"2025-05", "2025-04", "2026-01"},
		{"2025-02", "", "2025-03"},
		{"2026", "2025", ""},
		{"2026-03-16", "2026-03-09", ""},
	} {
		p, err := parsePeriod(tt.at)
		if err != nil {
			t.Fatal(err)
		}
		s.period = p
		var got [2]string
		if p, ok := s.nearest(period.prev); ok {
			got[0] = p.String()
		}
		if p, ok := s.nearest(period.next); ok {
			got[1] = p.String()
		}
		if want := [2]string{tt.prev, tt.next}; got != want {
			t.Errorf("around %s: %q, want %q", tt.at, got, want)
		}
	}
}

// Where nothing changed, no kind is singled out.
func TestHeadlineOfKindsThatStayTheSame(t *testing.T) {
	teller, _ := scene{today: "2026-03-18", since: "2025-01-01", kind: metering.ColdWater, resolution: metering.Fine}.play(t)
	alike := func(with string) []comparison {
		return []comparison{
			{kind: metering.ColdWater, pair: pair{used: 98, before: 100}, since: "l’an dernier", with: "w", change: &change{With: "w"}},
			{kind: metering.Electricity, pair: pair{used: 101, before: 100}, since: "l’an dernier", with: with, change: &change{With: with}},
		}
	}
	for with, want := range map[string]string{"w": "Ce mois-ci : presque pareil que l’an dernier.", "v": "Ce mois-ci : autant d’eau froide que l’an dernier."} {
		if h := teller.headline(alike(with), false); plain(h.Sentence) != want || h.Arrow != same {
			t.Errorf("%+v, want %q", h, want)
		}
	}
}

// Who takes one of the two figures from the other finds the difference.
func TestDifferenceIsOfTheShownFigures(t *testing.T) {
	for _, tt := range []struct {
		kind         metering.Kind
		used, before metering.Amount
		both, by     string
	}{
		{metering.Electricity, 219_960, 231_860, "220 kWh au lieu de 232 kWh.", "12,0 kWh de moins."},
		{metering.Electricity, 95_440, 110_480, "95,4 kWh au lieu de 110 kWh.", "14,6 kWh de moins."},
		{metering.ColdWater, 13_614_000, 11_046_000, "13,61 m³ au lieu de 11,05 m³.", "2,56 m³ de plus."},
		{metering.HotWater, 2_670_000, 2_405_000, "2,67 m³ au lieu de 2,41 m³.", "260 litres de plus."},
		{metering.HotWater, 1_190_000, 975_000, "1,19 m³ au lieu de 0,98 m³.", "210 litres de plus."}, // in one unit
		{metering.HotWater, 975_000, 1_190_000, "0,98 m³ au lieu de 1,19 m³.", "210 litres de moins."},
		{metering.HotWater, 1_204_000, 4_000, "1,20 m³ au lieu de 4 litres.", "1,20 m³ de plus."}, // not 0,00 m³
	} {
		c := newChange(web.French(), tt.kind, pair{used: tt.used, before: tt.before}, "")
		if plain(c.Both) != tt.both || plain(c.HowMuch) != tt.by {
			t.Errorf("%s %d and %d: %q %q, want %q %q", tt.kind, tt.used, tt.before, plain(c.Both), plain(c.HowMuch), tt.both, tt.by)
		}
	}
}
