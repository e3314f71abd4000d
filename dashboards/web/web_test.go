package web_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

func language(t *testing.T, code string) web.Language {
	t.Helper()
	l, ok := web.ParseLanguage(code)
	if !ok {
		t.Fatalf("no language %q", code)
	}
	return l
}

func sorted(keys []string) []string { slices.Sort(keys); return keys }

func TestLanguagesHaveTheSameKeysAndVerbs(t *testing.T) {
	french, english := language(t, "fr"), language(t, "en")
	if diff := cmp.Diff(sorted(french.Keys()), sorted(english.Keys())); diff != "" {
		t.Fatalf("keys (-fr +en):\n%s", diff)
	}
	verb := regexp.MustCompile(`%[a-z]`)
	for _, key := range french.Keys() {
		if diff := cmp.Diff(verb.FindAllString(french.T(key), -1), verb.FindAllString(english.T(key), -1)); diff != "" {
			t.Errorf("verbs of %s (-fr +en):\n%s", key, diff)
		}
	}
}

// Every key that a program or a template names is in the catalogue, and every
// text is asked for somewhere.
func TestKeysAreUsed(t *testing.T) {
	var sources strings.Builder
	for _, pattern := range []string{"*.go", "*.html", "../*/*.go", "../*/templates/*.html", "../../api/*/*.go", "../../api/*/*/*.go", "../../api/*.go"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			sources.Write(text)
		}
	}
	known := language(t, "fr").Keys()
	for _, found := range regexp.MustCompile(`(?:\.T|\.Chrome\(c,|Message:|malformed\() ?\(?"([a-z_]+\.[a-z_]+)"`).FindAllStringSubmatch(sources.String(), -1) {
		if !slices.Contains(known, found[1]) {
			t.Errorf("%s is not in the catalogue", found[1])
		}
	}
	for _, key := range known {
		made := strings.HasPrefix(key, "kind.") || strings.HasPrefix(key, "field.") || strings.HasPrefix(key, "role.") || strings.HasPrefix(key, "chart.unit.") || strings.HasPrefix(key, "ago.")
		if !made && !strings.Contains(sources.String(), `"`+key+`"`) {
			t.Errorf("nobody asks for %s", key)
		}
	}
}

// Easy to read: at most 15 words a sentence.
func TestSentencesAreShort(t *testing.T) {
	for _, code := range []string{"fr", "en"} {
		l := language(t, code)
		for _, key := range l.Keys() {
			for _, sentence := range regexp.MustCompile(`[.!?:]( |$)`).Split(l.T(key), -1) {
				if n := len(strings.Fields(sentence)); n > 15 {
					t.Errorf("%s %s: %d words: %s", code, key, n, sentence)
				}
			}
		}
	}
}

