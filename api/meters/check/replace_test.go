package check_test

import (
	"errors"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/meterstest"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// TestLastDialFollowsReadings: who replaces a meter cannot book a slip of the pen
// on the household. cw-1 counts litres and was read at 153.257 m3 an hour ago.
func TestLastDialFollowsReadings(t *testing.T) {
	const read = metering.Amount(153_257_000)
	for name, c := range map[string]struct {
		typed   string
		at      time.Duration // before now
		most    metering.Amount
		sure    bool
		refused bool
		last    metering.Amount
	}{
		"it counted on":                {typed: "153,301", last: 153_301_000},
		"decimals are not typed":       {typed: "153", last: read},
		"a pulse is to come":           {typed: "153,256", last: read},
		"digits are swapped":           {typed: "135,257", refused: true},
		"swapped, and looked at again": {typed: "135,257", sure: true, last: 135_257_000},
		"an hour counts a litre":       {typed: "153,259", most: 1_000, last: 153_259_000},
		"an hour does not count more":  {typed: "153,360", most: 1_000, refused: true},
		"a comma is forgotten":         {typed: "153301", refused: true},
		"before it was read":           {typed: "100,000", at: 2 * time.Hour, last: 100_000_000},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(f flat) {
				ctx := t.Context()
				f.reads("cw-1", -time.Hour, read)
				if _, err := f.db.ExecContext(ctx, `UPDATE meter SET max_per_hour = $1 WHERE id = 'cw-1'`, int64(c.most)); err != nil {
					t.Fatal(err)
				}
				d, err := meters.ParseDial(c.typed, metering.ColdWater)
				if err != nil {
					t.Fatal(err)
				}
				_, err = f.checks.Replace(ctx, meterstest.Installer, meters.Replacement{Old: "cw-1", Version: 1, Serial: "40220001",
					At: meterstest.Now.Add(-c.at), Last: d.Index, Digit: d.Digit, Sure: c.sure})
				if refused := errors.Is(err, meters.ErrDoubtful); refused != c.refused || !refused && err != nil {
					t.Fatalf("refused %t (%v), want %t", refused, err, c.refused)
				}
				var last *int64
				if err := f.db.QueryRowContext(ctx, `SELECT last_index FROM binding WHERE meter_id = 'cw-1'`).Scan(&last); err != nil {
					t.Fatal(err)
				}
				switch {
				case c.refused && last != nil:
					t.Errorf("a refused replacement ended the meter at %d", *last)
				case !c.refused && (last == nil || metering.Amount(*last) != c.last):
					t.Errorf("the meter ended at %v, want %d", last, c.last)
				}
			})
		})
	}
}
