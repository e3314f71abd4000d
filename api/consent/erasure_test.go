package consent_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const parts = `SELECT meter_id || ' ' || keep || ' ' || from_ms || ' ' || to_ms FROM erasure_part ORDER BY meter_id, from_ms`

// What is erased is what was read because of the consent, within the household's
// own days: not the former household's, nor the neighbour's.
func TestWithdrawErasesOwnDays(t *testing.T) {
	inHouse(t, func(t *testing.T, h house) {
		client := influxtest.Open(t)
		at := paris(t, "2026-03-18 12:00:00")
		movedIn := paris(t, "2026-02-10 00:00:00")
		h.pour(client, paris(t, "2026-02-08 00:00:00"), paris(t, "2026-03-18 12:00:00"), "CW", "EL", "CN")
		h.must(h.decides("P-now", "H-now", consent.DailyFollowUp, true, at))
		h.must(h.decides("P-now", "H-now", consent.FineCurve, true, at))
		h.must(h.decides("P-now", "H-now", consent.FineCurve, false, at))
		now := at
		eraser := h.eraser(client, func() time.Time { return now })
		h.must(eraser.Round(t.Context()))
		if got := h.text(`SELECT COALESCE(done_ms, 0) || '' FROM erasure`); got != "0\n" {
			t.Errorf("erased while readings may still be on their way: %q", got)
		}
		now = at.Add(time.Minute)
		h.must(eraser.Round(t.Context()))
		if got := h.text(`SELECT what || ' ' || why || ' ' || asked_by || ' ' || attempts FROM erasure WHERE done_ms IS NOT NULL`); got != "fine withdrawn P-now 1\n" {
			t.Errorf("erasures done = %q", got)
		}
		for _, m := range []metering.MeterID{"CW", "EL"} {
			if got := h.stored(client, m, movedIn, at); got != "37 0 37 1" {
				t.Errorf("%s, own days: readings, hours, days, months = %s, want one reading a day and no hour", m, got)
			}
			if got := h.stored(client, m, paris(t, "2026-02-08 00:00:00"), movedIn); got != "48 48 2 0" {
				t.Errorf("%s, the former household's days: %s", m, got)
			}
		}
		if got := h.stored(client, "CN", movedIn, at); !strings.HasPrefix(got, "876 876") {
			t.Errorf("the neighbour's meter: %s", got)
		}
		if got := h.text(`SELECT erased_until_ms || '' FROM meter WHERE id = 'CW'`); got != fmt.Sprintln(at.UnixMilli()) {
			t.Errorf("refused until %s, want %d", got, at.UnixMilli())
		}
		if got := h.text(`SELECT id FROM meter WHERE erased_until_ms > 0 ORDER BY id`); got != "CW\nEL\nHT\n" {
			t.Errorf("meters whose past is refused: %q", got)
		}
	})
}

// Each purpose taken back erases only what it alone allowed.
func TestWhatAWithdrawalErases(t *testing.T) {
	const from, to = "1770678000000", "1773831620000"
	cases := []struct {
		name      string
		given     []consent.Purpose
		withdrawn consent.Purpose
		want      string
	}{
		{"fine, days stay agreed", []consent.Purpose{consent.DailyFollowUp, consent.FineCurve}, consent.FineCurve,
			"CW day FROM TO\nEL day FROM TO\nHT day FROM TO\n"},
		{"fine alone", []consent.Purpose{consent.FineCurve}, consent.FineCurve, "CW day FROM TO\nEL off FROM TO\nHT month FROM TO\n"},
		{"daily alone", []consent.Purpose{consent.DailyFollowUp}, consent.DailyFollowUp, "EL off FROM TO\nHT month FROM TO\n"},
		{"daily, fine stays agreed", []consent.Purpose{consent.DailyFollowUp, consent.FineCurve}, consent.DailyFollowUp, ""},
		{"advice", []consent.Purpose{consent.PersonalAdvice}, consent.PersonalAdvice, ""},
		{"never given", nil, consent.FineCurve, ""},
	}
	inHouse(t, func(t *testing.T, h house) {
		for _, tt := range cases {
			t.Run(tt.name, func(t *testing.T) {
				h := h.anew(t)
				at := paris(t, "2026-03-18 12:00:00")
				for _, p := range tt.given {
					h.must(h.decides("P-now", "H-now", p, true, at))
				}
				h.must(h.decides("P-now", "H-now", tt.withdrawn, false, at))
				got := strings.NewReplacer(from, "FROM", to, "TO").Replace(h.text(parts))
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("parts (-want +got):\n%s", diff)
				}
			})
		}
	})
}

