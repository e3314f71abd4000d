package landlord

import (
	"math"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// mostConventions is how many a residence shows, turnaroundMonths how many months of
// each are shown.
const (
	mostConventions  = 200
	turnaroundMonths = 12
)

type conventionsView struct {
	frame
	Conventions []conventionView
}

// A conventionView is what was agreed with a partner, and what came of it.
type conventionView struct {
	ID, Title, Partner, Kind, Contact, Dial, Telephone, Dates, Ends string
	Over                                                            bool
	Ours, Theirs                                                    []string
	Prices                                                          []option // what and how much
	Target                                                          string
	Turnaround                                                      turnaroundTable
}

// A turnaroundTable is what a convention's repairs took, the last month first.
type turnaroundTable struct {
	web.Language
	Months []turnaroundView
	None   string // there was nothing to repair
}

// A turnaroundView is a month of repairs.
type turnaroundView struct {
	Name, Ended, Median, Ninety, Within, Waiting string
	Late                                         bool
}

var conventionsPage = overviewPage[conventionsView]("conventions")

// conventions serves GET /suivi/conventions.
func (o *Overview) conventions(c echo.Context) error {
	f, err := o.frame(c, conventionsPath, "landlord.conventions")
	if err != nil {
		return err
	}
	view := conventionsView{frame: f}
	if !f.HasPlace() {
		return conventionsPage.Render(c, http.StatusOK, view)
	}
	ctx, who := c.Request().Context(), staffOf(c)
	page := programme.Filter{Residence: f.place.ID, Page: resource.Page{Limit: mostConventions}}
	partners, err := programme.List[programme.Partner](ctx, o.Programme, who, page)
	if err != nil {
		return err
	}
	all, err := programme.List[programme.Convention](ctx, o.Programme, who, page)
	if err != nil {
		return err
	}
	for _, k := range all {
		months, err := o.Programme.Turnarounds(ctx, who, k.ID, f.today)
		if err != nil {
			return err
		}
		view.Conventions = append(view.Conventions, view.convention(k, partners, months))
	}
	return conventionsPage.Render(c, http.StatusOK, view)
}

func (v *conventionsView) convention(k programme.Convention, partners []programme.Partner, months []programme.Turnaround) conventionView {
	made := conventionView{ID: k.ID, Title: k.Title, Dates: v.T("landlord.since_day", v.Date(k.From, civil.Date{}))}
	if i := slices.IndexFunc(partners, func(p programme.Partner) bool { return p.ID == k.Partner }); i >= 0 {
		made.Partner, made.Kind, made.Contact, made.Telephone = partners[i].Name, v.T(partnerKeys[partners[i].Kind]), partners[i].Contact, partners[i].Telephone
		made.Dial = v.Advisor.Dial()
		if made.Telephone != "" {
			advisor := v.Advisor
			advisor.Telephone = made.Telephone
			made.Dial = advisor.Dial()
		}
	}
	if k.Until != nil {
		last := k.Until.AddDays(-1)
		made.Dates = v.T("landlord.days_from", v.Date(k.From, civil.Date{}), v.Date(last, civil.Date{}))
		made.Over = last.Before(v.today)
		if made.Over {
			made.Ends = v.T("landlord.convention_over")
		} else if k.NoticeDays > 0 && !v.today.Before(k.Until.AddDays(-int(k.NoticeDays))) {
			made.Ends = v.T("landlord.convention_ends", v.Date(last, v.today))
		}
	}
	for _, p := range k.Commitments {
		text := v.T("landlord.promise", v.T(topicKeys[p.Topic]), p.Promise)
		if p.Side == programme.Landlord {
			made.Ours = append(made.Ours, text)
		} else {
			made.Theirs = append(made.Theirs, text)
		}
	}
	for _, p := range k.Prices {
		made.Prices = append(made.Prices, option{ID: v.T(serviceKeys[p.Service]), Name: v.T("programme.unit_eur", v.Number(float64(p.PriceCents)/100, 2))})
	}
	if k.ReturnDays > 0 {
		made.Target = v.T("landlord.return_days", k.ReturnDays)
	}
	made.Turnaround = turnarounds(v.Language, months)
	return made
}

// turnarounds shows the last months, those in which something was repaired or
// waited for it.
func turnarounds(l web.Language, months []programme.Turnaround) turnaroundTable {
	table := turnaroundTable{Language: l}
	for _, m := range months[max(0, len(months)-turnaroundMonths):] {
		if m.Ended > 0 || m.Waiting > 0 {
			table.Months = append(table.Months, turnaround(l, m))
		}
	}
	if len(months) > 0 && len(table.Months) == 0 {
		table.None = l.T("landlord.no_repairs")
	}
	slices.Reverse(table.Months)
	return table
}

func turnaround(v web.Language, t programme.Turnaround) turnaroundView {
	made := turnaroundView{Name: v.Month(t.Month), Ended: v.Number(float64(t.Ended), 0), Waiting: v.Number(float64(t.Waiting), 0),
		Median: "–", Ninety: "–", Within: "–", Late: t.Over30 > 0 || t.Within < t.Ended}
	if t.Ended > 0 {
		decimals := 0
		if t.Median != math.Trunc(t.Median) {
			decimals = 1
		}
		made.Median, made.Ninety = inDays(v, t.Median, decimals), inDays(v, float64(t.Ninety), 0)
		made.Within = v.T("landlord.of", t.Within, t.Ended)
	}
	return made
}

// inDays writes how many days something took.
func inDays(l web.Language, days float64, decimals int) string {
	key := "programme.unit_days"
	if days == 1 || days < 2 && l.Code() == "fr" {
		key = "programme.unit_day"
	}
	return l.T(key, l.Number(days, decimals))
}

var partnerKeys = map[programme.PartnerKind]string{
	programme.WorkshopPartner: "landlord.partner_workshop", programme.TrainingPartner: "landlord.partner_training", programme.InternetPartner: "landlord.partner_internet",
	programme.Institution: "landlord.partner_institution", programme.Association: "landlord.partner_association", programme.OtherPartner: "landlord.partner_other",
}

var topicKeys = map[programme.Topic]string{
	"stock": "landlord.topic_stock", "quality": "landlord.topic_quality", "turnaround": "landlord.topic_turnaround", "price": "landlord.topic_price",
	"training": "landlord.topic_training", "place": "landlord.topic_place", "other": "landlord.topic_other",
}

var serviceKeys = map[programme.Service]string{
	"refurbish": "landlord.service_refurbish", "repair": "landlord.service_repair", "recycle": "landlord.service_recycle",
	"training": "landlord.service_training", "internet": "landlord.service_internet", "other": "landlord.service_other",
}
