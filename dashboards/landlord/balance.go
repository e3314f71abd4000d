package landlord

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

type balanceView struct {
	frame
	Losing int // buildings that lose something in the last month that is told
	Lead   string
	Mains  []mainView
}

// A mainView is a main meter with its months, the last first.
type mainView struct {
	ID, Name, Kind, Verdict string
	Why                     string // nothing is told: of the last month
	OutName                 string // what its homes took, in words
	Losing, Wrong           bool
	left                    metering.Amount
	Months                  []balanceMonth
}

// A balanceMonth is what went in and what came out; Why is set where nothing is told.
type balanceMonth struct {
	Name, In, Out, Left, Percent, Verdict, Why string
	Losing                                     bool
	Formula                                    string
}

var balancePage = overviewPage[balanceView]("balance")

// balances serves GET /suivi/pertes: what goes into a building and comes out of none
// of its meters.
func (o *Overview) balances(c echo.Context) error {
	f, err := o.frame(c, balancePath, "landlord.balance")
	if err != nil {
		return err
	}
	view := balanceView{frame: f}
	if f.HasPlace() {
		all, err := o.balanceMonths(c, f)
		if err != nil {
			return err
		}
		view.fill(all)
	}
	return balancePage.Render(c, http.StatusOK, view)
}

// balanceMonths are those of the last year.
func (o *Overview) balanceMonths(c echo.Context, f frame) ([]consumption.Balance, error) {
	s := f.lastYears()
	s.From = civil.Date{Year: s.To.Year - 1, Month: s.To.Month, Day: 1}
	return o.Totals.Balances(c.Request().Context(), staffOf(c), s, o.Now())
}

func (v *balanceView) fill(all []consumption.Balance) {
	for _, b := range all {
		at := slices.IndexFunc(v.Mains, func(m mainView) bool { return m.ID == mainID(b) })
		if at < 0 {
			at = len(v.Mains)
			v.Mains = append(v.Mains, mainView{ID: mainID(b), Kind: string(b.Kind), OutName: v.outName(b.Kind),
				Name: v.T("landlord.main", nameOf(v.Language, consumption.Group{Level: consumption.OfBuilding, Members: []string{b.Building}}), v.T("kind."+string(b.Kind)))})
		}
		m := &v.Mains[at]
		m.Months = append(m.Months, v.month(b))
		m.note(v, b)
	}
	for i := range v.Mains {
		m := &v.Mains[i]
		slices.Reverse(m.Months)
		if m.Verdict == "" && m.Months[0].Why != "" {
			m.Why = v.T("landlord.balance_why", m.Months[0].Why)
		}
		if m.Losing {
			v.Losing++
		}
	}
	slices.SortStableFunc(v.Mains, func(a, b mainView) int { return cmp.Compare(b.left, a.left) })
	switch {
	case v.Losing > 0:
		v.Lead = v.T("landlord.losing", v.Losing)
	case len(v.Mains) > 0:
		v.Lead = v.T("landlord.losing_none")
	}
}

// outName says what stands against a main meter: cold water against all water.
func (v *balanceView) outName(k metering.Kind) string {
	if k == metering.ColdWater {
		return v.T("landlord.head_out")
	}
	return v.T("landlord.head_homes")
}

// lineOf writes a line of a balance. All are written equally fine, so that the
// lines that are shown add up.
func lineOf(l web.Language, k metering.Kind, a metering.Amount) string {
	a = shown(k, a)
	if k.IndexUnit() == metering.WattHour {
		return l.Number(float64(a)/1000, 0) + "\u00a0kWh"
	}
	return l.Number(float64(a)/1e6, 1) + "\u00a0m³"
}

// shown rounds an amount to the last digit that lineOf writes.
func shown(k metering.Kind, a metering.Amount) metering.Amount {
	step := metering.Amount(100_000) // a tenth of a cubic metre
	if k.IndexUnit() == metering.WattHour {
		step = 1000
	}
	return (a + step/2) / step * step
}

// behind is what all homes took.
func behind(b consumption.Balance) (out metering.Amount) {
	for _, h := range b.Behind {
		out += h.Used
	}
	return out
}

// leftOf is what is left of the two lines as they are shown.
func leftOf(b consumption.Balance) metering.Amount {
	return max(0, shown(b.Kind, b.Main.Used)-shown(b.Kind, behind(b)))
}

func mainID(b consumption.Balance) string { return b.Building + "-" + string(b.Kind) }

// note keeps the verdict of the last month that is told.
func (m *mainView) note(v *balanceView, b consumption.Balance) {
	if b.Verdict == "" {
		return
	}
	month := v.Month(b.From.MonthOf())
	m.Losing, m.Wrong, m.left = b.Verdict == consumption.Unaccounted, b.Verdict == consumption.WrongBinding, 0
	switch b.Verdict {
	case consumption.Unaccounted:
		m.left = *b.Left
		m.Verdict = v.T("landlord.lost", lineOf(v.Language, b.Kind, leftOf(b)), month, v.Number(*b.Percent, 0))
	case consumption.WrongBinding:
		m.Verdict = v.T("landlord.wrong_binding", month)
	default:
		m.Verdict = v.T("landlord.accounted", month)
	}
}

func (v *balanceView) month(b consumption.Balance) balanceMonth {
	m := balanceMonth{Name: v.Month(b.From.MonthOf())}
	if b.Refused != "" {
		m.Why = v.T(noBalanceKeys[b.Refused])
		return m
	}
	m.In, m.Verdict, m.Losing = lineOf(v.Language, b.Kind, b.Main.Used), v.T(verdictKeys[b.Verdict]), b.Verdict != consumption.Accounted
	if len(b.Behind) > 0 {
		m.Out = lineOf(v.Language, b.Kind, behind(b))
	}
	if b.Left != nil {
		m.Left, m.Percent = lineOf(v.Language, b.Kind, leftOf(b)), v.T("landlord.percent", v.Number(*b.Percent, 0))
	}
	return m
}

var verdictKeys = map[consumption.Verdict]string{
	consumption.Accounted: "landlord.verdict_accounted", consumption.Unaccounted: "landlord.verdict_lost", consumption.WrongBinding: "landlord.verdict_wrong",
}

var noBalanceKeys = map[consumption.NoBalance]string{
	consumption.NoMain: "landlord.no_main", consumption.SeveralMains: "landlord.several_mains", consumption.MainNotKnown: "landlord.main_not_known",
	consumption.NotEveryDwelling: "landlord.not_every_dwelling", consumption.BalanceTooFew: "landlord.too_few", consumption.BalanceNotOver: "landlord.not_over",
	consumption.HotWaterUnclear: "landlord.hot_water_unclear", consumption.BalanceNoneLeft: "landlord.nothing_used", consumption.BalanceWholeMonth: "landlord.whole_months",
}
