package tenant

import (
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/dashboards/web"
)

func TestPeriods(t *testing.T) {
	for _, tt := range []struct{ text, is, last, prev, next, before string }{
		{"2026", "2026", "2026-12-31", "2025", "2027", "2025"},
		{"2026-03", "2026-03", "2026-03-31", "2026-02", "2026-04", "2025-03"},
		{"2024-02", "2024-02", "2024-02-29", "2024-01", "2024-03", "2023-02"},
		{"2026-03-16", "2026-03-16", "2026-03-22", "2026-03-09", "2026-03-23", "2025-03-17"},
		{"2026-03-22", "2026-03-16", "2026-03-22", "2026-03-09", "2026-03-23", "2025-03-17"}, // a Sunday ends its week
		{"2026-01-01", "2025-12-29", "2026-01-04", "2025-12-22", "2026-01-05", "2024-12-30"},
		{"2026-01", "2026-01", "2026-01-31", "2025-12", "2026-02", "2025-01"},
	} {
		p, err := parsePeriod(tt.text)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		got := [5]string{p.String(), p.to().AddDays(-1).String(), p.prev().String(), p.next().String(), p.yearBefore().String()}
		if want := [5]string{tt.is, tt.last, tt.prev, tt.next, tt.before}; got != want {
			t.Errorf("%s = %v, want %v", tt.text, got, want)
		}
		if p.span == aWeek && p.yearBefore().from.Start(time.UTC).Weekday() != time.Monday {
			t.Errorf("%s: the week of the year before begins on %s", tt.text, p.yearBefore().from.Start(time.UTC).Weekday())
		}
	}
}

func TestPeriodsThatAreNone(t *testing.T) {
	for _, text := range []string{"", "mars", "26", "0026", "1969", "+202", "-202", "2026-13", "2026-02-30", "2026-3", "20260316", "99999", " 2026"} {
		if p, err := parsePeriod(text); err == nil {
			t.Errorf("%q is %s", text, p)
		}
	}
}

// Whatever an address holds, a period that is taken leads to others that are.
func FuzzParsePeriod(f *testing.F) {
	for _, text := range []string{"2026", "2026-03", "2026-03-16", "1970-01-01", "9999-12-31", "1970", "0000-01"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePeriod(text)
		if err != nil {
			return
		}
		again, err := parsePeriod(p.String())
		if err != nil || again != p {
			t.Errorf("%q is %v, which is read as %v, %v", text, p, again, err)
		}
		if !p.from.Before(p.to()) || p.next().from != p.to() || p.next().prev() != p {
			t.Errorf("%q: %v does not join the next, %v", text, p, p.next())
		}
	})
}

func TestPeriodNames(t *testing.T) {
	l := web.French()
	for text, want := range map[string]string{"2026": "2026", "2026-03": "mars 2026", "2026-06-01": "semaine du 1er juin 2026"} {
		p, err := parsePeriod(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := plain(p.name(l)); got != want {
			t.Errorf("%s is called %q, want %q", text, got, want)
		}
	}
}
