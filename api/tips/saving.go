package tips

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Cut is what a tip saves of one kind, in the unit of its index.
type Cut struct {
	Kind   metering.Kind   `json:"kind"`
	Unit   metering.Unit   `json:"unit"` // Wh or mL
	Amount metering.Amount `json:"amount"`
}

// A Period says what time a saving is for.
type Period string

// The periods.
const (
	AYear    Period = "year"     // if the gesture is kept for a year
	Observed Period = "observed" // what was lost in the finding's days; it is never made a year of
)

// Reasons say why a saving has no euros.
const (
	UncheckedMeter = "meter_unchecked" // the dial and tap check is due
	UnknownPrice   = "price_unknown"
)

// A Term is one number that a saving is reckoned from.
type Term struct {
	Name   string  `json:"name"`
	Number float64 `json:"number"`
	Unit   string  `json:"unit"`
	Source string  `json:"source"` // of a cited number; "" for one that was measured
}

// A Reckoning answers "Pourquoi ce chiffre ?" for a saving.
type Reckoning struct {
	Formula string `json:"formula"`
	Terms   []Term `json:"terms"`
	// Capped says that the use the tip acts on is smaller than what the
	// formula gives, and CapSource why.
	Capped    bool                   `json:"capped"`
	CapSource string                 `json:"cap_source,omitempty"`
	Rates     []Rate                 `json:"rates,omitempty"`
	Measured  []metering.Explanation `json:"measured,omitempty"` // of the meters that were looked at
	NoEuros   string                 `json:"no_euros,omitempty"` // why there are none
}

// A Saving is what a tip is worth at most if it is followed. Its cuts are never
// added to those of a tip on the same use; see [Together].
type Saving struct {
	Cuts   []Cut  `json:"cuts"` // a negative cut is more of another kind
	Period Period `json:"period"`
	// Priced says that the cents are known; they are 0 where it is false.
	Priced        bool      `json:"priced"`
	ChargesCents  int64     `json:"charges_cents"`
	SupplierCents int64     `json:"supplier_cents"`
	Why           Reckoning `json:"why"`
}

// Cents is the whole saving, on every bill.
func (s Saving) Cents() int64 { return s.ChargesCents + s.SupplierCents }

// Saving reckons what the tip saves in the home, from what was found. It is
// false where the tip has no honest amount, or where the home's use is not known
// well enough to cap it. A price that is not known leaves the euros out; another
// fault of the prices is an error.
func (c *Catalogue) Saving(e Entry, h Home, f Finding, prices Prices) (s Saving, known bool, err error) {
	if e.Saving == nil {
		return Saving{}, false, nil
	}
	rule := formulas[e.Saving.Name]
	cuts, known := rule.cuts(h, e.Saving.Kind, e.Saving.inputs(f))
	s = Saving{Cuts: cuts, Period: rule.period, Why: Reckoning{Formula: e.Saving.Name, Terms: e.Saving.terms(f)}}
	if !known || !c.cap(&s, e, h, f) {
		return Saving{}, false, nil
	}
	for _, k := range f.Kinds {
		if why := h.Meters[k].Why; len(why.Parts) > 0 {
			s.Why.Measured = append(s.Why.Measured, why)
		}
	}
	if !h.checked(f.Kinds) {
		s.Why.NoEuros = UncheckedMeter
		return s, true, nil
	}
	if err := s.price(h, prices); err != nil {
		return Saving{}, false, fmt.Errorf("saving of tip %s: %w", e.ID, err)
	}
	return s, true, nil
}

// price adds the euros, all of them or none: half a price would be a wrong one.
func (s *Saving) price(h Home, prices Prices) error {
	var charges, supplier float64
	var all []Rate
	for _, cut := range s.Cuts {
		rates, err := prices.Rates(cut.Kind, h.Today)
		if err == nil {
			var worth map[Bill]float64
			worth, err = cents(cut.Amount, cut.Unit, rates)
			charges, supplier = charges+worth[Charges], supplier+worth[Supplier]
		}
		if errors.Is(err, ErrNoPrice) {
			s.Why.NoEuros = UnknownPrice
			return nil
		}
		if err != nil {
			return fmt.Errorf("price of %s on %s: %w", cut.Kind, h.Today, err)
		}
		all = append(all, rates...)
	}
	s.ChargesCents, s.SupplierCents = int64(math.Round(charges)), int64(math.Round(supplier))
	s.Priced, s.Why.Rates = true, all
	return nil
}

// cap shrinks the cuts to the use that the tip acts on. It is false where the
// use is not known.
func (c *Catalogue) cap(s *Saving, e Entry, h Home, f Finding) bool {
	var limit float64 // Wh or mL
	use := c.uses[e.Use]
	if e.Saving.Cap != "" {
		limit, s.Why.CapSource = f.Figures[e.Saving.Cap]*perLong(figureUnits[e.Saving.Cap]), e.Saving.Cap
	} else {
		for _, k := range use.Kinds {
			ceiling, known := h.ceiling(k)
			if _, hangs := h.Meters[k]; hangs && !known {
				return false
			}
			limit += use.Share * ceiling
		}
		s.Why.CapSource = use.Source
	}
	var sum float64
	unit := s.Cuts[0].Unit
	for _, cut := range s.Cuts {
		if cut.Unit == unit {
			sum += float64(cut.Amount)
		}
	}
	if limit <= 0 || sum <= 0 {
		return false
	}
	if sum > limit {
		s.Why.Capped = true
		for i, cut := range s.Cuts {
			s.Cuts[i].Amount = metering.Amount(math.Floor(float64(cut.Amount) * limit / sum))
		}
	}
	return true
}

// perLong is how many base units the unit of a figure has.
func perLong(unit string) float64 {
	switch unit {
	case "kWh", "L":
		return 1000
	case "m³":
		return mlPerM3
	default:
		return 1
	}
}

func (m Formula) inputs(f Finding) numbers {
	in := numbers{}
	for name, input := range m.Inputs {
		in[name] = input.Number
		if input.Figure != "" {
			in[name] = f.Figures[input.Figure]
		}
	}
	return in
}

func (m Formula) terms(f Finding) []Term {
	var terms []Term
	for _, name := range slices.Sorted(maps.Keys(m.Inputs)) {
		input := m.Inputs[name]
		t := Term{Name: name, Number: input.Number, Unit: input.Unit, Source: input.Source}
		if input.Figure != "" {
			t.Number, t.Unit = f.Figures[input.Figure], figureUnits[input.Figure]
		}
		terms = append(terms, t)
	}
	return terms
}

// Together is what several tips save if all are followed, in cents: of tips on
// one use only the largest counts, and of what was observed nothing, because it
// is not a year's. priced is false where one of the savings has no euros.
func Together(proposals []Proposal) (total int64, priced bool) {
	largest := map[UseID]int64{}
	priced = true
	for _, p := range proposals {
		if p.Saving == nil || p.Saving.Period != AYear {
			continue
		}
		priced = priced && p.Saving.Priced
		largest[p.Entry.Use] = max(largest[p.Entry.Use], p.Saving.Cents())
	}
	for _, c := range largest {
		total += c
	}
	return total, priced
}
