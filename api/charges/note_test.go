package charges_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/document"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

func head() charges.Letterhead {
	return charges.Letterhead{Sender: []string{"Le Toit", "1 place de la Mairie", "49000 Angers"}, Advisor: "Claire Moreau", Telephone: "02 41 00 00 00"}
}

func TestNote(t *testing.T) {
	f := furnishedFlat(t, "2026-03-05 09:00:00")
	f.verify(t)
	f.months(t, "ht", "2025-01", winter(1)...)
	f.months(t, "ht", "2026-01", winter(0.8)[:2]...)
	f.months(t, "hw", "2024-07", each(20, 2_100_000)...)
	f.months(t, "cw", "2025-10", each(5, 5_400_000)...)
	february := civil.Month{Year: 2026, Month: 2}
	n, err := f.writer.Monthly(t.Context(), premises.Own("p"), february, f.now)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []metering.Kind
	for _, k := range n.Kinds {
		kinds = append(kinds, k.Kind)
	}
	if diff := cmp.Diff([]metering.Kind{metering.Heat, metering.HotWater, metering.ColdWater, metering.Electricity}, kinds); diff != "" {
		t.Fatalf("kinds (-want +got):\n%s", diff)
	}
	heat, hot := n.Kinds[0], n.Kinds[1]
	// 750 × 0.8 = 600 kWh × 0.10 € × 70 %; since January 1,320 kWh.
	if heat.Period.Used != 600_000 || heat.Period.Cost.ChargesCents != 4200 || heat.SinceJanuary.Used != 1_320_000 || heat.SinceJanuary.Cost.ChargesCents != 9240 {
		t.Errorf("heat = %+v, %+v", heat.Period, heat.SinceJanuary)
	}
	if heat.LastYear.Percent != -20 || heat.LastYear.Corrected {
		t.Errorf("heat beside last year = %+v", heat.LastYear)
	}
	if len(heat.Bars) != 12 || heat.Bars[0].Month.String() != "2025-03" || *heat.Bars[11].LastYear != 750_000 || heat.Bars[0].LastYear != nil {
		t.Errorf("bars = %+v", heat.Bars)
	}
	if hot.Period.Cost.ChargesCents != 2520 || hot.LastYear.Trend != "as_usual" { // 2.1 m³ × (4 + 80 × 0.10) €
		t.Errorf("hot water = %+v, %+v", hot.Period.Cost, hot.LastYear)
	}
	if power := n.Kinds[3]; power.Period.NoCost == nil || power.Period.NoCost.Reason != metering.NoReading {
		t.Errorf("electricity = %+v", power.Period)
	}
	f.pages(t, n)
	f.years(t)
	described(t, "Note", n)
	outlook, err := f.handler.Outlook(t.Context(), premises.Own("p"))
	if err != nil {
		t.Fatal(err)
	}
	described(t, "Outlook", outlook)
	compare := consumption.CompareHandler{Reader: f.reader, Around: f.writer.Around, Now: f.handler.Now}
	compared, err := compare.Compare(t.Context(), premises.Own("p"), date(t, "2026-01-01"), date(t, "2026-03-01"))
	if err != nil || len(compared) != 4 {
		t.Fatalf("%d kinds, %v", len(compared), err)
	}
	for _, k := range compared {
		described(t, "Compared", k)
	}
	if heat := compared[3]; heat.Kind() != metering.Heat || *heat.PerSquareMetre != 22_000 { // 1,320 kWh on 60 m²
		t.Errorf("heat compared = %+v", heat)
	}
}

// described holds an answer against openapi.yaml.
func described(t *testing.T, schema string, answer any) {
	t.Helper()
	openapi3.DefineStringFormatValidator("date", openapi3.NewRegexpFormatValidator(`^\d{4}-\d{2}-\d{2}$`))
	document, err := openapi3.NewLoader().LoadFromFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	var read any
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if err := document.Components.Schemas[schema].Value.VisitJSON(read); err != nil {
		t.Errorf("%s: %v\n%s", schema, err, text)
	}
}

