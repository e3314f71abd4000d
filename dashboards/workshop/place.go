package workshop

import (
	"errors"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A place is a residence in which the person works.
type place struct {
	ID   metering.SiteID
	Name string
	Zone *time.Location
}

// places lists the residences in which the person has a role of ours.
func (h *Handler) places(c echo.Context) ([]place, error) {
	ctx := c.Request().Context()
	all, err := h.Homes.Residences(ctx)
	if err != nil {
		return nil, err
	}
	var mine []place
	for _, r := range all {
		_, err := h.Machines.Prices(ctx, who(c), r.ID)
		if errors.Is(err, computers.ErrNone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		mine = append(mine, place{r.ID, r.Name, r.Zone})
	}
	return mine, nil
}

// place is the residence that the address names, or the person's first one, and
// the way to the others.
func (h *Handler) place(c echo.Context, path string) (place, []link, error) {
	all, err := h.places(c)
	if err != nil {
		return place{}, nil, err
	}
	asked := metering.SiteID(c.QueryParam("residence"))
	here := -1
	var links []link
	for i, one := range all {
		chosen := one.ID == asked || asked == "" && i == 0
		if chosen {
			here = i
		}
		links = append(links, link{Path: path + "?" + url.Values{"residence": {string(one.ID)}}.Encode(), Name: one.Name, Here: chosen})
	}
	if here < 0 {
		return place{}, nil, computers.ErrNone
	}
	if len(links) < 2 {
		links = nil
	}
	return all[here], links, nil
}
