package workshop

import (
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A finder looks for a household by its door or a name, on the page that then
// shows a form for it.
type finder struct {
	web.Language
	Path, Words string
	Hidden      []option // what else the page's address says
	Found       []link   // households that fit
	Asked       bool     // somebody was looked for
	More        bool     // more fit than are shown
}

// fewHomes is how many households a search shows.
const fewHomes = 20

// find lists the households of a residence whose door or name fits what was typed;
// each leads to the page with "foyer" added.
func (h *Handler) find(c echo.Context, l web.Language, path string, residence metering.SiteID, hidden ...option) (finder, error) {
	f := finder{Language: l, Path: path, Hidden: hidden, Words: strings.TrimSpace(c.QueryParam("recherche"))}
	if f.Words == "" || len(f.Words) > longLine {
		return f, nil
	}
	f.Asked = true
	all, err := h.Homes.Homes(c.Request().Context(), who(c), premises.Filter{Residence: residence, Search: f.Words, Page: resource.Page{Limit: fewHomes}}, h.Now())
	if err != nil {
		return f, err
	}
	if f.More = len(all) > fewHomes; f.More {
		all = all[:fewHomes]
	}
	for _, home := range all {
		address := url.Values{"foyer": {string(home.Household.ID)}}
		for _, o := range hidden {
			address.Set(o.ID, o.Name)
		}
		f.Found = append(f.Found, link{Path: path + "?" + address.Encode(),
			Name: l.Door(home.Dwelling.Label, home.Dwelling.Building, home.Dwelling.Staircase), More: strings.Join(home.Names, ", ")})
	}
	return f, nil
}

// chosen names a household that was found, with those who belong to it today. The
// look is written down for it to read.
func (h *Handler) chosen(c echo.Context, l web.Language, household premises.HouseholdID, today civil.Date) (named string, members []option, err error) {
	sheet, err := h.Homes.Sheet(c.Request().Context(), premises.Look{At: h.Now(), Staff: who(c), Household: household, What: computers.ChoseHousehold})
	if err != nil {
		return "", nil, err
	}
	var names []string
	for _, one := range sheet.Members {
		if one.To.IsZero() || today.Before(one.To) {
			members, names = append(members, option{ID: string(one.ID), Name: one.Name}), append(names, one.Name)
		}
	}
	return joined(strings.Join(names, ", "), l.T("workshop.household", string(household))), members, nil
}
