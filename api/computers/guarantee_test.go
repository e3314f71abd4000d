package computers_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/internal/civil"
)

func TestGuaranteeOf(t *testing.T) {
	for _, tt := range []struct {
		name, sold, handed         string
		months, repairs            int
		programme, legal, foremost string
	}{
		{"handed over the same day", "2026-03-18", "2026-03-18", 12, 0, "2027-03-18", "2028-03-18", "2028-03-18"},
		{"not handed over", "2026-03-18", "", 12, 0, "2027-03-18", "", "2027-03-18"},
		{"leap day", "2028-02-29", "2028-02-29", 12, 0, "2029-02-28", "2030-02-28", "2030-02-28"},
		{"leap day to leap day", "2024-02-29", "2024-02-29", 48, 0, "2028-02-29", "2026-02-28", "2028-02-29"},
		{"leap day and a repair", "2028-02-29", "2028-02-29", 12, 1, "2029-02-28", "2030-08-29", "2030-08-29"},
		{"end of August and a repair", "2026-08-31", "2026-08-31", 12, 1, "2027-08-31", "2029-02-28", "2029-02-28"},
		{"two repairs", "2026-01-31", "2026-02-01", 12, 2, "2027-01-31", "2029-02-01", "2029-02-01"},
		{"a long programme", "2026-03-18", "2026-03-20", 36, 0, "2029-03-18", "2028-03-20", "2029-03-18"},
		{"no programme", "2026-03-18", "2026-03-20", 0, 0, "", "2028-03-20", "2028-03-20"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := computers.GuaranteeOf(date(tt.sold), tt.months, maybe(tt.handed), tt.repairs)
			if g.Programme != maybe(tt.programme) || g.Legal != maybe(tt.legal) || g.Until() != date(tt.foremost) {
				t.Errorf("%+v until %s", g, g.Until())
			}
			if !g.Covers(date(tt.foremost)) || g.Covers(date(tt.foremost).AddDays(1)) {
				t.Error("it does not end with its last day")
			}
		})
	}
}

// maybe is zero for no date.
func maybe(text string) civil.Date {
	if text == "" {
		return civil.Date{}
	}
	return date(text)
}

// A guarantee is never shorter than the law's, a later handover or another repair
// never shortens it, and its last day exists.
func TestGuaranteeNeverShrinks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sold := civil.Date{Year: 2020, Month: 1, Day: 1}.AddDays(rapid.IntRange(0, 4000).Draw(t, "sold"))
		handed := sold.AddDays(rapid.IntRange(0, 90).Draw(t, "handed"))
		repairs := rapid.IntRange(0, 5).Draw(t, "repairs")
		months := rapid.IntRange(0, 60).Draw(t, "months")
		g := computers.GuaranteeOf(sold, months, handed, repairs)
		if g.Until().Before(handed.AddDays(730)) {
			t.Errorf("handed over on %s it ends on %s, within two years", handed, g.Until())
		}
		more := computers.GuaranteeOf(sold, months, handed, repairs+1)
		later := computers.GuaranteeOf(sold, months, handed.AddDays(1), repairs)
		if !g.Legal.Before(more.Legal) || later.Legal.Before(g.Legal) {
			t.Errorf("legal until %s; after a repair %s, a day later %s", g.Legal, more.Legal, later.Legal)
		}
		if parsed, err := civil.ParseDate(g.Legal.String()); err != nil || parsed != g.Legal {
			t.Errorf("%v is no day: %v", g.Legal, err)
		}
	})
}
