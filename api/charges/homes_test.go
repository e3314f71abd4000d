package charges_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A second flat, of the same person: another household's, or that of the same one.
const second = `  - id: e
    label: "7"
    area_m2: 30
    households: [{id: HOUSEHOLD, occupants: 2, language: fr, moved_in: 2025-06-01, consents: [daily_follow_up], persons: [{id: p, name: Éloïse Bérenger}]}]
    points:
      - {id: pf, kind: cold_water, meters: [{id: fw, gateway: g, interval: 10m, resolution: day, from: "2024-01-01T00:00:00Z"}]}
`

// Who belongs to two households at once is told of one home at a time.
func TestTwoHouseholdsAtOnce(t *testing.T) {
	f := furnishedWith(t, flat+strings.Replace(second, "HOUSEHOLD", "h2", 1), "2026-03-05 09:00:00")
	f.verify(t)
	f.months(t, "cw", "2025-01", each(14, 5_000_000)...)
	f.months(t, "fw", "2025-07", each(8, 2_000_000)...)
	february := civil.Month{Year: 2026, Month: 2}
	for _, tt := range []struct {
		household premises.HouseholdID
		label     string
		used      metering.Amount
	}{{"", "7", 2_000_000}, {"h2", "7", 2_000_000}, {"h", "12", 5_000_000}} {
		v := premises.Viewer{Person: "p", Household: tt.household}
		n, err := f.writer.Monthly(t.Context(), v, february, f.now)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(n.Kinds, func(k charges.NoteKind) bool { return k.Kind == metering.ColdWater })
		if k := n.Kinds[i]; n.Place.Label != tt.label || k.Period.Used != tt.used || *k.Bars[11].Used != tt.used {
			t.Errorf("note of %q: flat %s, %d", tt.household, n.Place.Label, k.Period.Used)
		}
		compare := consumption.CompareHandler{Reader: f.reader, Around: f.writer.Around, Now: f.handler.Now}
		all, err := compare.Compare(t.Context(), v, february.First(), february.Next().First())
		if err != nil || all[0].Kind() != metering.ColdWater || all[0].Explanation.Used != tt.used {
			t.Errorf("compared in %q: %+v, %v", tt.household, all, err)
		}
	}
	sqldbtest.Exec(t, f.db, `DELETE FROM tariff WHERE kind IN ('heat', 'hot_water')`) // the second flat has neither
	o, err := f.handler.Outlook(t.Context(), premises.Own("p"))
	if err != nil || o.SoFarCents != 2*2*400 || o.From != date(t, "2026-01-01") { // two months of 2 m³ at 4 €
		t.Errorf("outlook = %+v, %v", o, err)
	}
}

// Of a household with two dwellings at once no figure is of its home; a few days with
// two keys are a move.
func TestTwoDwellingsAtOnce(t *testing.T) {
	f := furnishedWith(t, flat+strings.Replace(second, "HOUSEHOLD", "h", 1), "2026-03-05 09:00:00")
	f.verify(t)
	f.months(t, "cw", "2025-01", each(14, 5_000_000)...)
	f.months(t, "fw", "2025-07", each(8, 2_000_000)...)
	february := civil.Month{Year: 2026, Month: 2}
	_, err := f.writer.Monthly(t.Context(), premises.Own("p"), february, f.now)
	if !errors.Is(err, consumption.ErrSeveralHomes) || problem.Of(err).Kind != problem.NotFound {
		t.Errorf("a note of two dwellings: %v", err)
	}
	if _, err := f.handler.Outlook(t.Context(), premises.Own("p")); !errors.Is(err, consumption.ErrSeveralHomes) {
		t.Errorf("an outlook of two dwellings: %v", err)
	}
	sqldbtest.Exec(t, f.db, `UPDATE tenancy SET moved_out = '2025-06-05' WHERE dwelling_id = 'd'`)
	n, err := f.writer.Monthly(t.Context(), premises.Own("p"), february, f.now)
	if err != nil || len(n.Kinds) != 1 || n.Kinds[0].Period.Used != 2_000_000 || n.Kinds[0].LastYear.Refused != consumption.OtherHome {
		t.Errorf("after the move: %+v, %v", n.Kinds, err)
	}
}

