package consent_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// What the program believes is what the schema settles by, and what is read
// without consent is what the domain says.
func TestBasesAgree(t *testing.T) {
	inHouse(t, func(t *testing.T, h house) {
		want := ""
		for _, b := range consent.Bases {
			want += fmt.Sprintln(b.Kind, b.Without, b.WithDaily, b.WithFine, b.Ground)
			if b.Without != metering.DefaultResolution(b.Kind) {
				t.Errorf("%s: %s without consent, the domain says %s", b.Kind, b.Without, metering.DefaultResolution(b.Kind))
			}
		}
		got := h.text(`SELECT kind || ' ' || without_any || ' ' || with_daily || ' ' || with_fine || ' ' || ground
			 FROM legal_basis
			 ORDER BY CASE kind WHEN 'cold_water' THEN 1 WHEN 'hot_water' THEN 2 WHEN 'electricity' THEN 3 WHEN 'heat' THEN 4 WHEN 'gas' THEN 5 ELSE 6 END`)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("legal bases (-program +schema):\n%s", diff)
		}
		if len(consent.Bases) != len(metering.Kinds) {
			t.Errorf("%d bases for %d kinds", len(consent.Bases), len(metering.Kinds))
		}
	})
}

func TestAllowed(t *testing.T) {
	for _, tt := range []struct {
		kind  metering.Kind
		given []consent.Purpose
		want  metering.Resolution
	}{
		{metering.ColdWater, nil, metering.Day},
		{metering.ColdWater, []consent.Purpose{consent.DailyFollowUp}, metering.Day},
		{metering.ColdWater, []consent.Purpose{consent.FineCurve}, metering.Fine},
		{metering.Heat, nil, metering.Month},
		{metering.Heat, []consent.Purpose{consent.DailyFollowUp}, metering.Day},
		{metering.Electricity, nil, metering.Off},
		{metering.Electricity, []consent.Purpose{consent.PersonalAdvice}, metering.Off}, // advice raises nothing
		{metering.Electricity, []consent.Purpose{consent.FineCurve, consent.DailyFollowUp}, metering.Fine},
		{"steam", []consent.Purpose{consent.FineCurve}, metering.Off},
	} {
		if got := consent.Allowed(tt.kind, tt.given...); got != tt.want {
			t.Errorf("%s with %v: %s, want %s", tt.kind, tt.given, got, tt.want)
		}
	}
}

func TestSettle(t *testing.T) {
	noon := func(t *testing.T) time.Time { return paris(t, "2026-03-18 12:00:00") }
	const valid = `INSERT INTO consent (id, household_id, tenancy_id, purpose, text_version, language, channel, given_by, collected_by, from_ms, to_ms)
		VALUES ('C' || $1, $2, $1, $3, 1, 'fr', 'page', 'P', 'P', 1771000000000, 1790000000000)`
	cases := []struct {
		name       string
		change     func(h house)
		cw, el, ht metering.Resolution
	}{
		{"off by default", func(house) {}, "day", "off", "month"},
		{"daily", func(h house) { h.exec(valid, "T-now", "H-now", "daily_follow_up") }, "day", "day", "day"},
		{"fine", func(h house) { h.exec(valid, "T-now", "H-now", "fine_curve") }, "fine", "fine", "fine"},
		{"advice raises nothing", func(h house) { h.exec(valid, "T-now", "H-now", "personal_advice") }, "day", "off", "month"},
		{"of who lived there before", func(h house) { h.exec(valid, "T-before", "H-before", "fine_curve") }, "day", "off", "month"},
		{"of the neighbour", func(h house) { h.exec(valid, "T-next", "H-next", "fine_curve") }, "day", "off", "month"},
		{"of another household's tenancy", func(h house) { h.exec(valid, "T-now", "H-next", "fine_curve") }, "day", "off", "month"},
		{"ended", func(h house) {
			h.exec(valid, "T-now", "H-now", "fine_curve")
			h.exec(`UPDATE consent SET ended_ms = 1772000000000, ended_why = 'withdrawn'`)
		}, "day", "off", "month"},
		{"expired", func(h house) {
			h.exec(valid, "T-now", "H-now", "fine_curve")
			h.exec(`UPDATE consent SET to_ms = 1772000000000`)
		}, "day", "off", "month"},
		{"not begun", func(h house) {
			h.exec(valid, "T-now", "H-now", "fine_curve")
			h.exec(`UPDATE consent SET from_ms = 1780000000000`)
		}, "day", "off", "month"},
		{"under the meter's ceiling", func(h house) {
			h.exec(valid, "T-now", "H-now", "fine_curve")
			h.exec(`UPDATE meter SET resolution_most = 'hour'`)
		}, "hour", "hour", "hour"},
		{"a ceiling below the basis", func(h house) { h.exec(`UPDATE meter SET resolution_most = 'month'`) }, "month", "off", "month"},
		{"empty dwelling", func(h house) {
			h.exec(valid, "T-now", "H-now", "fine_curve")
			h.exec(`UPDATE tenancy SET moved_out = '2026-03-18' WHERE id = 'T-now'`)
		}, "day", "off", "month"},
		{"the last day there", func(h house) {
			h.exec(valid, "T-now", "H-now", "fine_curve")
			h.exec(`UPDATE tenancy SET moved_out = '2026-03-19' WHERE id = 'T-now'`)
		}, "fine", "fine", "fine"},
		{"a meter taken down stays as the home is", func(h house) {
			h.exec(valid, "T-now", "H-now", "fine_curve")
			h.exec(`UPDATE binding SET to_ms = 1772000000000 WHERE meter_id = 'CW'`)
		}, "fine", "fine", "fine"},
	}
	inHouse(t, func(t *testing.T, h house) {
		for _, tt := range cases {
			t.Run(tt.name, func(t *testing.T) {
				h := h.anew(t)
				tt.change(h)
				h.settle(noon(t))
				got := [3]metering.Resolution{h.resolution("CW"), h.resolution("EL"), h.resolution("HT")}
				if want := [3]metering.Resolution{tt.cw, tt.el, tt.ht}; got != want {
					t.Errorf("cold water, electricity, heat = %v, want %v", got, want)
				}
				if tt.name != "of the neighbour" && h.resolution("CN") == metering.Fine {
					t.Error("the neighbour's meter is read finely")
				}
				if n, err := h.store.Settle(t.Context(), noon(t)); n != 0 || err != nil {
					t.Errorf("settling again changed %d, %v", n, err)
				}
			})
		}
	})
}