// pages writes the note in both languages; XNET_TEST_KEEP names a folder in which
// they are left to be looked at.
func (f *furnished) pages(t *testing.T, n charges.Note) {
	t.Helper()
	for language, want := range map[string]int{"fr": 1, "en": 1, "ar": 1} {
		page, err := n.Page(language, "Éloïse Bérenger", head(), date(t, "2026-03-05"))
		if err != nil {
			t.Fatal(err)
		}
		if got := bytes.Count(page, []byte("/Type /Page\n")); got != want {
			t.Errorf("%s: %d pages", language, got)
		}
		if folder := os.Getenv("XNET_TEST_KEEP"); folder != "" {
			if err := os.WriteFile(folder+"/note-"+n.From.String()+fmt.Sprint(n.Yearly)+"-"+language+".pdf", page, 0o600); err != nil {
				t.Error(err)
			}
		}
	}
	f.wordy(t, n)
	long := n
	for range 3 {
		long.Kinds = append(long.Kinds, n.Kinds...)
	}
	if _, err := long.Page("fr", "", head(), date(t, "2026-03-05")); !errors.Is(err, document.ErrTooLong) {
		t.Errorf("a note of %d kinds: %v", len(long.Kinds), err)
	}
}

// wordy says of five kinds all that can be said: it still fits.
func (f *furnished) wordy(t *testing.T, n charges.Note) {
	t.Helper()
	if n.Yearly {
		return
	}
	own := metering.Amount(123_456)
	cost := *n.Kinds[0].Period.Cost
	cost.SupplierCents = 12_345
	wordy := n
	wordy.Kinds = nil
	for _, kind := range []metering.Kind{metering.Heat, metering.HotWater, metering.ColdWater, metering.Electricity, metering.Gas} {
		k := n.Kinds[0]
		k.Kind, k.Own, k.Similar = kind, &own, &consumption.Typical{Measure: consumption.PerPerson, Homes: 10, Used: 234_000}
		k.Period.Quality, k.Period.Coverage, k.LastYear.Corrected = metering.Estimated, 0.95, true
		k.Period.Cost, k.SinceJanuary.Cost = &cost, &cost
		wordy.Kinds = append(wordy.Kinds, k)
	}
	for _, language := range charges.Languages {
		page, err := wordy.Page(language, strings.Repeat("Éloïse ", 20), head(), date(t, "2026-03-05"))
		if err != nil {
			t.Fatal(err)
		}
		if folder := os.Getenv("XNET_TEST_KEEP"); folder != "" {
			if err := os.WriteFile(folder+"/wordy-"+language+".pdf", page, 0o600); err != nil {
				t.Error(err)
			}
		}
	}
}

func (f *furnished) years(t *testing.T) {
	t.Helper()
	n, err := f.writer.Yearly(t.Context(), premises.Own("p"), 2025, f.now)
	if err != nil {
		t.Fatal(err)
	}
	if heat := n.Kinds[0]; !n.Yearly || heat.Period.Used != 4_390_000 || heat.Period.Cost.ChargesCents != 30_730 { // 4,390 kWh × 0.10 € × 70 %
		t.Errorf("the year = %+v", n.Kinds[0].Period)
	}
	f.pages(t, n)
	for _, tt := range []struct {
		name  string
		month civil.Month
		who   premises.Viewer
	}{
		{"a month that is not over", civil.Month{Year: 2026, Month: 3}, premises.Own("p")},
		{"a month before moving in", civil.Month{Year: 2024, Month: 5}, premises.Own("p")},
		{"somebody else", civil.Month{Year: 2026, Month: 2}, premises.Own("q")},
	} {
		if _, err := f.writer.Monthly(t.Context(), tt.who, tt.month, f.now); err == nil || problem.Of(err).Kind != problem.NotFound {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if _, err := f.writer.Yearly(t.Context(), premises.Own("p"), 2026, f.now); err == nil {
		t.Error("a year that is not over has a note")
	}
}

var verb = regexp.MustCompile(`%[a-z]`)

// Both languages have the same keys and verbs, and no sentence is long.
func TestWords(t *testing.T) {
	french, err := charges.Words("fr")
	if err != nil {
		t.Fatal(err)
	}
	english, err := charges.Words("en")
	if err != nil {
		t.Fatal(err)
	}
	if len(french.Keys()) != len(english.Keys()) {
		t.Errorf("%d keys and %d", len(french.Keys()), len(english.Keys()))
	}
	for key, text := range french.Keys() {
		other, ok := english.Keys()[key]
		if !ok {
			t.Errorf("%s stands in French only", key)
		}
		if diff := cmp.Diff(verb.FindAllString(text, -1), verb.FindAllString(other, -1)); diff != "" {
			t.Errorf("verbs of %s:\n%s", key, diff)
		}
		for _, sentence := range regexp.MustCompile(`[.?!]`).Split(text+". "+other, -1) {
			if n := len(strings.Fields(sentence)); n > 15 && key != "months" {
				t.Errorf("%s: %d words: %s", key, n, sentence)
			}
		}
	}
}