// A move erases what is fine of who left, and nothing of who comes.
func TestMoveErasesTheLeaversFineData(t *testing.T) {
	inHouse(t, func(t *testing.T, h house) {
		client := influxtest.Open(t)
		moved := paris(t, "2026-03-15 00:00:00")
		h.must(h.decides("P-now", "H-now", consent.FineCurve, true, paris(t, "2026-02-20 12:00:00")))
		h.pour(client, paris(t, "2026-03-10 00:00:00"), paris(t, "2026-03-18 00:00:00"), "CW", "EL")
		h.exec(`UPDATE tenancy SET moved_out = '2026-03-15' WHERE id = 'T-now'`)
		h.exec(`INSERT INTO tenancy (id, household_id, dwelling_id, moved_in) VALUES ('T-new', 'H-other', 'D', '2026-03-15')`)
		h.exec(`INSERT INTO membership (person_id, household_id, from_date) VALUES ('P-before', 'H-other', '2026-03-15')`)
		h.exec(`INSERT INTO move_event (id, tenancy_id, household_id, dwelling_id, from_ms, at_ms) VALUES ('E', 'T-now', 'H-now', 'D', $1, $2)`,
			paris(t, "2026-02-10 00:00:00").UnixMilli(), moved.UnixMilli())
		h.must(h.decides("P-before", "H-other", consent.FineCurve, true, paris(t, "2026-03-15 09:00:00")))
		now := moved.Add(-time.Second)
		eraser := h.eraser(client, func() time.Time { return now })
		h.must(eraser.Round(t.Context()))
		if got := h.text(`SELECT what FROM erasure`); got != "" {
			t.Errorf("erased before the move: %q", got)
		}
		now = paris(t, "2026-03-18 12:00:00") // nobody wrote the move down in time
		h.must(eraser.Round(t.Context()))
		now = now.Add(time.Minute)
		h.must(eraser.Round(t.Context()))
		if got := h.text(`SELECT what || ' ' || why || ' ' || tenancy_id FROM erasure WHERE done_ms IS NOT NULL`); got != "fine move T-now\n" {
			t.Errorf("erasures done = %q", got)
		}
		if got := h.stored(client, "CW", paris(t, "2026-03-10 00:00:00"), moved); got != "5 0 5 0" {
			t.Errorf("the leaver's: %s, want 5 readings, no hour, 5 days", got)
		}
		// Between midnight and the newcomer's yes nobody had agreed.
		if got := h.stored(client, "CW", moved, paris(t, "2026-03-15 09:00:00")); got != "1 0 1 0" {
			t.Errorf("before the newcomer agreed: %s", got)
		}
		if got := h.stored(client, "CW", paris(t, "2026-03-15 09:00:00"), paris(t, "2026-03-18 00:00:00")); got != "63 63 2 0" {
			t.Errorf("the newcomer's: %s", got)
		}
		if got := h.text(`SELECT tenancy_id || COALESCE(ended_why, ' open') FROM consent WHERE tenancy_id <> 'T-other' ORDER BY tenancy_id`); got != "T-new open\nT-nowleft\n" {
			t.Errorf("consents = %q", got)
		}
		h.must(eraser.Round(t.Context()))
		if got := h.text(`SELECT id FROM erasure`); strings.Count(got, "\n") != 1 {
			t.Errorf("the move was handled twice: %q", got)
		}
	})
}

// InfluxDB may be away: the erasure waits, says so, and is done later.
func TestEraserWaitsForInfluxDB(t *testing.T) {
	onSQLite(t, func(t *testing.T, h house) {
		at := paris(t, "2026-03-18 12:00:00")
		c := influxtest.Config(t)
		good := influxtest.OpenWith(t, c)
		h.pour(good, paris(t, "2026-03-17 00:00:00"), paris(t, "2026-03-18 00:00:00"), "CW")
		h.must(h.decides("P-now", "H-now", consent.FineCurve, true, at))
		h.must(h.decides("P-now", "H-now", consent.FineCurve, false, at))
		now := at.Add(time.Minute)
		clock := func() time.Time { return now }
		h.must(h.eraser(nowhere(t), clock).Round(t.Context()))
		if got := h.text(`SELECT attempts || ' ' || fault FROM erasure WHERE done_ms IS NULL`); got != "1 influxdb cannot answer now\n" {
			t.Errorf("waiting = %q", got)
		}
		h.must(h.eraser(good, clock).Round(t.Context()))
		if got := h.stored(good, "CW", paris(t, "2026-03-17 00:00:00"), paris(t, "2026-03-18 00:00:00")); got != "24 24 1 0" {
			t.Errorf("tried again at once: %s", got)
		}
		now = now.Add(time.Minute) // another program, after a restart
		h.must(h.eraser(good, clock).Round(t.Context()))
		if got := h.text(`SELECT attempts || fault FROM erasure WHERE done_ms IS NOT NULL`); got != "2\n" {
			t.Errorf("done = %q", got)
		}
		if got := h.stored(good, "CW", paris(t, "2026-03-17 00:00:00"), paris(t, "2026-03-18 00:00:00")); got != "1 0 1 0" {
			t.Errorf("erased: %s", got)
		}
	})
}

