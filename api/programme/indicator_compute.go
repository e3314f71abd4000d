package programme

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// Indicators works all indicators out for an advisor, manager or administrator, in
// the order of [Keys]. It fails with [ErrNoResidence]. No figure tells what a home
// did: volumes, results and answers about work are of ten homes at least, of whole
// quarters that are over, and stay as they were told.
func (s *Store) Indicators(ctx context.Context, staff accounts.PersonID, p Period, now time.Time) ([]Indicator, error) {
	all, err := places(ctx, s.db, readerRoles, staff, p.Residence)
	if err != nil {
		return nil, err
	}
	f := newFacts(p)
	for _, at := range all {
		if err := s.gather(ctx, staff, f, at, p, now); err != nil {
			return nil, fmt.Errorf("indicators of %s: %w", at.ID, err)
		}
		if err := s.tellTogether(ctx, f, at, p, now); err != nil {
			return nil, fmt.Errorf("indicators of %s: %w", at.ID, err)
		}
	}
	said, err := s.declared(ctx, staff, p)
	if err != nil {
		return nil, fmt.Errorf("declared figures: %w", err)
	}
	var made []Indicator
	for _, sp := range specs() {
		i := Indicator{Key: sp.key, Theme: sp.theme, Unit: sp.unit, Name: sp.name, Formula: sp.formula, Source: sp.source, From: p.From, Until: p.Until}
		f.compute(&i)
		i.declare(said, sp.adds, len(all))
		made = append(made, i)
	}
	return made, nil
}

// mostDeclared bounds what is read of declared figures at once.
const mostDeclared = 1000

func (s *Store) declared(ctx context.Context, staff accounts.PersonID, p Period) ([]Declared, error) {
	return List[Declared](ctx, s, staff, Filter{Residence: p.Residence, Page: resource.Page{Limit: mostDeclared}})
}

// compute puts what the facts tell into an indicator.
func (f *facts) compute(i *Indicator) {
	switch i.Theme {
	case Equipment:
		f.equipment(i)
	case Teaching:
		f.teaching(i)
	case Money:
		f.money(i)
	case Workshop:
		f.workshop(i)
	case Homes:
		f.homes(i)
	case Work:
		f.staffed(i)
	}
}

func (i *Indicator) note(key string, args ...any) { i.Notes = append(i.Notes, Text{key, args}) }

// percentOf is part of whole, or nothing of nothing.
func percentOf(part, whole float64) *Figure {
	if whole == 0 {
		return nil
	}
	return figureOf(100 * part / whole)
}

func (f *facts) equipment(i *Indicator) {
	l := f.ledger
	switch i.Key {
	case "equipment_rate":
		i.Computed = percentOf(float64(f.equipped)/1000, float64(f.dwellings))
		f.sample(i, f.dwellings, f.sampled)
	case "internet_rate":
		i.Computed = percentOf(float64(f.online)/1000, float64(f.onlineOf))
		f.sample(i, f.onlineOf, f.onlineSampled)
	case "equipment_rise":
		if f.risen {
			i.Computed = figureOf(f.rise)
		}
	case "programme_share":
		if f.risen && f.rise > 0 {
			i.Computed = percentOf(float64(f.families), f.rise)
			i.note("programme.note_share", f.families, fmt.Sprintf("%.0f", f.rise))
		}
	case "families_equipped":
		i.Computed = countOf(f.families)
	case "internet_offers":
		if f.connected {
			i.Computed = countOf(f.offers)
		}
	case "sold_used":
		i.Computed = countOf(l.SoldUsed)
	case "sold_new":
		i.Computed = countOf(l.SoldNew)
	case "share_used":
		i.Computed = percentOf(float64(l.SoldUsed), float64(l.SoldUsed+l.SoldNew))
	}
}

// sample says whom a survey speaks for, and whether its size is known.
func (f *facts) sample(i *Indicator, dwellings int64, known bool) {
	switch {
	case dwellings == 0:
		i.note("programme.note_no_survey")
	case !known:
		i.note("programme.note_no_sample", dwellings)
	default:
		i.note("programme.note_dwellings", dwellings)
	}
}

func (f *facts) teaching(i *Indicator) {
	switch i.Key {
	case "obliged":
		i.Computed = countOf(f.obliged)
		if f.exempted > 0 {
			i.note("programme.note_exempted", f.exempted)
		}
	case "trained":
		i.Computed = countOf(f.trained)
	case "trained_rate":
		i.Computed = percentOf(float64(f.trainedOfObliged), float64(f.obliged))
		if f.obliged > 0 {
			i.note("programme.note_trained", f.trainedOfObliged, f.obliged)
		}
	case "sessions":
		i.Computed = countOf(f.sessions)
	case "still_used":
		f.answered(i, f.used)
	case "job_search":
		if sum, ok := f.together(i); ok {
			i.Computed = countOf(int(sum.total))
			i.note("programme.note_asked", sum.times)
		}
	}
}

// answered is a count of answers, unknown where nobody was asked.
func (f *facts) answered(i *Indicator, n int) {
	if f.asked > 0 {
		i.Computed = countOf(n)
	}
	i.note("programme.note_asked", f.asked)
}