// A building's main meter is nobody's: it is read as finely as it may.
func TestSettleMainMeter(t *testing.T) {
	onSQLite(t, func(t *testing.T, h house) {
		h.settle(paris(t, "2026-03-18 12:00:00"))
		if got := h.resolution("MAIN"); got != metering.Fine {
			t.Errorf("main meter: %s", got)
		}
		if got := h.resolution("CE"); got != metering.Day {
			t.Errorf("empty dwelling: %s", got)
		}
	})
}

// A consent ends with the tenancy, at midnight in the residence's zone.
func TestConsentEndsAtMidnightOfTheMove(t *testing.T) {
	inHouse(t, func(t *testing.T, h house) {
		h.must(h.decides("P-now", "H-now", consent.FineCurve, true, paris(t, "2026-03-18 12:00:00")))
		h.exec(`UPDATE tenancy SET moved_out = '2026-03-29' WHERE id = 'T-now'`) // the day of 23 hours
		h.exec(`INSERT INTO tenancy (id, household_id, dwelling_id, moved_in) VALUES ('T-new', 'H-other', 'D', '2026-03-29')`)
		for _, tt := range []struct {
			at   string
			want metering.Resolution
		}{{"2026-03-28 23:59:59", "fine"}, {"2026-03-29 00:00:00", "off"}, {"2026-03-29 03:00:00", "off"}} {
			h.settle(paris(t, tt.at))
			if got := h.resolution("EL"); got != tt.want {
				t.Errorf("%s: %s, want %s", tt.at, got, tt.want)
			}
		}
	})
}

// Only who may decide for a household decides.
func TestWhoDecides(t *testing.T) {
	inHouse(t, func(t *testing.T, h house) {
		at := paris(t, "2026-03-18 12:00:00")
		for _, tt := range []struct {
			person    accounts.PersonID
			household premises.HouseholdID
			may       bool
		}{
			{"P-now", "H-now", true},
			{"P-acts", "H-now", true},
			{"P-sees", "H-now", false},
			{"P-son", "H-now", false}, // left the household on 1 March
			{"P-next", "H-now", false},
			{"P-before", "H-now", false},
			{"P-before", "H-before", false}, // lives nowhere now
			{"P-advisor", "H-now", false},   // staff write down, and do not decide
			{"P-now", "H-next", false},
			{"P-now", "H-none", false},
		} {
			err := h.decides(tt.person, tt.household, consent.FineCurve, true, at)
			if tt.may && err != nil || !tt.may && (err == nil || problem.Of(err).Kind != problem.NotFound) {
				t.Errorf("%s for %s: %v, may %v", tt.person, tt.household, err, tt.may)
			}
		}
		if got := h.text(`SELECT tenancy_id || given_by FROM consent`); got != "T-nowP-now\n" { // the first yes stands
			t.Errorf("consents = %q", got)
		}
		for _, staff := range []accounts.PersonID{"P-advisor", "P-manager"} {
			if _, err := h.store.StaffHomes(t.Context(), staff, "H-now", at); err != nil {
				t.Errorf("%s: %v", staff, err)
			}
		}
		for _, other := range []accounts.PersonID{"P-elsewhere", "P-now", "P-acts"} {
			if _, err := h.store.StaffHomes(t.Context(), other, "H-now", at); err == nil {
				t.Errorf("%s finds the household as staff", other)
			}
		}
	})
}

