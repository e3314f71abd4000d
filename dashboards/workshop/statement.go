package workshop

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/document"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

var services = map[computers.Priced]string{
	computers.PriceRefurbish: "workshop.service_refurbish", computers.PriceRepair: "workshop.service_repair", computers.PriceRecycle: "workshop.service_recycle",
}

// servicesInOrder is the order in which a statement sums them up.
var servicesInOrder = []computers.Priced{computers.PriceRefurbish, computers.PriceRepair, computers.PriceRecycle}

type statementView struct {
	web.Chrome
	Places        []link
	Where, Month  string
	Sums, Lines   [][]string
	Total         string
	Unpriced      string
	Before, After string // addresses of other months; empty for none
	PDF, Register string
}

var statementPage = web.MustPage[statementView](templates, "templates/statement.html", "templates/places.html")

// A monthly is a statement with where it is of.
type monthly struct {
	computers.Statement
	place  place
	places []link
	today  civil.Date
}

// monthly returns the statement that the address asks for: of the month before
// this one, where it names none.
func (h *Handler) monthly(c echo.Context) (monthly, error) {
	here, places, err := h.place(c, Path+"/releve")
	if err != nil {
		return monthly{}, err
	}
	m := monthly{place: here, places: places, today: civil.DateIn(h.Now(), here.Zone)}
	month := m.today.MonthOf().Prev()
	if text := c.QueryParam("mois"); text != "" {
		if month, err = civil.ParseMonth(text); err != nil || m.today.Before(month.First()) {
			return monthly{}, computers.ErrNone
		}
	}
	m.Statement, err = h.Machines.Statement(c.Request().Context(), who(c), here.ID, month)
	return m, err
}

// statement serves GET /atelier/releve?mois=2026-02.
func (h *Handler) statement(c echo.Context) error {
	m, err := h.monthly(c)
	if err != nil {
		return err
	}
	view := statementView{Chrome: h.Site.Chrome(c, "workshop.statement"), Places: m.places, Where: m.place.Name}
	l := view.Language
	view.Month, view.Total = l.Month(m.Month), cents(l, m.TotalCents)
	view.Sums, view.Lines = m.sums(l), m.lines(l)
	if m.Unpriced > 0 {
		view.Unpriced = l.T("workshop.unpriced", m.Unpriced)
	}
	address := func(month civil.Month, page string) string {
		return Path + page + "?" + url.Values{"residence": {string(m.place.ID)}, "mois": {month.String()}}.Encode()
	}
	view.PDF, view.Before = address(m.Month, "/releve.pdf"), address(m.Month.Prev(), "/releve")
	if next := m.Month.Next(); !m.today.Before(next.First()) {
		view.After = address(next, "/releve")
	}
	view.Register = Path + "/registre.csv?" + url.Values{"residence": {string(m.place.ID)}, "annee": {strconv.Itoa(m.Month.Year)}}.Encode()
	return statementPage.Render(c, http.StatusOK, view)
}

// sums are a row for each service: how often, at which price, and the sum. A
// price that changed within the month gives a row of its own.
func (m monthly) sums(l web.Language) [][]string {
	var rows [][]string
	for _, s := range servicesInOrder {
		var prices []int64
		count := map[int64]int{}
		for _, line := range m.Statement.Lines {
			if line.What != s || !line.Priced {
				continue
			}
			if count[line.Cents] == 0 {
				prices = append(prices, line.Cents)
			}
			count[line.Cents]++
		}
		for _, p := range prices {
			rows = append(rows, []string{l.T(services[s]), strconv.Itoa(count[p]), cents(l, p), cents(l, p*int64(count[p]))})
		}
	}
	return rows
}

// lines are a row for each service done.
func (m monthly) lines(l web.Language) [][]string {
	var rows [][]string
	for _, line := range m.Statement.Lines {
		price := l.T("workshop.no_price")
		if line.Priced {
			price = cents(l, line.Cents)
		}
		rows = append(rows, []string{l.DayOfMonth(line.On), line.Tag, l.T(services[line.What]), price})
	}
	return rows
}

// statementPDF serves GET /atelier/releve.pdf?mois=2026-02.
func (h *Handler) statementPDF(c echo.Context) error {
	m, err := h.monthly(c)
	if err != nil {
		return err
	}
	l := web.LanguageOf(c)
	s := document.Statement{Head: h.head(l, l.T("workshop.statement_of", l.Month(m.Month)), m.place.Name, m.today), Lead: l.T("workshop.statement_lead"),
		Sections: []document.StatementSection{
			{Title: l.T("workshop.services"), Empty: l.T("workshop.nothing_done"), Table: document.Table{Rows: m.sums(l), Columns: []document.Column{
				{Name: l.T("workshop.service"), Wide: 80}, {Name: l.T("workshop.count"), Wide: 25, Right: true}, {Name: l.T("workshop.price_column"), Wide: 30, Right: true}, {Name: l.T("workshop.sum"), Wide: 35, Right: true}}}},
			{Title: l.T("workshop.detail"), Empty: l.T("workshop.nothing_done"), Table: document.Table{Rows: m.lines(l), Columns: []document.Column{
				{Name: l.T("workshop.on_day"), Wide: 45}, {Name: l.T("workshop.tag"), Wide: 35}, {Name: l.T("workshop.service"), Wide: 60}, {Name: l.T("workshop.price_column"), Wide: 30, Right: true}}}},
		},
		TotalName: l.T("workshop.receipt_total_due"), Total: cents(l, m.TotalCents), Signatures: []string{l.T("workshop.sign_workshop"), l.T("workshop.sign_landlord")}}
	if m.Unpriced > 0 {
		s.Notes = []string{l.T("workshop.unpriced", m.Unpriced)}
	}
	page, err := document.StatementPages(s)
	if err != nil {
		return err
	}
	return pdf(c, "releve-"+m.Month.String(), page)
}

// A registerRow is a line of the register of intakes as a spreadsheet has it.
type registerRow struct {
	RegisterNo string `json:"register_no"`
	On         string `json:"received_on"`
	Donor      string `json:"donor"`
	Lot        string `json:"lot"`
	CostCents  int64  `json:"cost_cents"`
	Tag        string `json:"tag"`
	Kind       string `json:"kind"`
	Maker      string `json:"maker"`
	Model      string `json:"model"`
	Serial     string `json:"serial"`
}

// register serves GET /atelier/registre.csv?annee=2026: the register of intakes
// of a year.
func (h *Handler) register(c echo.Context) error {
	here, _, err := h.place(c, Path+"/releve")
	if err != nil {
		return err
	}
	year, err := strconv.Atoi(c.QueryParam("annee"))
	if err != nil || year < 2000 || year > 9000 {
		return computers.ErrNone
	}
	from := civil.Date{Year: year, Month: time.January, Day: 1}
	all, err := h.Machines.Register(c.Request().Context(), who(c), here.ID, from, civil.Date{Year: year + 1, Month: time.January, Day: 1})
	if err != nil {
		return err
	}
	text, err := resource.CSV(resource.Mapped(all, func(r computers.RegisterLine) registerRow {
		return registerRow{r.RegisterNo, r.On.String(), r.Donor, r.Lot, r.CostCents, r.Tag, string(r.Kind), r.Maker, r.Model, r.Serial}
	}))
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="registre-`+strconv.Itoa(year)+`.csv"`)
	return c.Blob(http.StatusOK, "text/csv; charset=utf-8; header=present", text)
}
