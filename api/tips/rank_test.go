package tips_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/xnetroseraie/xnet/api/tips"
)

// proposals are tips of the catalogue as if they were due, with these yearly
// savings in euros, 0 for none.
func proposals(t testing.TB, c *tips.Catalogue, euros map[tips.ID]int64) []tips.Proposal {
	t.Helper()
	var due []tips.Proposal
	for _, e := range c.Entries {
		eur, ok := euros[e.ID]
		if !ok {
			continue
		}
		p := tips.Proposal{Entry: e, Finding: tips.Finding{Coverage: 1}}
		if eur > 0 {
			p.Saving = &tips.Saving{Period: tips.AYear, Priced: true, ChargesCents: 100 * eur}
			p.Score = float64(eur) * e.Grade.Confidence() * e.Ease.Weight()
		}
		due = append(due, p)
	}
	if len(due) != len(euros) {
		t.Fatalf("%d of %d tips are in the catalogue", len(due), len(euros))
	}
	return due
}

func ids(proposals []tips.Proposal) []tips.ID {
	var all []tips.ID
	for _, p := range proposals {
		all = append(all, p.Entry.ID)
	}
	return all
}

func instance(id tips.ID, s tips.State, daysAgo int) tips.Instance {
	return tips.Instance{Tip: id, State: s, Since: today.AddDays(-daysAgo)}
}

func followed(i tips.Instance) tips.Instance {
	i.Committed = i.Since.AddDays(-200)
	return i
}

