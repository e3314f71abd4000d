package tenant

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// An outlook is what is paid in advance beside what the year may cost.
type outlook struct {
	Title     string
	Verdict   string // in a sentence; empty where one of the two is not known
	Arrow     course // how the charges stand to what is paid; empty as Verdict
	Range     string // "entre 410 et 480 €"; empty where it is refused
	RangeOf   string
	Paid      string // "540 €"; empty where nothing is known
	PaidOf    string
	None      string // why there is no range
	NoBill    string
	Why       string // title of what follows
	Because   []string
	LeftOut   []string
	PaidWidth int // of the bars, 0 to 100
	LowWidth  int
	HighWidth int
}

// errSeveralHomes is what a page says to a household of two dwellings at once, where
// a figure can be of one home only.
var errSeveralHomes = &problem.Error{Kind: problem.NotFound, Message: "outlook.several", Err: consumption.ErrSeveralHomes}

// ofOneHome gives a household of two dwellings the reason why a page has no figure.
func ofOneHome(err error) error {
	if errors.Is(err, consumption.ErrSeveralHomes) {
		return errSeveralHomes
	}
	return err
}

// outlook is of the home that is looked at; nil where there is nothing to say.
func (h *Handler) outlook(c echo.Context, t teller, v premises.Viewer) (*outlook, error) {
	about := charges.Handler{Store: h.Charges, Reader: h.Consumption, Now: h.Now}
	o, err := about.Outlook(c.Request().Context(), v)
	if errors.Is(err, consumption.ErrSeveralHomes) {
		return &outlook{Title: t.T("outlook.title", strconv.Itoa(t.home.Today.Year)), None: t.T("outlook.several")}, nil
	}
	if isNone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return t.tellOutlook(o), nil
}

// tellOutlook is nil where nothing that is measured stands in charges, and nothing
// is paid in advance.
func (t teller) tellOutlook(o charges.Outlook) *outlook {
	if o.Refused == charges.NoCharges || o.Refused == charges.LivesNowhere || o.Refused == charges.Unread && o.ProvisionCents == nil {
		return nil
	}
	told := &outlook{Title: t.T("outlook.title", strconv.Itoa(o.Year)), NoBill: t.T("outlook.no_bill"), Why: t.T("why.title")}
	if o.ProvisionCents != nil && o.Refused != charges.Unchecked { // before the check no euros stand beside its meters
		paid := 500 * int64(math.Round(float64(*o.ProvisionCents)/500)) // in steps as the range, so that differences fit
		o.ProvisionCents = &paid
		told.Paid, told.PaidOf = t.T("cost.about", t.Euros(paid)), t.T("outlook.paid")
	}
	if o.Refused != "" {
		told.None = t.noOutlook(o)
		return told
	}
	o.LowCents, o.HighCents = 500*(o.LowCents/500), 500*((o.HighCents+499)/500) // as they are told, so that they can be checked
	low, high := float64(o.LowCents)/100, float64(o.HighCents)/100
	told.Range, told.RangeOf = t.T("mytips.between", t.Number(low, 0), t.Euros(int64(100*high))), t.T("outlook.projected", t.names(o.Kinds))
	told.Because = append(told.Because, t.T("outlook.so_far", t.Euros(o.SoFarCents)))
	if o.FixedCents > 0 {
		told.Because = append(told.Because, t.T("outlook.fixed", t.Euros(o.FixedCents)))
	}
	told.Because = append(told.Because, t.T("outlook.months", o.Months), t.T("outlook.counted", t.names(o.Kinds)))
	if len(o.LeftOut) > 0 {
		told.LeftOut = []string{t.T("outlook.left_out", t.names(o.LeftOut))}
	}
	if o.ProvisionCents != nil {
		t.weigh(told, o)
	}
	return told
}

func (t teller) names(kinds []metering.Kind) string {
	var names []string
	for _, k := range kinds {
		names = append(names, strings.ToLower(t.T("kind."+string(k))))
	}
	return strings.Join(names, ", ")
}

// weigh sets what is paid beside the range.
func (t teller) weigh(told *outlook, o charges.Outlook) {
	paid := *o.ProvisionCents
	switch {
	case o.LowCents > paid:
		told.Arrow = more
		told.Verdict = t.T("outlook.too_little", t.Euros(o.LowCents-paid), t.Euros(o.HighCents-paid))
	case o.HighCents < paid:
		told.Arrow, told.Verdict = less, t.T("outlook.enough")
	default:
		told.Arrow, told.Verdict = same, t.T("outlook.close")
	}
	top := float64(max(paid, o.HighCents, 1))
	width := func(cents int64) int { return int(math.Round(100 * float64(cents) / top)) }
	told.PaidWidth, told.LowWidth, told.HighWidth = width(paid), width(o.LowCents), width(o.HighCents)
}

// noOutlook says why there is no range.
func (t teller) noOutlook(o charges.Outlook) string {
	switch o.Refused {
	case charges.TooEarly:
		return t.T("outlook.too_early")
	case charges.GapInYear:
		return t.T("outlook.gap")
	case charges.SeasonAhead:
		return t.T("outlook.season")
	case charges.PriceUnknown:
		return t.T("outlook.price")
	case charges.Unchecked:
		return t.T("outlook.unchecked")
	default: // a part of what the landlord bills is not counted
		return t.T("outlook.unread")
	}
}