func TestFormats(t *testing.T) {
	fr, en := language(t, "fr"), language(t, "en")
	zone := time.FixedZone("CET", 3600)
	now := time.Date(2026, 3, 3, 14, 3, 28, 0, zone)
	today := civil.DateOf(now)
	for _, tt := range []struct{ name, got, want string }{
		{"thousands", fr.Number(1234.5, 1), "1 234,5"},
		{"millions", en.Number(1234567, 0), "1,234,567"},
		{"negative", fr.Number(-1234, 0), "−1 234"},
		{"debt", en.Euros(-108_400), "−€1,084"},
		{"debt in French", fr.Euros(-108_400), "−1 084 €"},
		{"share", fr.Percent(12), "12 %"},
		{"share in English", en.Percent(12), "12%"},
		{"no litre", fr.Litres(0), "0 litre"},
		{"no litres", en.Litres(0), "0 litres"},
		{"one litre", fr.Litres(1000), "1 litre"},
		{"one and a half", fr.Litres(1500), "1,5 litre"},
		{"one and a half in English", en.Litres(1500), "1.5 litres"},
		{"litres", fr.Litres(1_234_500), "1 235 litres"},
		{"as much less", fr.Litres(-1_234_500), "−1 235 litres"},
		{"half of a hundredth of a cubic metre", fr.CubicMetres(2_405_000), "2,41 m³"},
		{"as much less of it", fr.CubicMetres(-2_405_000), "−2,41 m³"},
		{"half of a tenth of a litre", fr.Litres(1_050), "1,1 litre"},
		{"half of a tenth of a kWh", fr.KilowattHours(12_250), "12,3 kWh"},
		{"kWh", fr.KilowattHours(12_340), "12,3 kWh"},
		{"many kWh", fr.KilowattHours(1_234_000), "1 234 kWh"},
		{"dial of water", fr.Dial(metering.ColdWater, 153_257_000), "153,257 m³"},
		{"dial of electricity", fr.Dial(metering.Electricity, 9_000_100), "9 000,1 kWh"},
		{"exact dial of electricity", fr.DialExact(metering.Electricity, 17_313_100), "17 313,100 kWh"},
		{"exact dial of water", fr.DialExact(metering.ColdWater, 153_257_000), "153,257 m³"},
		{"scale of halves", fr.OnScale(metering.Electricity, 2500), "2,5"},
		{"scale of wholes", fr.OnScale(metering.ColdWater, 100_000), "100"},
		{"day", fr.Day(today), "mardi 3 mars"},
		{"first day", fr.Day(civil.Date{Year: 2026, Month: 3, Day: 1}), "dimanche 1er mars"},
		{"English day", en.Day(today), "Tuesday 3 March"},
		{"day of another year", fr.Date(civil.Date{Year: 2025, Month: 12, Day: 31}, today), "mercredi 31 décembre 2025"},
		{"month", fr.Month(today.MonthOf()), "mars 2026"},
		{"seconds ago", fr.Moment(now.Add(-8*time.Second), now, zone), "il y a 8 secondes (14 h 03)"},
		{"a second ago", fr.Moment(now.Add(-time.Second), now, zone), "il y a 1 seconde (14 h 03)"},
		{"minutes ago", en.Moment(now.Add(-5*time.Minute), now, zone), "5 minutes ago (13:58)"},
		{"this morning", fr.Moment(now.Add(-5*time.Hour), now, zone), "aujourd’hui à 9 h 03"},
		{"last week", fr.Moment(now.Add(-7*24*time.Hour), now, zone), "le mardi 24 février à 14 h 03"},
		{"a clock ahead", fr.Moment(now.Add(time.Second), now, zone), "il y a un instant (14 h 03)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(tt.got); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	first, second := fr.OfMonth(metering.ColdWater, 999_000)
	if first != "999\u00a0litres" || second != "" {
		t.Errorf("under a cubic metre: %q, %q", first, second)
	}
}

// Nobody lives in a "Logement Appartement 3".
func TestDoor(t *testing.T) {
	fr := language(t, "fr")
	for label, want := range map[string]string{
		"12": "Logement 12", "A12": "Logement A12", "12 bis": "Logement 12 bis", "T3": "Logement T3", "gauche": "gauche",
		"Appartement 3": "Appartement 3", "Appt. 3": "Appt. 3", "Studio": "Studio", "Île 4": "Île 4",
	} {
		if got := strings.ReplaceAll(fr.Door(label, "A", "2"), "\u00a0", " "); got != want+", bâtiment A, escalier 2" {
			t.Errorf("door %q: %q", label, got)
		}
	}
	if got := strings.ReplaceAll(fr.Door("4", "", ""), "\u00a0", " "); got != "Logement 4" {
		t.Errorf("door of a house: %q", got)
	}
}

// A sign that stands apart in French never begins a line.
func TestFrenchSignsStayWithTheirWord(t *testing.T) {
	apart := regexp.MustCompile(` [?!:;»]|« `)
	fr := language(t, "fr")
	for _, key := range fr.Keys() {
		if text := fr.T(key); apart.MatchString(text) {
			t.Errorf("%s: %q", key, text)
		}
	}
	if got := language(t, "en").T("why.title"); strings.Contains(got, "\u00a0") {
		t.Errorf("English: %q", got)
	}
}

func TestChart(t *testing.T) {
	bars := []web.Bar{{Known: true, Used: 0}, {Known: true, Used: 700}, {Known: true, Used: 350, Estimated: true}, {}, {Known: true, Used: 1, Open: true}}
	c := web.NewChart("c", "cold_water", "T", "D", bars, web.Scale{Unit: "u", Number: func(a metering.Amount) string { return language(t, "fr").Number(float64(a), 0) }})
	if !c.HasEstimated || !c.HasOpen || !c.HasUnknown {
		t.Errorf("key = %v %v %v", c.HasEstimated, c.HasOpen, c.HasUnknown)
	}
	if c.Lines[0].Text != "800" || c.Lines[1].Text != "400" {
		t.Errorf("lines = %v", c.Lines)
	}
	if c.Bars[0].H != 0 || c.Bars[1].H != 2*c.Bars[2].H || c.Bars[4].H != 2 {
		t.Errorf("heights = %d %d %d %d", c.Bars[0].H, c.Bars[1].H, c.Bars[2].H, c.Bars[4].H)
	}
	for i, want := range []string{"bar", "bar", "estimated", "unknown", "open"} {
		if c.Bars[i].Class != want || c.Bars[i].Y+c.Bars[i].H != c.Base {
			t.Errorf("bar %d = %+v, want %s on the axis", i, c.Bars[i], want)
		}
	}
}

func TestChartOfNothing(t *testing.T) {
	for name, bars := range map[string][]web.Bar{"no bar": nil, "a day without use": {{Known: true}, {Known: true}}} {
		c := web.NewChart("c", "k", "T", "D", bars, web.Scale{Number: func(metering.Amount) string { return "0,001" }})
		if len(c.Bars) != len(bars) || len(c.Lines) != 0 {
			t.Errorf("%s: chart = %+v", name, c)
		}
	}
}