func TestGiveAndWithdraw(t *testing.T) {
	inHouse(t, func(t *testing.T, h house) {
		at := paris(t, "2026-03-18 12:00:00")
		h.must(h.decides("P-now", "H-now", consent.FineCurve, true, at))
		h.must(h.decides("P-now", "H-now", consent.FineCurve, true, at.Add(time.Hour)))
		if got := h.resolution("EL"); got != metering.Fine {
			t.Errorf("after the yes: %s", got)
		}
		all, err := h.store.Consents(t.Context(), h.sees("P-now", "H-now", at))
		h.must(err)
		if len(all) != 1 || !all[0].From.Equal(at) || !all[0].To.Equal(at.AddDate(3, 0, 0)) || all[0].TextVersion != 1 || all[0].GivenBy != "P-now" {
			t.Errorf("consents = %+v", all)
		}
		h.must(h.decides("P-acts", "H-now", consent.FineCurve, false, at.Add(2*time.Hour)))
		h.must(h.decides("P-now", "H-now", consent.FineCurve, false, at.Add(3*time.Hour))) // nothing is left to take back
		if got := h.resolution("EL"); got != metering.Off {
			t.Errorf("after the no: %s", got)
		}
		if got := h.text(`SELECT ended_why || ended_by FROM consent`); got != "withdrawnP-acts\n" {
			t.Errorf("ended = %q", got)
		}
		h.must(h.decides("P-now", "H-now", consent.FineCurve, true, at.Add(4*time.Hour)))
		if got := h.text(`SELECT CASE WHEN ended_ms IS NULL THEN 'open' ELSE 'ended' END FROM consent ORDER BY from_ms`); got != "ended\nopen\n" {
			t.Errorf("after the second yes = %q", got)
		}
	})
}

// A text that changed is read again; a consent that expired can be given again.
func TestGiveOtherTextAndAfterExpiry(t *testing.T) {
	onSQLite(t, func(t *testing.T, h house) {
		at := paris(t, "2026-03-18 12:00:00")
		homes, err := h.store.ActHomes(t.Context(), "P-now", "H-now", at)
		h.must(err)
		d := consent.Decision{Purpose: consent.FineCurve, TextVersion: 99, Language: "fr", Channel: consent.OnPage, By: "P-now", CollectedBy: "P-now", At: at}
		if err := h.store.Give(t.Context(), homes, d); problem.Of(err).Kind != problem.Conflict {
			t.Errorf("a text that is not today's: %v", err)
		}
		h.must(h.decides("P-now", "H-now", consent.FineCurve, true, at))
		later := at.AddDate(3, 0, 1)
		h.settle(later)
		if got := h.resolution("EL"); got != metering.Off {
			t.Errorf("after three years: %s", got)
		}
		h.must(h.decides("P-now", "H-now", consent.FineCurve, true, later))
		if got := h.text(`SELECT COALESCE(ended_why, 'open') FROM consent ORDER BY from_ms`); got != "expired\nopen\n" || h.resolution("EL") != metering.Fine {
			t.Errorf("after the second yes = %q, %s", got, h.resolution("EL"))
		}
		if got := h.text(`SELECT what FROM erasure`); got != "" {
			t.Errorf("an expiry erases: %q", got)
		}
	})
}

// Who comes into the household later does not read what ended before.
func TestConsentsAreClipped(t *testing.T) {
	inHouse(t, func(t *testing.T, h house) {
		at := paris(t, "2026-03-18 12:00:00")
		h.must(h.decides("P-now", "H-now", consent.FineCurve, true, at))
		h.must(h.decides("P-now", "H-now", consent.FineCurve, false, at.Add(time.Hour)))
		h.exec(`INSERT INTO membership (person_id, household_id, from_date) VALUES ('P-before', 'H-now', '2026-04-01')`)
		later := paris(t, "2026-04-02 12:00:00")
		for person, want := range map[accounts.PersonID]int{"P-now": 1, "P-before": 0} {
			g := h.sees(person, "H-now", later)
			consents, err := h.store.Consents(t.Context(), g)
			h.must(err)
			erasures, err := h.store.Erasures(t.Context(), g)
			h.must(err)
			if len(consents) != want || len(erasures) != want {
				t.Errorf("%s reads %d consents and %d erasures, want %d", person, len(consents), len(erasures), want)
			}
		}
	})
}
