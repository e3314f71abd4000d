package tips

import (
	"errors"
	"fmt"
	"slices"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Way is one of the ways of doing something, once.
type Way struct {
	ID   string `yaml:"id"`
	Name Text   `yaml:"name"`
	// Mixed are litres at 38 °C, Cold litres from the cold tap, Energy
	// electricity in kWh.
	Mixed  float64 `yaml:"mixed_l"`
	Cold   float64 `yaml:"cold_l"`
	Energy float64 `yaml:"kwh"`
	Source string  `yaml:"source"`
}

// A Gesture is something that can be done in two ways or more, as a bath or a
// shower.
type Gesture struct {
	ID   string `yaml:"id"`
	Name Text   `yaml:"name"`
	Unit Text   `yaml:"unit"` // what is counted, as in "each time"
	Ways []Way  `yaml:"ways"`
	// Known says how well: a grade of A to C, or D where the amounts are only
	// typical and the page must say so.
	Known Grade `yaml:"grade"`
}

// A Cost is what one way takes, times how often.
type Cost struct {
	Way    Way
	Litres float64 // of water, cold and hot
	KWh    float64 // of electricity, of the heat that the building bills, or else of the heat in the water
	// Priced says that the cents are known. With gas, whose efficiency is not
	// known, and where nobody said what heats the water, hot water has no price.
	Priced        bool
	ChargesCents  int64
	SupplierCents int64
	Rates         []Rate // for "Pourquoi ce chiffre ?"
}

// Cents is the whole cost on every bill.
func (c Cost) Cents() int64 { return c.ChargesCents + c.SupplierCents }

// Compare returns what each way of a gesture takes in a home if it is done so
// many times, at the prices of the home's today. It needs no meter: only how the
// home's water is heated. A price that is not known leaves the euros out.
func (g Gesture) Compare(h Home, times float64, prices Prices) ([]Cost, error) {
	if times <= 0 {
		return nil, fmt.Errorf("gesture %s, %g times: want a number above 0", g.ID, times)
	}
	costs := make([]Cost, 0, len(g.Ways))
	for _, w := range g.Ways {
		cost, err := w.cost(h, times, prices)
		if err != nil {
			return nil, fmt.Errorf("gesture %s, %s: %w", g.ID, w.ID, err)
		}
		costs = append(costs, cost)
	}
	return costs, nil
}

func (w Way) cost(h Home, times float64, prices Prices) (Cost, error) {
	c := Cost{Way: w, Litres: times * (w.Mixed + w.Cold), KWh: times * (w.Energy + w.Mixed*h.heatOfMixed()/1000)}
	var cuts []Cut
	if w.Mixed > 0 {
		mixed, _ := mixedWater(h, "", numbers{"litres_each": w.Mixed, "times_per_year": times})
		cuts = append(cuts, mixed...)
	}
	if w.Cold > 0 {
		cuts = append(cuts, liquid(metering.ColdWater, times*w.Cold))
	}
	if w.Energy > 0 {
		cuts = append(cuts, warmth(metering.Electricity, times*w.Energy*1000))
	}
	if len(cuts) == 0 { // off costs nothing, and that is known
		c.Priced = true
		return c, nil
	}
	s := Saving{Cuts: cuts}
	if err := s.price(h, prices); err != nil {
		return Cost{}, err
	}
	if w.Mixed > 0 && h.Water != SharedHotWater && h.Water != ElectricTank {
		return c, nil
	}
	c.Priced, c.ChargesCents, c.SupplierCents, c.Rates = s.Priced, s.ChargesCents, s.SupplierCents, s.Why.Rates
	return c, nil
}

// heatOfMixed is what heating a litre at 38 °C takes, in Wh: of a tank its
// electricity, of the building what it bills for the hot part of the litre. Where
// that is not known it is the heat in the water.
func (h Home) heatOfMixed() float64 {
	switch {
	case h.Water == ElectricTank:
		return mixedWhPerL / tankEfficiency
	case h.Water == SharedHotWater && h.HeatOfM3 > 0:
		return mixedHotShare * float64(h.HeatOfM3) / 1000
	default:
		return mixedWhPerL
	}
}

// ErrNoGesture says that no gesture has an id. Test with [errors.Is].
var ErrNoGesture = errors.New("no such gesture")

// Gesture returns the gesture of that id, or [ErrNoGesture].
func (c *Catalogue) Gesture(id string) (Gesture, error) {
	i := slices.IndexFunc(c.Gestures, func(g Gesture) bool { return g.ID == id })
	if i < 0 {
		return Gesture{}, fmt.Errorf("gesture %q: %w", id, ErrNoGesture)
	}
	return c.Gestures[i], nil
}

func (c *Catalogue) addGesture(g Gesture) []fault {
	f := &faults{of: fmt.Sprintf("gesture %s", g.ID)}
	if _, err := c.Gesture(g.ID); err == nil || !idPattern.MatchString(g.ID) {
		f.add("id", "id %q is empty, malformed or taken: write lower-case words joined by _", g.ID)
	}
	oneOf(f, "grade", g.Known, Grades)
	f.text("name", g.Name, nil)
	f.text("unit", g.Unit, nil)
	if len(g.Ways) < 2 {
		f.add("ways", "%d ways: a comparison needs two", len(g.Ways))
	}
	g.Name, g.Unit = g.Name.bind(), g.Unit.bind()
	for i, w := range g.Ways {
		if w.ID == "" || w.Source == "" || w.Mixed < 0 || w.Cold < 0 || w.Energy < 0 {
			f.add("ways", "way %q: want an id, a source, and no number below 0", w.ID)
		}
		f.text("ways", w.Name, nil)
		g.Ways[i].Name, g.Ways[i].Source = w.Name.bind(), bindFrench(w.Source)
	}
	c.Gestures = append(c.Gestures, g)
	return f.list
}