// TestErasureWaitsUntilCollectorsAreTold: what a collector stores before it has
// heard of an erasure is erased too, and nothing is called done before.
func TestErasureWaitsUntilCollectorsAreTold(t *testing.T) {
	onSQLite(t, func(t *testing.T, h house) {
		at, client := paris(t, "2026-03-18 12:00:00"), influxtest.Open(t)
		from, to := paris(t, "2026-03-17 00:00:00"), paris(t, "2026-03-18 00:00:00")
		h.pour(client, from, to, "CW")
		h.must(h.decides("P-now", "H-now", consent.FineCurve, true, at))
		h.must(h.decides("P-now", "H-now", consent.FineCurve, false, at))
		var told time.Time
		now := at.Add(time.Second)
		eraser := h.eraser(client, func() time.Time { return now })
		eraser.Told(func() time.Time { return told })
		for _, step := range []struct {
			name  string
			after time.Duration // of what was asked
			told  time.Duration // the same; negative for not
			late  bool          // a collector that has not heard stores it again before
			done  string
		}{
			{"nobody was told yet", time.Minute, -1, false, "0"},
			{"the broker is away", time.Hour, -1, true, "0"},
			{"it is back just now", time.Hour + 20*time.Second, time.Hour + 15*time.Second, true, "0"},
			{"it has been back for a while", time.Hour + 40*time.Second, time.Hour + 15*time.Second, true, "1"},
		} {
			if step.late {
				h.pour(client, from, to, "CW")
			}
			now, told = at.Add(step.after), time.Time{}
			if step.told >= 0 {
				told = at.Add(step.told)
			}
			h.must(eraser.Round(t.Context()))
			if got := h.stored(client, "CW", from, to); got != "1 0 1 0" {
				t.Errorf("%s: stored %s", step.name, got)
			}
			if got := h.text(`SELECT COUNT(*) FROM erasure WHERE done_ms IS NOT NULL`); got != step.done+"\n" {
				t.Errorf("%s: %q are done, want %s", step.name, got, step.done)
			}
		}
	})
}

// nowhere is a client of an InfluxDB that does not answer.
func nowhere(t *testing.T) *influx.Client {
	t.Helper()
	addr, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	c := influx.DefaultConfig()
	c.URL = "http://" + addr
	client, err := influx.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// While the broker is away a collector that has not heard of a withdrawal stores
// on: what it stored is erased too, however long that lasts, and what came after a
// new consent is not.
func TestErasureReachesToWhenCollectorsWereTold(t *testing.T) {
	inHouse(t, func(t *testing.T, h house) {
		client := influxtest.Open(t)
		at := paris(t, "2026-03-18 12:00:00")
		read := func(after time.Duration) {
			h.must(client.WriteReadings(t.Context(), []metering.Reading{{Meter: "EL", Quantity: metering.Index, At: at.Add(after), Amount: 7}}))
		}
		h.must(h.decides("P-now", "H-now", consent.FineCurve, true, at.Add(-time.Hour)))
		h.must(h.decides("P-now", "H-now", consent.FineCurve, false, at))
		var now, since time.Time
		eraser := h.eraser(client, func() time.Time { return now })
		eraser.Told(func() time.Time { return since })
		round := func(after time.Duration) string {
			now = at.Add(after)
			h.must(eraser.Round(t.Context()))
			return h.text(`SELECT CASE WHEN done_ms IS NULL THEN 'waits' ELSE 'done' END FROM erasure`)
		}
		read(70 * time.Second)
		if got := round(80 * time.Second); got != "waits\n" {
			t.Errorf("with the broker away: %q", got)
		}
		read(89 * time.Second) // by a collector that is told a second later
		since = at.Add(90 * time.Second)
		if got := round(101 * time.Second); got != "done\n" {
			t.Errorf("once collectors were told: %q", got)
		}
		if got := h.stored(client, "EL", at, at.Add(time.Hour)); got != "0 0 0 0" {
			t.Errorf("left of what was taken back: %s", got)
		}

		h.must(h.decides("P-now", "H-now", consent.FineCurve, true, at.Add(2*time.Minute)))
		h.must(h.decides("P-now", "H-now", consent.FineCurve, false, at.Add(3*time.Minute)))
		h.must(h.decides("P-now", "H-now", consent.FineCurve, true, at.Add(3*time.Minute+30*time.Second)))
		since = time.Time{}
		read(4 * time.Minute) // agreed to
		round(5 * time.Minute)
		if got := h.stored(client, "EL", at.Add(210*time.Second), at.Add(time.Hour)); !strings.HasPrefix(got, "1 ") {
			t.Errorf("left of what was agreed to anew: %s", got)
		}
	})
}
