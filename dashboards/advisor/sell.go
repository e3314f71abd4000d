package advisor

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/resource"
)

// forSale fills in what the household bought, and computers that are ready with the
// page that sells them to it. Nothing is offered where the sale at the list price
// would be refused.
func (h *Handler) forSale(ctx context.Context, c echo.Context, v *householdView) error {
	if v.residence == "" {
		return nil
	}
	if err := h.bought(ctx, c, v); err != nil || v.NoShare {
		return err
	}
	all, err := h.Machines.Machines(ctx, whoOf(c), computers.MachineFilter{Residence: v.residence, State: computers.Ready}, resource.Page{Limit: shownForBuy}, h.Now())
	if err != nil {
		return err
	}
	prices, err := h.Machines.Prices(ctx, whoOf(c), v.residence)
	if err != nil {
		return err
	}
	for _, m := range all[:min(len(all), shownForBuy)] {
		link := "/atelier/machines/" + url.PathEscape(string(m.ID)) + "/vente?" + url.Values{"foyer": {string(v.sheet.Household.ID)}}.Encode()
		v.ForSale = append(v.ForSale, linkView{link, m.Tag, v.offered(m, prices)})
	}
	return nil
}

// bought fills in what the household has, and whether its share of machines at the
// reduced price is full.
func (h *Handler) bought(ctx context.Context, c echo.Context, v *householdView) error {
	had, err := h.Machines.Bought(ctx, whoOf(c), v.sheet.Household.ID)
	if err != nil {
		return err
	}
	shares := 0
	for _, p := range had {
		v.Bought = append(v.Bought, v.T("advisor.bought", p.Tag, v.Date(p.SoldOn, v.sheet.Today)))
		if p.Share {
			shares++
		}
	}
	terms, err := h.Machines.Programme(ctx, whoOf(c), v.residence)
	if errors.Is(err, computers.ErrNone) {
		return nil // without a programme the page of the sale says what is lacking
	}
	v.NoShare = err == nil && shares >= terms.PerHousehold
	return err
}

var kindKeys = map[computers.Kind]string{computers.Used: "workshop.kind_used", computers.New: "workshop.kind_new"}

// offered names a machine with its kind and the price of the day, where one is set.
func (v *householdView) offered(m computers.Machine, prices []computers.Price) string {
	parts := []string{strings.TrimSpace(m.Maker + " " + m.Model), strings.ToLower(v.T(kindKeys[m.Kind]))}
	var cents int64
	for _, p := range prices { // by date
		if p.What == computers.PriceOf(m.Kind) && !v.sheet.Today.Before(p.From) {
			cents = p.Cents
		}
	}
	if cents > 0 {
		decimals := 0
		if cents%100 != 0 {
			decimals = 2
		}
		parts = append(parts, v.Money(v.Number(float64(cents)/100, decimals)))
	}
	return strings.Join(parts, ", ")
}
