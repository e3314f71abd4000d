package civil_test

import (
	"encoding/json"
	"testing"
	"time"
	_ "time/tzdata" // the tests must not depend on the machine's zones

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/internal/civil"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func date(t testing.TB, text string) civil.Date {
	t.Helper()
	d, err := civil.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDateBounds(t *testing.T) {
	for _, tt := range []struct {
		name, zone, date string
		start            string // in UTC
		length           time.Duration
	}{
		{"winter", "Europe/Paris", "2026-01-15", "2026-01-14T23:00:00Z", 24 * time.Hour},
		{"summer", "Europe/Paris", "2026-07-15", "2026-07-14T22:00:00Z", 24 * time.Hour},
		{"clocks go forward", "Europe/Paris", "2026-03-29", "2026-03-28T23:00:00Z", 23 * time.Hour},
		{"clocks go back", "Europe/Paris", "2026-10-25", "2026-10-24T22:00:00Z", 25 * time.Hour},
		{"the day after", "Europe/Paris", "2026-10-26", "2026-10-25T23:00:00Z", 24 * time.Hour},
		{"leap day", "Europe/Paris", "2028-02-29", "2028-02-28T23:00:00Z", 24 * time.Hour},
		{"new year", "Europe/Paris", "2026-12-31", "2026-12-30T23:00:00Z", 24 * time.Hour},
		{"no midnight, west", "America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", 23 * time.Hour},
		{"eve of no midnight", "America/Sao_Paulo", "2018-11-03", "2018-11-03T03:00:00Z", 24 * time.Hour},
		{"no midnight, east", "Asia/Beirut", "2022-03-27", "2022-03-26T22:00:00Z", 23 * time.Hour},
		{"no midnight, jump from 23:30 to 00:30", "America/Toronto", "1919-03-31", "1919-03-31T04:30:00Z", 23*time.Hour + 30*time.Minute},
		{"midnight twice, east", "Asia/Amman", "2018-10-26", "2018-10-25T21:00:00Z", 25 * time.Hour},
		{"midnight twice, west", "America/Havana", "2022-11-06", "2022-11-06T04:00:00Z", 25 * time.Hour},
		{"23 o'clock twice", "America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00Z", 25 * time.Hour},
		{"half an hour", "Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z", 24*time.Hour + 30*time.Minute},
		{"a day left out", "Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z", 0},
		{"the day before it", "Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z", 24 * time.Hour},
		{"UTC", "UTC", "2026-03-29", "2026-03-29T00:00:00Z", 24 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start, end := date(t, tt.date).Bounds(zone(t, tt.zone))
			if got := start.UTC().Format(time.RFC3339); got != tt.start {
				t.Errorf("%s in %s starts %s, want %s", tt.date, tt.zone, got, tt.start)
			}
			if got := end.Sub(start); got != tt.length {
				t.Errorf("%s in %s lasts %s, want %s", tt.date, tt.zone, got, tt.length)
			}
		})
	}
}

// Every instant belongs to the day whose bounds hold it, and days follow one
// another without a hole, over 25 years of the zones that residences use.
func TestDaysTileTheYears(t *testing.T) {
	for _, name := range []string{"Europe/Paris", "America/Martinique", "Indian/Reunion", "America/Sao_Paulo",
		"Asia/Amman", "America/Miquelon", "Pacific/Noumea"} {
		z := zone(t, name)
		for d, last := date(t, "2005-01-01"), date(t, "2030-01-01"); d.Before(last); d = d.AddDays(1) {
			start, end := d.Bounds(z)
			if !start.Before(end) || !d.AddDays(1).Start(z).Equal(end) {
				t.Fatalf("%s in %s is [%s, %s)", d, name, start, end)
			}
			for _, at := range []time.Time{start, end.Add(-time.Millisecond)} {
				if got := civil.DateIn(at, z); got != d {
					t.Fatalf("%s in %s is on %s, want %s", at.UTC(), name, got, d)
				}
			}
			if got := civil.DateIn(start.Add(-time.Millisecond), z); got != d.AddDays(-1) {
				t.Fatalf("the instant before %s in %s is on %s", d, name, got)
			}
		}
	}
}

