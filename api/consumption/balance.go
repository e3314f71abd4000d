package consumption

import (
	"fmt"
	"math"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Verdict says what a balance found.
type Verdict string

// The verdicts.
const (
	// Accounted: what is left is within what the meters themselves may be off.
	Accounted Verdict = "accounted"
	// Unaccounted: more went in than the homes took, as by a leak in a pipe of the
	// building, a tap in the cellar, or a home that draws beside its meter.
	Unaccounted Verdict = "unaccounted"
	// WrongBinding: the homes took more than went in, which cannot be: probably a
	// meter is bound to the wrong building, or a pulse is worth something else. No
	// number is told then.
	WrongBinding Verdict = "probably_wrong_binding"
)

// A NoBalance is why main meter and homes cannot be set against each other.
type NoBalance string

// The reasons.
const (
	NoMain            NoBalance = "no_main"            // no meter of the kind hangs at the building
	SeveralMains      NoBalance = "several_mains"      // which of them the homes are behind is not known
	MainNotKnown      NoBalance = "main_not_known"     // replaced, silent or not read in one of the months
	NotEveryDwelling  NoBalance = "not_every_dwelling" // one has no meter of the kind, or its figure is not known
	BalanceTooFew     NoBalance = "too_few_homes"      // fewer than ten: the difference would tell of them
	BalanceNotOver    NoBalance = "not_over"           // a month still runs, or its last readings may be on their way
	HotWaterUnclear   NoBalance = "hot_water_unclear"  // whether hot water is drawn from this main is not known
	BalanceNoneLeft   NoBalance = "nothing_used"       // nothing went in
	BalanceWholeMonth NoBalance = "whole_months_only"  // the days are no whole months
)

// A Balance is a building's main meter less the meters of its dwellings over the
// same months: what went in and did not come out.
type Balance struct {
	Building string        `json:"building"`
	Kind     metering.Kind `json:"kind"`
	From     civil.Date    `json:"from"`
	To       civil.Date    `json:"to"` // excluded
	Refused  NoBalance     `json:"refused,omitempty"`
	Verdict  Verdict       `json:"verdict,omitempty"`
	// Main explains what went in.
	Main *metering.Explanation `json:"main,omitempty"`
	// Behind is what the dwellings took, all of them, those without tenants too.
	Behind []Behind `json:"behind,omitempty"`
	// Left is what is not accounted for, and Percent its share of the main; nil
	// unless the verdict is unaccounted or accounted, and where it is below zero.
	Left    *metering.Amount `json:"left,omitempty"`
	Percent *float64         `json:"percent,omitempty"`
	// Tolerance is up to where a difference says nothing: the larger of 5 % of the
	// main and of what main and homes may be off by the class of their meters.
	Tolerance metering.Amount `json:"tolerance,omitempty"`
	// Coverage is the share of the days for which all are known, 0 to 1: below 0.95
	// nothing is told.
	Coverage float64          `json:"coverage"`
	Quality  metering.Quality `json:"quality"`
	Formula  string           `json:"formula,omitempty"` // with its figures
}

// A Behind is what the dwellings behind a main took of a kind.
type Behind struct {
	Kind      metering.Kind   `json:"kind"`
	Used      metering.Amount `json:"used"`
	Dwellings int             `json:"dwellings"`
}

// balanceCoverage is the share of the days that both sides must know.
const balanceCoverage = 0.95

// leastTolerance is below which share of the main nothing is claimed.
const leastTolerance = 0.05

// classError is by how much a sound meter may be off, as a share: of water class 2
// (ISO 4064: 2 % but at the smallest flows), of electricity class B in use (EN
// 50470-3: 1 %), of gas class 1.5 (EN 1359: 1.5 %), of heat class 2 at common
// differences of temperature (EN 1434-1: about 5 %).
func classError(k metering.Kind) float64 {
	switch k {
	case metering.Electricity:
		return 0.01
	case metering.Gas:
		return 0.015
	case metering.Heat:
		return 0.05
	default:
		return 0.02
	}
}

// weigh sets what went in against what came out: balances have Main, Behind,
// Quality and Coverage.
func (b *Balance) weigh() {
	var out metering.Amount
	text := inUnit(b.Kind, b.Main.Used)
	for _, h := range b.Behind {
		out += h.Used
		text += " - " + inUnit(h.Kind, h.Used)
	}
	in, off := float64(b.Main.Used), classError(b.Kind)
	b.Tolerance = metering.Amount(math.Round(max(leastTolerance*in, off*in+off*float64(out))))
	left := b.Main.Used - out
	switch {
	case b.Main.Used <= 0 && out <= 0:
		b.Refused, b.Tolerance = BalanceNoneLeft, 0
		return
	case left < -b.Tolerance:
		// Nor what the homes took, which would tell the number all the same.
		b.Verdict, b.Behind, b.Formula = WrongBinding, nil, ""
		return
	case left > b.Tolerance:
		b.Verdict = Unaccounted
	default:
		b.Verdict = Accounted
	}
	if left >= 0 {
		percent := math.Round(1000*float64(left)/in) / 10
		b.Left, b.Percent = &left, &percent
	}
	sign := ""
	if left < 0 {
		sign, left = "-", -left
	}
	b.Formula = fmt.Sprintf("%s = %s%s; tolerance %s", text, sign, inUnit(b.Kind, left), inUnit(b.Kind, b.Tolerance))
}

// refuse ends a balance without a figure.
func (b *Balance) refuse(why NoBalance) {
	*b = Balance{Building: b.Building, Kind: b.Kind, From: b.From, To: b.To, Refused: why, Coverage: b.Coverage, Quality: metering.Missing}
}