func TestChoose(t *testing.T) {
	c := open(t)
	standby := map[tips.ID]int64{"night_standby": 85}
	for _, tt := range []struct {
		name    string
		due     map[tips.ID]int64
		history []tips.Instance
		urgent  []tips.ID
		tips    []tips.ID
		rights  []tips.ID
	}{
		{name: "nothing is due"},
		{name: "at most three, by euros, confidence and ease", // 85 × 0.6 × 1, 60 × 0.9 × 0.7, 47 × 0.6 × 1, 11 × 0.6 × 1
			due:  map[tips.ID]int64{"box_off_at_night": 11, "second_freezer": 60, "shorter_shower": 47, "night_standby": 85},
			tips: []tips.ID{"night_standby", "second_freezer", "shorter_shower"}},
		{name: "more euros, but hard and less sure",
			due:  map[tips.ID]int64{"second_freezer": 60, "shower_not_bath": 70}, // 37.8 and 29.4
			tips: []tips.ID{"second_freezer", "shower_not_bath"}},
		{name: "an urgent leak stands beside the three and hides the smaller name of itself",
			due:    map[tips.ID]int64{"large_leak": 3287, "toilet_leak": 1027, "box_off_at_night": 11, "second_freezer": 60, "night_standby": 85, "dry_in_air": 58},
			urgent: []tips.ID{"large_leak"}, tips: []tips.ID{"night_standby", "second_freezer", "dry_in_air"}},
		{name: "a leak of hot water is another leak", due: map[tips.ID]int64{"large_leak": 3287, "hot_water_leak": 2065},
			urgent: []tips.ID{"large_leak"}, tips: []tips.ID{"hot_water_leak"}},
		{name: "urgent whatever was said", due: map[tips.ID]int64{"large_leak": 3287},
			history: []tips.Instance{instance("large_leak", tips.NotForMe, 1)}, urgent: []tips.ID{"large_leak"}},
		{name: "comfort first, and no advice on heating beside it",
			due:  map[tips.ID]int64{"cold_home": 0, "one_degree_less": 30, "close_shutters": 0, "heating_above_habit": 4, "night_standby": 85},
			tips: []tips.ID{"cold_home", "night_standby"}},
		{name: "an extra heater is a question of comfort too", due: map[tips.ID]int64{"extra_heater": 0, "one_degree_less": 30},
			tips: []tips.ID{"extra_heater"}},
		{name: "bravo and no advice on water", due: map[tips.ID]int64{"bravo_water": 0, "mixer_on_cold": 0, "smaller_flush": 31},
			tips: []tips.ID{"bravo_water"}},
		{name: "no bravo while water leaks", due: map[tips.ID]int64{"bravo_water": 0, "dripping_tap": 164}, tips: []tips.ID{"dripping_tap"}},
		{name: "rights take no place", due: map[tips.ID]int64{"help_with_bills": 0, "night_standby": 85},
			tips: []tips.ID{"night_standby"}, rights: []tips.ID{"help_with_bills"}},

		{name: "proposed is shown again", due: standby, history: []tips.Instance{{Tip: "night_standby"}}, tips: []tips.ID{"night_standby"}},
		{name: "seen is shown again", due: standby, history: []tips.Instance{instance("night_standby", tips.Seen, 3)}, tips: []tips.ID{"night_standby"}},
		{name: "not for me, ten years ago", due: standby, history: []tips.Instance{instance("night_standby", tips.NotForMe, 3650)}},
		{name: "taken up", due: standby, history: []tips.Instance{instance("night_standby", tips.Committed, 3)}},
		{name: "observing", due: standby, history: []tips.Instance{instance("night_standby", tips.Observing, 3)}},
		{name: "visible", due: standby, history: []tips.Instance{instance("night_standby", tips.Visible, 3)}},
		{name: "ended without an answer 29 days ago", due: standby, history: []tips.Instance{instance("night_standby", tips.Archived, 29)}},
		{name: "ended without an answer 30 days ago", due: standby, history: []tips.Instance{instance("night_standby", tips.Archived, 30)}, tips: []tips.ID{"night_standby"}},
		{name: "followed to its end 300 days ago", due: standby, history: []tips.Instance{followed(instance("night_standby", tips.Archived, 300))}},
		{name: "followed to its end a year ago", due: standby, history: []tips.Instance{followed(instance("night_standby", tips.Archived, 365))}, tips: []tips.ID{"night_standby"}},
		{name: "done already, 364 days ago", due: standby, history: []tips.Instance{instance("night_standby", tips.DoneAlready, 364)}},
		{name: "done already, a year ago", due: standby, history: []tips.Instance{instance("night_standby", tips.DoneAlready, 365)}, tips: []tips.ID{"night_standby"}},
		{name: "another tip's refusal", due: standby, history: []tips.Instance{instance("second_freezer", tips.NotForMe, 1)}, tips: []tips.ID{"night_standby"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			chosen := tips.Choose(proposals(t, c, tt.due), tt.history, today)
			got := [][]tips.ID{ids(chosen.Urgent), ids(chosen.Tips), ids(chosen.Rights)}
			if diff := cmp.Diff([][]tips.ID{tt.urgent, tt.tips, tt.rights}, got); diff != "" {
				t.Errorf("urgent, tips, rights (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever is due and whatever was answered.
func TestChoiceKeepsItsPromises(t *testing.T) {
	c := open(t)
	rapid.Check(t, func(t *rapid.T) {
		euros := map[tips.ID]int64{}
		var history []tips.Instance
		for _, e := range c.Entries {
			if rapid.Bool().Draw(t, "due") {
				euros[e.ID] = rapid.Int64Range(0, 4000).Draw(t, "euros")
			}
			if rapid.Bool().Draw(t, "known") {
				history = append(history, instance(e.ID, rapid.SampledFrom(tips.States).Draw(t, "state"), rapid.IntRange(0, 800).Draw(t, "ago")))
			}
		}
		var due []tips.Proposal
		for _, e := range c.Entries {
			if eur, ok := euros[e.ID]; ok {
				due = append(due, tips.Proposal{Entry: e, Score: float64(eur)})
			}
		}
		checkChoice(t, due, history, tips.Choose(due, history, today))
	})
}

func checkChoice(t *rapid.T, due []tips.Proposal, history []tips.Instance, chosen tips.Choice) {
	if len(chosen.Tips) > 3 {
		t.Fatalf("%d tips", len(chosen.Tips))
	}
	comfort := slices.ContainsFunc(due, func(p tips.Proposal) bool { return p.Entry.Role == tips.Comfort })
	for _, p := range due {
		if p.Entry.Role == tips.Urgent && !slices.Contains(ids(chosen.Urgent), p.Entry.ID) {
			t.Fatalf("%s is urgent and not shown", p.Entry.ID)
		}
	}
	shown := slices.Concat(chosen.Tips, chosen.Rights)
	for i, p := range shown {
		if comfort && p.Entry.Role == tips.Advice && p.Entry.Use == "heating" {
			t.Fatalf("%s is shown to somebody who is cold", p.Entry.ID)
		}
		if slices.ContainsFunc(history, func(i tips.Instance) bool { return i.Tip == p.Entry.ID && i.State == tips.NotForMe }) {
			t.Fatalf("%s was refused and is shown", p.Entry.ID)
		}
		if slices.Contains(ids(shown[:i]), p.Entry.ID) {
			t.Fatalf("%s is shown twice", p.Entry.ID)
		}
	}
}

// Savings on one use are not added, and no sum exceeds what the largest of each
// use are together.
func TestTogetherNeverAddsOverlappingTips(t *testing.T) {
	c := open(t)
	due := proposals(t, c, map[tips.ID]int64{"toilet_leak": 1027, "dripping_tap": 164, "night_standby": 85, "second_freezer": 60, "dry_in_air": 58, "bravo_water": 0})
	if total, priced := tips.Together(due); total != 100*(1027+85+58) || !priced {
		t.Errorf("together %d cents, priced %t, want 117000 and true", total, priced)
	}
	due[0].Saving.Period = tips.Observed // of a few days, and of no year
	due[1].Saving = &tips.Saving{Period: tips.AYear, Why: tips.Reckoning{NoEuros: tips.UnknownPrice}}
	if _, priced := tips.Together(due); priced {
		t.Error("a saving without a price was taken for one with")
	}
	rapid.Check(t, func(t *rapid.T) {
		largest := map[tips.UseID]int64{}
		var due []tips.Proposal
		for _, e := range c.Entries {
			eur := rapid.Int64Range(0, 4000).Draw(t, "euros")
			due = append(due, tips.Proposal{Entry: e, Saving: &tips.Saving{Period: tips.AYear, Priced: true, ChargesCents: eur, SupplierCents: eur}})
			largest[e.Use] = max(largest[e.Use], 2*eur)
		}
		var want int64
		for _, l := range largest {
			want += l
		}
		if got, _ := tips.Together(due); got != want {
			t.Fatalf("together %d, want %d", got, want)
		}
	})
}

func TestFindTakesNoPriceFaultLightly(t *testing.T) {
	c := open(t)
	h := home(scenes["night_standby"].due)
	for _, tt := range []struct {
		name   string
		prices prices
		why    string
		fault  string
	}{
		{"no price", prices{err: tips.ErrNoPrice}, tips.UnknownPrice, ""},
		{"no rates", prices{}, tips.UnknownPrice, ""},
		{"price of a cubic metre of electricity", prices{rates: []tips.Rate{{Price: priceOf("m3"), Share: 1}}}, "", "want kWh"},
		{"share of nothing", prices{rates: []tips.Rate{{Price: priceOf("kWh")}}}, "", "share 0"},
		{"database gone", prices{err: errGone}, "", "gone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			due, err := c.Find(h, tt.prices)
			if tt.fault != "" {
				wantError(t, err, tt.fault, "night_standby")
				return
			}
			if err != nil || !slices.Contains(ids(due), "night_standby") {
				t.Fatalf("%v, %v", ids(due), err)
			}
			for _, p := range due {
				if s := p.Saving; s != nil && (s.Priced || s.Cents() != 0 || s.Why.NoEuros != tt.why || p.Score != 0) {
					t.Errorf("saving %+v, score %g: want no euros because of %s", s, p.Score, tt.why)
				}
			}
		})
	}
}
