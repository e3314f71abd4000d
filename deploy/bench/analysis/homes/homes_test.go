package homes_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/deploy/bench/analysis/homes"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// days are what a home drew in each 24 hours, in mL.
func days(h homes.Home) (all []metering.Amount) {
	for at := h.From; at.Before(h.To); at = at.Add(24 * time.Hour) {
		all = append(all, h.Drawn(at.Add(24*time.Hour))-h.Drawn(at))
	}
	return all
}

// A home is the same for ever, another for another number or seed, and never
// gives water back.
func TestHomes(t *testing.T) {
	for _, h := range homes.Habits {
		one := days(homes.Of(1, h, 0))
		if !cmp.Equal(one, days(homes.Of(1, h, 0))) {
			t.Errorf("%s: the same home draws otherwise", h)
		}
		if cmp.Equal(one, days(homes.Of(1, h, 1))) || cmp.Equal(one, days(homes.Of(2, h, 0))) {
			t.Errorf("%s: two homes are one", h)
		}
		var sum, most metering.Amount
		for _, used := range one {
			if used < 0 {
				t.Fatalf("%s: a day of %d mL", h, used)
			}
			sum, most = sum+used, max(most, used)
		}
		if mean := sum / metering.Amount(len(one)); len(one) < 180 || len(one) > 181 || mean < 20_000 || mean > 900_000 {
			t.Errorf("%s: %d days of %d mL", h, len(one), mean)
		}
		if (most > 4_000_000) != (h == homes.Pool) {
			t.Errorf("%s: its largest day has %d mL", h, most)
		}
	}
}

func TestReal(t *testing.T) {
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), homes.RealFile)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	h, err := homes.Real(write("time_utc,total_ml\n2019-03-01T06:30Z,12000\n2019-03-01T07:00Z,600\n"))
	if err != nil {
		t.Fatal(err)
	}
	for minutes, want := range map[int]metering.Amount{-5: 0, 0: 0, 5: 6000, 10: 12_000, 29: 12_000, 31: 12_060, 60: 12_600} {
		if got := h.Drawn(h.From.Add(time.Duration(minutes) * time.Minute)); got != want {
			t.Errorf("after %d minutes %d mL, want %d", minutes, got, want)
		}
	}
	for name, text := range map[string]string{"no rows": "time_utc,total_ml\n", "row 2": "time_utc,total_ml\nyesterday,5\n",
		"row 3": "a,b\n2019-03-01T06:30Z,1\n2019-03-01T06:40Z,much\n"} {
		if _, err := homes.Real(write(text)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := homes.Real(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), homes.RealFile) {
		t.Errorf("a missing file: %v", err)
	}
}
