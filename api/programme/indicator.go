package programme

import (
	"cmp"
	"slices"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Key names an indicator, for ever.
type Key string

// A Theme is which indicators stand together.
type Theme string

// The themes, in order.
const (
	Equipment Theme = "equipment"
	Teaching  Theme = "training"
	Money     Theme = "money"
	Workshop  Theme = "workshop"
	Homes     Theme = "homes"
	Work      Theme = "work"
)

// Themes lists the themes.
var Themes = []Theme{Equipment, Teaching, Money, Workshop, Homes, Work}

// A Text is a sentence of the catalogue with what stands at its verbs.
type Text struct {
	Key  string
	Args []any
}

// A spec is what an indicator is, whatever its figure: keys of its texts, its unit,
// and whether figures of several periods or residences add up.
type spec struct {
	key                   Key
	theme                 Theme
	unit                  Unit
	adds                  bool
	name, formula, source string
}

// specs are the indicators in the order in which they are shown.
func specs() []spec {
	return []spec{
		{"equipment_rate", Equipment, Percent, false, "programme.equipment_rate", "programme.equipment_rate_formula", "programme.source_surveys"},
		{"equipment_rise", Equipment, Count, true, "programme.equipment_rise", "programme.equipment_rise_formula", "programme.source_surveys"},
		{"families_equipped", Equipment, Count, true, "programme.families_equipped", "programme.families_equipped_formula", "programme.source_sales"},
		{"programme_share", Equipment, Percent, false, "programme.programme_share", "programme.programme_share_formula", "programme.source_both"},
		{"internet_rate", Equipment, Percent, false, "programme.internet_rate", "programme.internet_rate_formula", "programme.source_surveys"},
		{"internet_offers", Equipment, Count, true, "programme.internet_offers", "programme.internet_offers_formula", "programme.source_households"},
		{"sold_used", Equipment, Count, true, "programme.sold_used", "programme.sold_used_formula", "programme.source_sales"},
		{"sold_new", Equipment, Count, true, "programme.sold_new", "programme.sold_new_formula", "programme.source_sales"},
		{"share_used", Equipment, Percent, false, "programme.share_used", "programme.share_used_formula", "programme.source_sales"},
		{"obliged", Teaching, Count, true, "programme.obliged", "programme.obliged_formula", "programme.source_trainings"},
		{"trained", Teaching, Count, true, "programme.trained", "programme.trained_formula", "programme.source_trainings"},
		{"trained_rate", Teaching, Percent, false, "programme.trained_rate", "programme.trained_rate_formula", "programme.source_trainings"},
		{"sessions", Teaching, Count, true, "programme.sessions", "programme.sessions_formula", "programme.source_trainings"},
		{"still_used", Teaching, Count, true, "programme.still_used", "programme.still_used_formula", "programme.source_trainings"},
		{"job_search", Teaching, Count, true, "programme.job_search", "programme.job_search_formula", "programme.source_trainings"},
		{"cost_used", Money, Euros, true, "programme.cost_used", "programme.cost_used_formula", "programme.source_intakes"},
		{"cost_new", Money, Euros, true, "programme.cost_new", "programme.cost_new_formula", "programme.source_intakes"},
		{"cost_services", Money, Euros, true, "programme.cost_services", "programme.cost_services_formula", "programme.source_workshop"},
		{"cost_other", Money, Euros, true, "programme.cost_other", "programme.cost_other_formula", "programme.source_entries"},
		{"revenue", Money, Euros, true, "programme.revenue", "programme.revenue_formula", "programme.source_sales"},
		{"net", Money, Euros, true, "programme.net", "programme.net_formula", "programme.source_ledger"},
		{"cover", Money, Percent, false, "programme.cover", "programme.cover_formula", "programme.source_ledger"},
		{"mean_subsidy", Money, Euros, false, "programme.mean_subsidy", "programme.mean_subsidy_formula", "programme.source_ledger"},
		{"stock_cover", Workshop, Weeks, false, "programme.stock_cover", "programme.stock_cover_formula", "programme.source_workshop"},
		{"turnaround_median", Workshop, Days, false, "programme.turnaround_median", "programme.turnaround_median_formula", "programme.source_repairs"},
		{"turnaround_ninety", Workshop, Days, false, "programme.turnaround_ninety", "programme.turnaround_ninety_formula", "programme.source_repairs"},
		{"turnaround_late", Workshop, Count, true, "programme.turnaround_late", "programme.turnaround_late_formula", "programme.source_repairs"},
		{"early_failures", Workshop, Count, true, "programme.early_failures", "programme.early_failures_formula", "programme.source_repairs"},
		{"active_households", Homes, Count, true, "programme.active_households", "programme.active_households_formula", "programme.source_pages"},
		{"leaks_repaired", Homes, Count, true, "programme.leaks_repaired", "programme.leaks_repaired_formula", "programme.source_cases"},
		{"leaks_volume", Homes, Cubic, true, "programme.leaks_volume", "programme.leaks_volume_formula", "programme.source_cases"},
		{"tips_adopted", Homes, Count, true, "programme.tips_adopted", "programme.tips_adopted_formula", "programme.source_tips"},
		{"tips_result", Homes, Percent, false, "programme.tips_result", "programme.tips_result_formula", "programme.source_tips"},
		{"staff_hours", Work, Hours, true, "programme.staff_hours", "programme.staff_hours_formula", "programme.source_staff"},
		{"insertion_hours", Work, Hours, true, "programme.insertion_hours", "programme.insertion_hours_formula", "programme.source_partners"},
	}
}

func specOf(k Key) (spec, bool) {
	all := specs()
	i := slices.IndexFunc(all, func(s spec) bool { return s.key == k })
	if i < 0 {
		return spec{}, false
	}
	return all[i], true
}

// Keys lists the indicators in the order in which they are shown.
func Keys() []Key {
	var all []Key
	for _, s := range specs() {
		all = append(all, s.key)
	}
	return all
}

// NameOf is the catalogue's key of an indicator's name; empty for an unknown one.
func NameOf(k Key) string {
	s, _ := specOf(k)
	return s.name
}

// An Indicator is a figure that can explain itself, with what was declared beside
// what records tell.
type Indicator struct {
	Key         Key
	Theme       Theme
	Unit        Unit
	Name        string // key of the catalogue, as Formula and Source
	Formula     string
	Source      string
	From, Until civil.Date // the days [From, Until)
	// Computed is what records tell; nil where they tell nothing.
	Computed *Figure
	// Declared is what was said of these days, About that the source says "about":
	// nil where nobody did. Gap is Declared less Computed.
	Declared *Figure
	About    bool
	Gap      *Figure
	Said     []Declared // all that was declared for days within these
	Notes    []Text     // what to know of the figure
}

// A Period is which days and whose indicators are asked for.
type Period struct {
	Residence   metering.SiteID // empty for all that the person may read
	From, Until civil.Date      // [From, Until)
}

// declare puts what was said beside what was computed: the latest word; of figures
// that add up, all words of the latest source whose days do not overlap.
func (i *Indicator) declare(all []Declared, adds bool, residences int) {
	for _, d := range all {
		if d.Indicator == i.Key && !d.From.Before(i.From) && !i.Until.Before(d.Until) {
			i.Said = append(i.Said, d)
		}
	}
	if len(i.Said) == 0 || residences > 1 && !adds {
		return
	}
	slices.SortStableFunc(i.Said, func(a, b Declared) int {
		return cmp.Or(cmp.Compare(b.Until.String(), a.Until.String()), cmp.Compare(sourced(b), sourced(a)))
	})
	var sum Figure
	var counted []Declared
	for _, d := range i.Said {
		overlaps := slices.ContainsFunc(counted, func(c Declared) bool {
			return c.Residence == d.Residence && (d.Source != c.Source || d.From.Before(c.Until) && c.From.Before(d.Until))
		})
		if overlaps || !adds && len(counted) > 0 {
			continue
		}
		counted = append(counted, d)
		sum += d.Figure
		i.About = i.About || d.About
	}
	i.Declared = &sum
	if i.Computed != nil {
		gap := sum - *i.Computed
		i.Gap = &gap
	}
}

func sourced(d Declared) string {
	if d.SourceDate == nil {
		return ""
	}
	return d.SourceDate.String()
}
