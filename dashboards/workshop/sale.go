package workshop

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// saleView is the page on which a machine is sold or reserved: first the household
// is looked for by its door or a name, then the form.
type saleView struct {
	web.Chrome
	Tag, What, Machine string
	Path               string
	Find               finder // while no household is chosen
	Household          string // the one that was chosen
	Forms              []form
}

var salePage = web.MustPage[saleView](templates, "templates/sale.html", "templates/find.html", "templates/form.html")

// sale serves GET /atelier/machines/{id}/vente.
func (h *Handler) sale(c echo.Context) error {
	m, err := h.machineOf(c)
	if err != nil {
		return err
	}
	return h.showSale(c, m, "", nil)
}

func (h *Handler) showSale(c echo.Context, m computers.Sheet, slug string, p *problem.Error) error {
	if !in(computers.Ready, computers.Reserved)(m) {
		return c.Redirect(http.StatusSeeOther, machinePath(m.ID))
	}
	view := saleView{Chrome: h.Site.Chrome(c, "workshop.sale_title", m.Tag), Tag: m.Tag, Machine: machinePath(m.ID), Path: machinePath(m.ID) + "/vente"}
	view.What = what(view.Language, m.Machine)
	household := premises.HouseholdID(c.FormValue("foyer"))
	if m.State == computers.Reserved && m.Keeper != nil {
		household = m.Keeper.Household
	}
	if household == "" {
		var err error
		if view.Find, err = h.find(c, view.Language, view.Path, m.Residence); err != nil {
			return err
		}
		return salePage.Render(c, http.StatusOK, view)
	}
	if err := h.saleForms(c, &view, m, household); err != nil {
		return err
	}
	for i := range view.Forms {
		if view.Forms[i].Slug == slug && p != nil {
			view.Forms[i].refused(c, view.Language, p)
		}
	}
	return salePage.Render(c, statusOf(p), view)
}

// saleForms fills the two forms for a household, which its sheet names; the look
// is written down for it to read.
func (h *Handler) saleForms(c echo.Context, view *saleView, m computers.Sheet, household premises.HouseholdID) error {
	l, today := view.Language, h.today(m)
	named, members, err := h.chosen(c, l, household, today)
	if err != nil {
		return err
	}
	view.Household = named
	price, err := h.listPrice(c, m, today)
	if err != nil {
		return err
	}
	hidden := func() []option { return []option{newPress(), {ID: "foyer", Name: string(household)}} }
	view.Forms = append(view.Forms, form{Slug: "vente", Path: view.Path, Token: token(c), Title: l.T("workshop.act_sale"), Button: l.T("workshop.do_sale"), Hidden: hidden(), Fields: saleFields(l, members, price, today)})
	if m.State == computers.Ready {
		view.Forms = append(view.Forms, form{Slug: "reservation", Path: machinePath(m.ID) + "/reservation", Token: token(c), Title: l.T("workshop.act_reserve"), Button: l.T("workshop.do_reserve"), Hidden: hidden(),
			Fields: []field{{Name: "jusqu", Of: "until", Label: l.T("workshop.until"), Look: day, Typed: today.AddDays(14).String(), Needed: true}}})
	}
	return nil
}

func saleFields(l web.Language, members []option, price int64, today civil.Date) []field {
	buyer := field{Name: "acheteur", Of: "buyer", Label: l.T("workshop.buyer"), Look: oneOf, Options: members, Needed: true}
	if len(members) == 1 {
		buyer = buyer.chosen(members[0].ID)
	}
	at := field{Name: "prix", Of: "price_cents", Label: l.T("workshop.price"), Look: line, Most: 12, Mode: "decimal", Needed: true}
	if price > 0 {
		at.Typed, at.Hint = strings.TrimSuffix(l.Number(float64(price)/100, 2), ",00"), l.T("workshop.list_price", cents(l, price))
	}
	return []field{buyer, at,
		field{Name: "aide", Of: "subsidised", Label: l.T("workshop.subsidised"), Hint: l.T("workshop.subsidised_hint"), Look: oneOf, Needed: true,
			Options: []option{{ID: "oui", Name: l.T("workshop.subsidised_yes")}, {ID: "non", Name: l.T("workshop.subsidised_no")}}}, // none stands at first: it obliges the buyer
		{Name: "paiement", Of: "payment", Label: l.T("workshop.payment"), Look: oneOf, Options: options(l, computers.Payments, payments), Needed: true},
		{Name: "jour", Of: "sold_on", Label: l.T("workshop.sold_on"), Look: day, Typed: today.String(), Last: today.String(), Needed: true}}
}

// sell serves POST /atelier/machines/{id}/vente.
func (h *Handler) sell(c echo.Context) error {
	return h.forHousehold(c, "vente", func(m computers.Sheet) error {
		t := &typed{c: c}
		o := computers.Offer{Household: premises.HouseholdID(c.FormValue("foyer")), Buyer: accounts.PersonID(t.words("acheteur", "buyer", true, mostName)),
			PriceCents: t.euros("prix", "price_cents", true), Subsidised: pick(t, "aide", "subsidised", []string{"oui", "non"}) == "oui",
			Payment: pick(t, "paiement", "payment", computers.Payments), SoldOn: t.day("jour", "sold_on")}
		if err := t.err(); err != nil {
			return err
		}
		_, err := h.Machines.Sell(c.Request().Context(), who(c), m.ID, o, h.Now())
		err = atField(err, "price_cents", computers.ErrPrice, computers.ErrNoPrice)
		return atField(atField(err, "buyer", computers.ErrBuyer), "subsidised", computers.ErrSecond)
	})
}

// reserve serves POST /atelier/machines/{id}/reservation.
func (h *Handler) reserve(c echo.Context) error {
	return h.forHousehold(c, "reservation", func(m computers.Sheet) error {
		until, err := dayOf(c, "jusqu", "until")
		if err != nil {
			return err
		}
		return h.Machines.Reserve(c.Request().Context(), who(c), m.ID, premises.HouseholdID(c.FormValue("foyer")), until, h.Now())
	})
}

// forHousehold serves a form of the page on which a machine is sold.
func (h *Handler) forHousehold(c echo.Context, slug string, do func(computers.Sheet) error) error {
	var m computers.Sheet
	return h.send(c, func() (string, error) {
		var err error
		if m, err = h.machineOf(c); err != nil {
			return "", err
		}
		return machinePath(m.ID) + "?fait=" + slug, do(m)
	}, func(p *problem.Error) error {
		if !in(computers.Ready, computers.Reserved)(m) { // somebody was faster: the machine's page says what it is now
			return h.showMachine(c, m, "", p)
		}
		return h.showSale(c, m, slug, p)
	})
}

// listPrice is the price of the machine's kind on a day, in cents; 0 where none
// holds.
func (h *Handler) listPrice(c echo.Context, m computers.Sheet, on civil.Date) (int64, error) {
	all, err := h.Machines.Prices(c.Request().Context(), who(c), m.Residence)
	var price int64
	for _, p := range all { // by date
		if p.What == computers.PriceOf(m.Kind) && !on.Before(p.From) {
			price = p.Cents
		}
	}
	return price, err
}
