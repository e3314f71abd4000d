package tenant

import (
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// householdField names the household that is looked at, in a page's address;
// without it, it is the reader's own.
const householdField = "foyer"

// whose says whose home a page shows.
type whose struct {
	Viewer  premises.Viewer
	Helped  string // a sentence for a helper; empty at home
	Until   string // until when they help; empty at home
	Choices []choice
	Act     bool // the reader may answer for the home
}

// A choice leads to another home that the reader may look at.
type choice struct {
	Name, Link string
	Here       bool
}

// whose returns the viewer whom the page's address means. Who has no home of
// their own sees the first that they help. Another household than those that the
// reader may look at is not found.
func (h *Handler) whose(c echo.Context, l web.Language) (whose, error) {
	session, _ := accounts.Who(c)
	now := h.Now()
	all, err := h.Homes.Households(c.Request().Context(), session.Person.ID, now)
	if err != nil {
		return whose{}, err
	}
	w := whose{Viewer: premises.Viewer{Person: session.Person.ID, Household: premises.HouseholdID(c.QueryParam(householdField))}}
	if w.Viewer.Household == "" && len(all) > 0 && !all[0].Own {
		w.Viewer.Household = all[0].Household
	}
	known := w.Viewer.Household == ""
	for i, g := range all {
		here := g.Household == w.Viewer.Household || g.Own && w.Viewer.Household == ""
		if here {
			known, w.Act = true, g.Act
		}
		if here && !g.Own {
			w.Helped = l.T("helped.home", g.Giver)
			w.Until = l.T("helped.until", l.Date(g.Until.AddDays(-1), civil.DateIn(now, g.Zone)))
		}
		if g.Own && i > 0 {
			continue // the first link shows all own homes
		}
		w.Choices = append(w.Choices, newChoice(l, g, here))
	}
	if !known {
		return whose{}, &problem.Error{Kind: problem.NotFound, Message: "tenancy.none"}
	}
	if len(w.Choices) < 2 {
		w.Choices = nil
	}
	return w, nil
}

func newChoice(l web.Language, g premises.Sight, here bool) choice {
	if g.Own {
		return choice{Name: l.T("helped.own"), Link: "/", Here: here}
	}
	return choice{Name: l.T("helped.of", g.Giver), Link: "/?" + householdField + "=" + url.QueryEscape(string(g.Household)), Here: here}
}

// link adds the household to a page's address.
func (w whose) link(path string) string {
	if w.Viewer.Household == "" {
		return path
	}
	return path + "?" + householdField + "=" + url.QueryEscape(string(w.Viewer.Household))
}
