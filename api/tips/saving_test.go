package tips_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

var errGone = errors.New("gone")

// prices give one answer to every question.
type prices struct {
	rates []tips.Rate
	err   error
}

func (p prices) Rates(metering.Kind, civil.Date) ([]tips.Rate, error) { return p.rates, p.err }

func priceOf(per string) metering.Price {
	return metering.Price{MicroEUR: 194_000, Per: per, From: "2026-01-01"}
}

func wantError(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
}

// Until a meter has passed its dial and tap check it gives no euros, and no leak.
func TestUncheckedMeterGivesNoEuros(t *testing.T) {
	c := open(t)
	for id, s := range scenes {
		h := home(s.due)
		for k, m := range h.Meters {
			m.Checked = false
			h.Meters[k] = m
		}
		e, _ := c.Entry(id)
		p, shown := due(t, c, h)[id]
		if e.Use == "leak" && shown {
			t.Errorf("%s: a leak is claimed by a meter that may be a neighbour's", id)
		}
		if shown && p.Saving != nil && (p.Saving.Priced || p.Saving.Cents() != 0 || p.Saving.Why.NoEuros != tips.UncheckedMeter) {
			t.Errorf("%s: euros from an unchecked meter: %+v", id, p.Saving)
		}
	}
}

// A shower tip cannot save more than showers and baths use: 39 % of the water.
func TestSavingIsCappedByItsUse(t *testing.T) {
	c := open(t)
	rapid.Check(t, func(t *rapid.T) {
		people := rapid.IntRange(1, 12).Draw(t, "people")
		perDay := metering.Amount(rapid.Int64Range(1, 2_000_000).Draw(t, "ml"))
		h := home(water(tips.ElectricTank), daily(metering.ColdWater, always(perDay)), similarWater(0, 0, 0))
		h.Occupants = people
		found, err := c.Find(h, tariff{})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range found {
			if p.Entry.ID != "shorter_shower" {
				continue
			}
			year := 365 * float64(perDay)
			uncapped := 12_000 * 365 * float64(people)
			want := min(uncapped, 0.39*year)
			if got := float64(p.Saving.Cuts[0].Amount); math.Abs(got-want) > 1 {
				t.Fatalf("saves %g mL of %g, want %g", got, year, want)
			}
			if capped := uncapped > 0.39*year; p.Saving.Why.Capped != capped || !strings.Contains(p.Saving.Why.CapSource, "39") {
				t.Fatalf("capped is %t, want %t, by %q", p.Saving.Why.Capped, capped, p.Saving.Why.CapSource)
			}
			return
		}
		t.Fatal("the tip is not due")
	})
}

// The dryer's tip cannot save more than the dryer was seen to use.
func TestSavingIsCappedByWhatWasSeen(t *testing.T) {
	c := open(t)
	weekly := draws(333, 15, 6, on(6))
	h := home(yes(tips.HasDryer), curve(metering.Electricity, 28, func(at time.Time) metering.Amount { return 10 + weekly(at) }))
	p := due(t, c, h)["dry_in_air"]
	want := cents(52 * 1.998 * 0.194) // 333 Wh six times, once a week, where ADEME says 301 kWh
	if p.Saving == nil || p.Saving.Cents() != want || !p.Saving.Why.Capped {
		t.Errorf("saving %+v, want %d cents, capped", p.Saving, want)
	}
}

func TestWaterThatNobodyKnowsHowIsHeated(t *testing.T) {
	c := open(t)
	for _, tt := range []struct {
		name string
		with tips.WaterHeating
		want int64 // cents of charges
	}{
		{"gas of an unknown efficiency", tips.GasBoiler, cents(8.76 * 4.69)},       // the water alone
		{"shared", tips.SharedHotWater, cents(8.76*0.425*4.69 + 8.76*0.575*9.433)}, // 23 of 40 kelvins are hot water's
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := home(water(tt.with), daily(metering.ColdWater, always(360*litre)), similarWater(80*litre, 110*litre, 150*litre))
			if tt.with == tips.SharedHotWater {
				daily(metering.HotWater, always(100*litre))(&h)
			}
			p := due(t, c, h)["shorter_shower"]
			if p.Saving == nil || p.Saving.ChargesCents != tt.want || p.Saving.SupplierCents != 0 {
				t.Errorf("saving %+v, want %d cents of charges", p.Saving, tt.want)
			}
		})
	}
}

func TestRoundEuros(t *testing.T) {
	for in, want := range map[int64]int64{0: 0, 249: 0, 250: 5, 749: 5, 750: 10, 102711: 1025, -250: -5} {
		if got := tips.RoundEuros(in); got != want {
			t.Errorf("%d cents are shown as %d €, want %d", in, got, want)
		}
	}
}