func TestParseDate(t *testing.T) {
	for _, text := range []string{"2026-02-28", "2028-02-29", "0001-01-01", "9999-12-31"} {
		if got := date(t, text).String(); got != text {
			t.Errorf("date %s is written %s", text, got)
		}
	}
	for _, text := range []string{"", "2026-02-29", "2026-02-30", "2026-13-01", "2026-1-1", "26-01-01",
		"2026-01-01 ", "2026-01-01T00:00:00Z", "01/02/2026", "2026-00-10", "2026-01-00"} {
		if d, err := civil.ParseDate(text); err == nil {
			t.Errorf("ParseDate(%q) = %s, want an error", text, d)
		}
	}
}

func TestAddDays(t *testing.T) {
	for _, tt := range []struct {
		from string
		days int
		want string
	}{
		{"2026-01-31", 1, "2026-02-01"}, {"2026-02-28", 1, "2026-03-01"}, {"2028-02-28", 1, "2028-02-29"},
		{"2026-12-31", 1, "2027-01-01"}, {"2026-03-01", -1, "2026-02-28"}, {"2026-01-01", 365, "2027-01-01"},
		{"2028-01-01", 366, "2029-01-01"}, {"2026-05-05", 0, "2026-05-05"},
	} {
		if got := date(t, tt.from).AddDays(tt.days).String(); got != tt.want {
			t.Errorf("%s and %d days = %s, want %s", tt.from, tt.days, got, tt.want)
		}
	}
	if date(t, "2026-05-05").Before(date(t, "2026-05-05")) || !date(t, "2025-12-31").Before(date(t, "2026-01-01")) {
		t.Error("Before is wrong about equal days or the turn of the year")
	}
	if !(civil.Date{}).IsZero() || date(t, "2026-05-05").IsZero() {
		t.Error("IsZero is wrong")
	}
}

func TestMonths(t *testing.T) {
	for _, tt := range []struct {
		month, prev, next string
		days              int
		hours             float64 // in Europe/Paris
	}{
		{"2026-01", "2025-12", "2026-02", 31, 744},
		{"2026-02", "2026-01", "2026-03", 28, 672},
		{"2026-03", "2026-02", "2026-04", 31, 743},
		{"2026-10", "2026-09", "2026-11", 31, 745},
		{"2026-12", "2026-11", "2027-01", 31, 744},
		{"2028-02", "2028-01", "2028-03", 29, 696},
		{"2100-02", "2100-01", "2100-03", 28, 672}, // no leap year
	} {
		m, err := civil.ParseMonth(tt.month)
		if err != nil {
			t.Fatal(err)
		}
		start, end := m.Bounds(zone(t, "Europe/Paris"))
		got := []any{m.String(), m.Prev().String(), m.Next().String(), m.Days(), end.Sub(start).Hours()}
		want := []any{tt.month, tt.prev, tt.next, tt.days, tt.hours}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("month %s (-want +got):\n%s", tt.month, diff)
		}
		if got := m.First().MonthOf(); got != m {
			t.Errorf("the first of %s is in %s", m, got)
		}
	}
	for _, text := range []string{"", "mars", "2026", "2026-13", "2026-00", "2026-3", "2026-03-01"} {
		if m, err := civil.ParseMonth(text); err == nil {
			t.Errorf("ParseMonth(%q) = %s, want an error", text, m)
		}
	}
}

func TestDatesAndMonthsInJSON(t *testing.T) {
	type both struct {
		Date  civil.Date
		Month civil.Month
	}
	const text = `{"Date":"2028-02-29","Month":"2028-02"}`
	var b both
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(b); err != nil || string(got) != text {
		t.Errorf("written %s, %v, want %s", got, err, text)
	}
	for _, text := range []string{`{"Date":"2026-02-29"}`, `{"Month":"2026-13"}`} {
		if err := json.Unmarshal([]byte(text), &b); err == nil {
			t.Errorf("%s was read without an error", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("2026-03-29")
	f.Add("2026-03")
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := civil.ParseDate(text); err == nil && d.String() != text {
			t.Errorf("ParseDate(%q) = %s", text, d)
		}
		if m, err := civil.ParseMonth(text); err == nil && m.String() != text {
			t.Errorf("ParseMonth(%q) = %s", text, m)
		}
	})
}
