package landlord

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/consumption"
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
			v.Mains = append(v.Mains, mainView{ID: mainID(b), Kind: string(b.Kind),
				Name: v.T("landlord.main", nameOf(v.Language, consumption.Group{Level: consumption.OfBuilding, Members: []string{b.Building}}), v.T("kind."+string(b.Kind)))})
		}
		m := &v.Mains[at]
		m.Months = append(m.Months, v.month(b))
		m.note(v, b)
	}
	for i := range v.Mains {
		slices.Reverse(v.Mains[i].Months)
		if v.Mains[i].Losing {
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
		m.Verdict = v.T("landlord.lost", sumOf(v.Language, b.Kind, *b.Left), month, v.Number(*b.Percent, 0))
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
	m.In, m.Verdict, m.Losing = sumOf(v.Language, b.Kind, b.Main.Used), v.T(verdictKeys[b.Verdict]), b.Verdict != consumption.Accounted
	var out metering.Amount
	for _, h := range b.Behind {
		out += h.Used
	}
	if len(b.Behind) > 0 {
		m.Out = sumOf(v.Language, b.Kind, out)
	}
	if b.Left != nil {
		m.Left, m.Percent = sumOf(v.Language, b.Kind, *b.Left), v.T("landlord.percent", v.Number(*b.Percent, 0))
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
