package metering_test

import (
	"testing"
	"time"
	_ "time/tzdata" // the tests must not depend on the machine's zones

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// What a household has not agreed to must stay in the flat.
func TestDefaultResolution(t *testing.T) {
	want := map[metering.Kind]metering.Resolution{
		metering.ColdWater: metering.Day, metering.HotWater: metering.Month, metering.Heat: metering.Month,
		metering.Electricity: metering.Off, metering.Gas: metering.Off, metering.Temperature: metering.Off,
	}
	for _, k := range metering.Kinds {
		if got := metering.DefaultResolution(k); got != want[k] {
			t.Errorf("%s is read by %s without consent, want %s", k, got, want[k])
		}
	}
	if got := metering.DefaultResolution("steam"); got != metering.Off {
		t.Errorf("an unknown kind is read by %s, want %s", got, metering.Off)
	}
}

func TestAllows(t *testing.T) {
	all := append([]metering.Resolution{"", "week"}, metering.Resolutions...)
	want := map[metering.Resolution][]metering.Resolution{
		metering.Fine:  {metering.Fine, metering.Hour, metering.Day, metering.Month, metering.Off},
		metering.Hour:  {metering.Hour, metering.Day, metering.Month, metering.Off},
		metering.Day:   {metering.Day, metering.Month, metering.Off},
		metering.Month: {metering.Month, metering.Off},
	}
	for _, r := range all {
		var got []metering.Resolution
		for _, finest := range metering.Resolutions {
			if r.Allows(finest) {
				got = append(got, finest)
			}
		}
		if diff := cmp.Diff(want[r], got); diff != "" {
			t.Errorf("%q allows (-want +got):\n%s", r, diff)
		}
	}
	if metering.Resolution("").Allows("") {
		t.Error("an unknown resolution allows an unknown one")
	}
}

func TestDue(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name       string
		resolution metering.Resolution
		last, next string // "" for none
		want       bool
	}{
		{"the first of all", metering.Month, "", "2026-03-10T10:00:00Z", true},
		{"fine, always", metering.Fine, "2026-03-10T10:00:00Z", "2026-03-10T10:00:10Z", true},
		{"within the hour", metering.Hour, "2026-03-10T10:00:00Z", "2026-03-10T10:59:59Z", false},
		{"the next hour", metering.Hour, "2026-03-10T10:59:00Z", "2026-03-10T11:00:00Z", true},
		{"the repeated hour is another", metering.Hour, "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", true},
		{"a second before local midnight", metering.Day, "2026-07-10T10:00:00Z", "2026-07-10T21:59:59Z", false},
		{"local midnight", metering.Day, "2026-07-10T10:00:00Z", "2026-07-10T22:00:00Z", true},
		{"UTC midnight is not local", metering.Day, "2026-07-10T22:00:00Z", "2026-07-11T00:00:00Z", false},
		{"late in a day of 25 hours", metering.Day, "2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z", false},
		{"after a day of 25 hours", metering.Day, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", true},
		{"after a day of 23 hours", metering.Day, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", true},
		{"within the month", metering.Month, "2026-02-28T23:00:00Z", "2026-03-31T21:59:59Z", false},
		{"the next month, local", metering.Month, "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z", true},
		{"the same month a year later", metering.Month, "2025-03-10T10:00:00Z", "2026-03-10T10:00:00Z", true},
		{"a clock set back", metering.Day, "2026-03-10T10:00:00Z", "2026-03-08T10:00:00Z", false},
		{"the same instant", metering.Hour, "2026-03-10T10:00:00Z", "2026-03-10T10:00:00Z", false},
		{"off, even the first", metering.Off, "", "2026-03-10T10:00:00Z", false},
		{"none given, even the first", "", "", "2026-03-10T10:00:00Z", false},
		{"unknown", "week", "2026-01-10T10:00:00Z", "2026-03-10T10:00:00Z", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.resolution.Due(at(t, tt.last), at(t, tt.next), paris); got != tt.want {
				t.Errorf("%q after %q at %s: due %t, want %t", tt.resolution, tt.last, tt.next, got, tt.want)
			}
		})
	}
}

// at reads an instant, the zero time for "".
func at(t *testing.T, text string) time.Time {
	t.Helper()
	if text == "" {
		return time.Time{}
	}
	instant, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return instant
}

func TestExplain(t *testing.T) {
	boundary := func(hours int, n metering.Amount, q metering.Quality) metering.Boundary {
		return metering.Boundary{Meter: "M1", At: noon.Add(time.Duration(hours) * time.Hour), Index: n, Quality: q}
	}
	whole := metering.Part{From: boundary(0, 100, metering.Measured), To: boundary(10, 150, metering.Measured)}
	early := metering.Part{From: boundary(0, 100, metering.Measured), To: boundary(4, 120, metering.Estimated)}
	late := metering.Part{From: boundary(6, 0, metering.Measured), To: boundary(10, 7, metering.Measured)}
	for _, tt := range []struct {
		name     string
		parts    []metering.Part
		used     metering.Amount
		quality  metering.Quality
		coverage float64
	}{
		{"one part", []metering.Part{whole}, 50, metering.Measured, 1},
		{"meter replaced", []metering.Part{early, late}, 27, metering.Estimated, 0.8},
		{"nothing known", nil, 0, metering.Missing, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := metering.Explain(metering.ColdWater, noon, noon.Add(10*time.Hour), tt.parts)
			want := metering.Explanation{Kind: metering.ColdWater, Unit: metering.Millilitre, Parts: tt.parts,
				Used: tt.used, Quality: tt.quality, Coverage: tt.coverage}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("explanation (-want +got):\n%s", diff)
			}
		})
	}
	if got := metering.Explain(metering.Heat, noon, noon, []metering.Part{whole}); got.Quality != metering.Missing || got.Coverage != 0 {
		t.Errorf("an empty period is %s of coverage %g, want missing of 0", got.Quality, got.Coverage)
	}
}