// The home before was in another residence: the note of the new one has its price,
// and bars of it alone.
func TestNoteAfterAMoveFromElsewhere(t *testing.T) {
	f := furnishedFlat(t, "2026-03-05 09:00:00")
	for _, statement := range []string{
		`INSERT INTO residence (id, name, zone, earliest_ms) VALUES ('S', 'Safran', 'Europe/Paris', 0)`,
		`INSERT INTO gateway (id, residence_id) VALUES ('gs', 'S')`,
		`INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2) VALUES ('o', 'S', '', '', '1', 0, 3, 60)`,
		`INSERT INTO point (id, dwelling_id, kind) VALUES ('po', 'o', 'cold_water')`,
		`INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution) VALUES ('ow', 'gs', 'cold_water', 0, 0, 600, 'day')`,
		`INSERT INTO binding (meter_id, point_id, from_ms) VALUES ('ow', 'po', 1704067200000)`,
		`UPDATE tenancy SET moved_in = '2026-01-20'`,
		`INSERT INTO tenancy (id, household_id, dwelling_id, moved_in, moved_out) VALUES ('to', 'h', 'o', '2024-06-01', '2026-01-20')`,
	} {
		sqldbtest.Exec(t, f.db, statement)
	}
	f.verify(t)
	f.months(t, "ow", "2024-07", each(18, 7_000_000)...)
	f.months(t, "cw", "2025-01", each(14, 5_000_000)...)
	n, err := f.writer.Monthly(t.Context(), premises.Own("p"), civil.Month{Year: 2026, Month: 2}, f.now)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(n.Kinds, func(k charges.NoteKind) bool { return k.Kind == metering.ColdWater })
	k := n.Kinds[i]
	if k.Period.Cost == nil || k.Period.Cost.ChargesCents != 2000 || k.LastYear.Refused != consumption.OtherHome {
		t.Errorf("period = %+v, %+v, last year = %+v", k.Period.Cost, k.Period.NoCost, k.LastYear)
	}
	for _, b := range k.Bars[:11] {
		if b.Used != nil || b.LastYear != nil {
			t.Errorf("the bar of %s is of the home before, or of who lived here", b.Month)
		}
	}
	if k.Since != date(t, "2026-02-01") { // January was not lived here whole, and is known by the month
		t.Errorf("since = %v", k.Since)
	}
	for language, want := range map[string]string{"fr": "Depuis le 1er février 2026", "en": "Since 1 February 2026"} {
		if text := linesOf(t, n, language, i); !strings.Contains(text, want) || strings.Contains(text, "janvier") {
			t.Errorf("%s: %s, want %q", language, text, want)
		}
	}
}

// linesOf is what the sheet says of a kind, its firm spaces made plain.
func linesOf(t *testing.T, n charges.Note, language string, i int) string {
	t.Helper()
	sheet, err := n.Sheet(language, "", head(), date(t, "2026-03-05"))
	if err != nil {
		t.Fatal(err)
	}
	k := sheet.Kinds[i]
	return strings.ReplaceAll(strings.Join(append([]string{k.Figure}, k.Lines...), " | "), "\u00a0", " ")
}

// A note says of which month the neighbours are, why there is no year before, what an
// amount of shared heat leaves out, and what is doubtful since January.
func TestNoteSaysWhatItsFiguresAre(t *testing.T) {
	own := metering.Amount(8_000)
	cost := metering.Cost{ChargesCents: 4200, Lines: []metering.CostLine{{SharePercent: 70, Bill: metering.Charges}}}
	sound := func() charges.NoteKind {
		period := metering.Explanation{Kind: metering.Heat, Used: 600_000, Coverage: 1, Cost: &cost}
		return charges.NoteKind{Kind: metering.Heat, Period: period, SinceJanuary: period, Since: date(t, "2026-01-01"), Own: &own,
			LastYear: consumption.Comparison{Trend: consumption.Less, Percent: -20},
			Similar:  &consumption.Typical{Month: civil.Month{Year: 2025, Month: 12}, Measure: consumption.PerM2, Homes: 10, Used: 9_000}}
	}
	refused := func(why consumption.Refusal) func(*charges.NoteKind) {
		return func(k *charges.NoteKind) { k.LastYear = consumption.Comparison{Refused: why} }
	}
	for _, tt := range []struct {
		name         string
		yearly       bool
		change       func(*charges.NoteKind)
		want, absent string
	}{
		{"shared heat", false, func(*charges.NoteKind) {}, "environ 42 € selon votre compteur | Sans l’abonnement ni la part commune.", "?"},
		{"heat of one's own", false, func(k *charges.NoteKind) { k.Period.Cost = &metering.Cost{ChargesCents: 4200} }, "environ 42 € |", "part commune"},
		{"a month", false, func(*charges.NoteKind) {}, "Pour chaque m² : 8,0 kWh.", "En décembre"},
		{"a year", true, func(*charges.NoteKind) {}, "En décembre 2025, pour chaque m² : 8,0 kWh. Logements semblables : 9,0 kWh.", "Depuis"},
		{"since January", false, func(*charges.NoteKind) {}, "Depuis le 1er janvier : 600 kWh", "manquent"},
		{"since a day of March", false, func(k *charges.NoteKind) { k.Since = date(t, "2026-03-05") }, "Depuis le 5 mars 2026 : 600 kWh", "janvier"},
		{"days of January are missing", false, func(k *charges.NoteKind) { k.SinceJanuary.Coverage = 0.6 }, "Des jours manquent.", "?"},
		{"January is estimated", false, func(k *charges.NoteKind) { k.SinceJanuary.Quality = metering.Estimated }, "Une partie est estimée.", "?"},
		{"few days", false, refused(consumption.TooShort), "trop peu", "relèves"},
		{"few readings", false, refused(consumption.TooLittle), "assez de relèves", "?"},
		{"another home", false, refused(consumption.OtherHome), "vous n’habitiez pas", "relèves"},
		{"another season", false, refused(consumption.OtherSeason), "plus froid", "relèves"},
		{"nothing used", false, refused(consumption.NothingUsed), "n’a rien compté", "relèves"},
	} {
		k := sound()
		tt.change(&k)
		n := charges.Note{From: date(t, "2026-02-01"), To: date(t, "2026-03-01"), Yearly: tt.yearly, Kinds: []charges.NoteKind{k}}
		if text := linesOf(t, n, "fr", 0); !strings.Contains(text, tt.want) || strings.Contains(text, tt.absent) {
			t.Errorf("%s: %s\nwant %q, not %q", tt.name, text, tt.want, tt.absent)
		}
	}
}