func (f *facts) money(i *Indicator) {
	l := f.ledger
	switch i.Key {
	case "cost_used":
		i.Computed = centsOf(l.BoughtUsedCents)
	case "cost_new":
		i.Computed = centsOf(l.BoughtNewCents)
	case "cost_services":
		if l.ServiceCents > 0 || l.Unpriced == 0 {
			i.Computed = centsOf(l.ServiceCents)
		}
		if l.Unpriced > 0 {
			i.note("programme.note_unpriced", l.Unpriced)
		}
	case "cost_other":
		i.Computed = centsOf(l.OtherCost)
	case "revenue":
		i.Computed = centsOf(l.RevenueCents())
		if l.SoldUsed+l.SoldNew > 0 {
			i.note("programme.note_sales", l.SoldUsed, l.SoldNew)
		}
	case "net":
		i.Computed = centsOf(l.RevenueCents() - l.CostCents())
	case "cover":
		i.Computed = percentOf(float64(l.RevenueCents()), float64(l.CostCents()))
	case "mean_subsidy":
		if sold := l.SoldUsed + l.SoldNew; sold > 0 {
			paid := l.BoughtUsedCents + l.BoughtNewCents + l.ServiceCents - l.SoldUsedCents - l.SoldNewCents + l.RefundCents
			i.Computed = figureOf(float64(paid) / 100 / float64(sold))
		}
	}
}

func (f *facts) workshop(i *Indicator) {
	const quarterWeeks = 13
	switch i.Key {
	case "stock_cover":
		if f.stocked && f.soldQuarter > 0 {
			i.Computed = figureOf(float64(f.readyUsed) * quarterWeeks / float64(f.soldQuarter))
		}
		i.note("programme.note_stock", f.readyUsed, f.soldQuarter)
	case "turnaround_median":
		f.turned(i, figureOf(median(f.took)))
	case "turnaround_ninety":
		f.turned(i, countOf(quantile(f.took, 9, 10)))
	case "turnaround_late":
		f.turned(i, countOf(f.late))
	case "early_failures":
		i.Computed = countOf(f.failed)
		i.note("programme.note_failed", f.sold)
	}
}

func (f *facts) turned(i *Indicator, figure *Figure) {
	if len(f.took) > 0 {
		i.Computed = figure
	}
	i.note("programme.note_repairs", len(f.took), f.waiting)
}

func (f *facts) homes(i *Indicator) {
	switch i.Key {
	case "active_households":
		if f.activeMonths > 0 {
			i.Computed = figureOf(math.Round(10*float64(f.active)/float64(f.activeMonths)) / 10)
			i.note("programme.note_months", f.activeMonths)
		}
	case "leaks_repaired":
		i.Computed = countOf(f.leaks)
	case "leaks_volume":
		if sum, ok := f.together(i); ok {
			i.Computed = figureOf(sum.total)
		}
	case "tips_adopted":
		i.Computed = countOf(f.adopted)
	case "tips_result":
		if sum, ok := f.together(i); ok {
			change, low, high := sum.pooled()
			i.Computed = figureOf(math.Round(1000*change) / 10)
			i.note("programme.note_interval", percentText(low), percentText(high), sum.homes)
		}
	}
}

func percentText(share float64) string { return fmt.Sprintf("%+.1f", 100*share) }

func logChange(change float64) float64 { return math.Log1p(max(change, -0.99)) }

// pooled is the mean change of homes with the interval that holds the mean in 90 of
// 100 cases. Its width comes from how much the homes differ, not from what each
// claims of itself, so that it holds where homes do not react alike.
func (t together) pooled() (change, low, high float64) {
	n := float64(t.times)
	mean := t.total / n
	squares := max(0, t.squares-n*mean*mean)
	const z = 1.644854
	student := z + (z*z*z+z)/(4*(n-1)) // Student's quantile to the first order in 1/(n−1)
	reach := student * math.Sqrt(squares/(n-1)/n)
	return math.Expm1(mean), math.Expm1(mean - reach), math.Expm1(mean + reach)
}

func (f *facts) staffed(i *Indicator) {
	switch i.Key {
	case "staff_hours":
		var sum float64
		for _, role := range StaffRoles {
			if tenths := f.hours[role]; tenths > 0 {
				sum += tenths
				i.note(noteOfRole(role), fmt.Sprintf("%.0f", tenths/10))
			}
		}
		if len(f.hours) > 0 {
			i.Computed = figureOf(math.Round(sum / 10))
		}
	case "insertion_hours":
		if f.bought {
			i.Computed = figureOf(math.Round(f.insertion / 10))
		}
	}
}

func noteOfRole(r StaffRole) string {
	return map[StaffRole]string{"advisor": "programme.role_advisor", "technical": "programme.role_technical", "lead": "programme.role_lead",
		"trainer": "programme.role_trainer", "other": "programme.role_other"}[r]
}

// FiveYears is the period of the last five years up to a day, which it includes; it
// begins with the quarter that was five years ago, since some figures are told of
// whole quarters only.
func FiveYears(today civil.Date) (from, until civil.Date) {
	return civil.Date{Year: today.Year - 5, Month: today.Month - (today.Month-1)%3, Day: 1}, today.AddDays(1)
}
