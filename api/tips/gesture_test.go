package tips_test

import (
	"errors"
	"math"
	"testing"

	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// What each way takes, by hand: water at 38 °C holds 26.7 kWh/m³ above the 15 °C
// of the main; it is 0.575 hot water where the building heats it, and an electric
// tank makes 0.85 of its electricity.
func TestCompareGestures(t *testing.T) {
	c := open(t)
	for _, tt := range []struct {
		gesture, way      string
		water             tips.WaterHeating
		times             float64
		litres, kwh       float64
		charges, supplier float64 // euros
		unpriced          bool
	}{
		{gesture: "bath_or_shower", way: "bath", water: tips.ElectricTank, times: 1, litres: 150, kwh: 150 * 0.0267 / 0.85,
			charges: 0.150 * 4.69, supplier: 150 * 0.0267 / 0.85 * 0.194},
		{gesture: "bath_or_shower", way: "shower", water: tips.ElectricTank, times: 365, litres: 72 * 365, kwh: 72 * 365 * 0.0267 / 0.85,
			charges: 26.28 * 4.69, supplier: 26280 * 0.0267 / 0.85 * 0.194},
		{gesture: "bath_or_shower", way: "short_shower", water: tips.SharedHotWater, times: 100, litres: 3600, kwh: 3600 * 0.0267,
			charges: 3.6*0.425*4.69 + 3.6*0.575*(4.69+4.743)},
		{gesture: "bath_or_shower", way: "bath", water: tips.GasBoiler, times: 1, litres: 150, kwh: 150 * 0.0267, unpriced: true},
		{gesture: "bath_or_shower", way: "bath", times: 1, litres: 150, kwh: 150 * 0.0267, unpriced: true},
		{gesture: "oven_or_microwave", way: "oven", times: 10, kwh: 10, supplier: 1.94},
		{gesture: "oven_or_microwave", way: "microwave", times: 10, kwh: 1.5, supplier: 0.291},
		{gesture: "standby_or_off", way: "standby", times: 365, kwh: 87.6, supplier: 87.6 * 0.194}, // 10 W: 17 € a year
		{gesture: "standby_or_off", way: "off", times: 365},
		{gesture: "wash_30_or_60", way: "at_60", times: 52, litres: 4160, kwh: 52, charges: 4.16 * 4.69, supplier: 52 * 0.194},
		{gesture: "wash_30_or_60", way: "at_30", times: 52, litres: 4160, kwh: 20.8, charges: 4.16 * 4.69, supplier: 20.8 * 0.194},
	} {
		t.Run(tt.gesture+" "+tt.way+" "+string(tt.water), func(t *testing.T) {
			g, err := c.Gesture(tt.gesture)
			if err != nil {
				t.Fatal(err)
			}
			costs, err := g.Compare(home(water(tt.water)), tt.times, tariff{})
			if err != nil {
				t.Fatal(err)
			}
			for _, cost := range costs {
				if cost.Way.ID != tt.way {
					continue
				}
				if math.Abs(cost.Litres-tt.litres) > 1e-6 || math.Abs(cost.KWh-tt.kwh) > 1e-6 {
					t.Errorf("%g L and %g kWh, by hand %g and %g", cost.Litres, cost.KWh, tt.litres, tt.kwh)
				}
				if cost.Priced == tt.unpriced || cost.ChargesCents != cents(tt.charges) || cost.SupplierCents != cents(tt.supplier) {
					t.Errorf("%d cents of charges, %d of the supplier, priced %t; by hand %d, %d, %t", cost.ChargesCents,
						cost.SupplierCents, cost.Priced, cents(tt.charges), cents(tt.supplier), !tt.unpriced)
				}
				if cost.Cents() != cost.ChargesCents+cost.SupplierCents || cost.Priced && cost.Cents() > 0 && len(cost.Rates) == 0 {
					t.Errorf("the cost does not explain itself: %+v", cost)
				}
				return
			}
			t.Errorf("no way %s", tt.way)
		})
	}
}

// What the building bills for the heat of hot water is more than the water holds:
// 3.6 m³ at 38 °C are 2.07 m³ of hot water, at 70 kWh each 144.9 kWh.
func TestGestureCountsTheHeatThatIsBilled(t *testing.T) {
	g, err := open(t).Gesture("bath_or_shower")
	if err != nil {
		t.Fatal(err)
	}
	shared, tank := home(water(tips.SharedHotWater)), home(water(tips.ElectricTank))
	shared.HeatOfM3, tank.HeatOfM3 = 70_000, 70_000
	for _, tt := range []struct {
		home tips.Home
		want float64
	}{{shared, 3.6 * 0.575 * 70}, {tank, 3600 * 0.0267 / 0.85}} {
		costs, err := g.Compare(tt.home, 100, tariff{})
		if err != nil {
			t.Fatal(err)
		}
		if got := costs[2].KWh; math.Abs(got-tt.want) > 1e-6 {
			t.Errorf("short shower, %s: %g kWh, by hand %g", tt.home.Water, got, tt.want)
		}
	}
}

func TestGestureSaysItsSources(t *testing.T) {
	for _, g := range open(t).Gestures {
		for _, w := range g.Ways {
			if w.Source == "" || w.Name.IsZero() {
				t.Errorf("%s, %s: no source or no name", g.ID, w.ID)
			}
		}
		if g.ID == "oven_or_microwave" && g.Known != tips.Unfounded {
			t.Errorf("%s is graded %s: nobody measured it", g.ID, g.Known)
		}
	}
}

func TestCompareWithoutPrice(t *testing.T) {
	c := open(t)
	g, err := c.Gesture("wash_30_or_60")
	if err != nil {
		t.Fatal(err)
	}
	costs, err := g.Compare(home(), 1, prices{err: tips.ErrNoPrice})
	if err != nil || costs[0].Priced || costs[0].Cents() != 0 || costs[0].Litres != 80 {
		t.Errorf("%+v, %v: want 80 L and no euros", costs, err)
	}
	_, err = g.Compare(home(), 1, prices{rates: []tips.Rate{{Price: metering.Price{Per: "L"}, Share: 1}}})
	wantError(t, err, "wash_30_or_60", "at_60", "correct the tariff")
	_, err = g.Compare(home(), 0, tariff{})
	wantError(t, err, "0 times")
	if _, err := c.Gesture("sleep"); !errors.Is(err, tips.ErrNoGesture) {
		t.Errorf("unknown gesture: %v", err)
	}
}
