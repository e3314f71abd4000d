package landlord

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/meters/watch"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// Paths of the pages below.
const (
	usagePath       = "/suivi"
	heatmapPath     = "/suivi/carte"
	balancePath     = "/suivi/pertes"
	leaksPath       = "/suivi/fuites"
	silentPath      = "/suivi/silence"
	indicatorsPath  = "/suivi/indicateurs"
	conventionsPath = "/suivi/conventions"
	exportsPath     = "/suivi/exports"
)

// An Overview serves what the landlord follows from month to month: what homes used
// together, what buildings lose, leaks, silent equipment, and the programme with its
// figures. Nothing of one home is on these pages but an open case of a leak.
type Overview struct {
	Site      *web.Site
	Homes     *premises.Store
	Totals    *consumption.Totals
	Around    *consumption.Neighbourhood
	Leaks     *alerts.Store
	Charges   *charges.Store
	Watch     *watch.Store
	Programme *programme.Store
	Printer   programme.Printer
	Now       func() time.Time
}

// Register adds the pages' routes. Who may open a page stands here; what of it
// they see is in the queries.
func (o *Overview) Register(e *echo.Echo) {
	managers := accounts.Staff(accounts.NoScope, managers...)
	desk := accounts.Staff(accounts.NoScope, readers...)
	keepers := accounts.Staff(accounts.NoScope, accounts.Manager, accounts.Administrator)
	e.GET(usagePath, o.usage, managers)
	e.GET(heatmapPath, o.heatmap, managers)
	e.GET(balancePath, o.balances, managers)
	e.GET(leaksPath, o.leaks, desk)
	e.POST(leaksPath, o.sayOfLeak, desk)
	e.GET(silentPath, o.silent, keepers)
	e.GET(indicatorsPath, o.indicators, desk)
	e.GET(conventionsPath, o.conventions, desk)
	e.GET(measuredPath, o.measured, accounts.Staff(accounts.NoScope, programme.Measured...))
	e.GET(exportsPath, o.exports, managers)
	e.GET(exportsPath+"/:file", o.exportFile, managers)
}

var (
	managers = []accounts.Role{accounts.Manager}
	readers  = []accounts.Role{accounts.Advisor, accounts.Manager, accounts.Administrator}
)

// tabs are the pages beside each other, and for whom.
var tabs = []struct {
	path, key string
	roles     []accounts.Role
}{
	{usagePath, "landlord.tab_usage", managers},
	{heatmapPath, "landlord.tab_heatmap", managers},
	{balancePath, "landlord.tab_balance", managers},
	{leaksPath, "landlord.tab_leaks", readers},
	{silentPath, "landlord.tab_silent", []accounts.Role{accounts.Manager, accounts.Administrator}},
	{indicatorsPath, "landlord.tab_indicators", readers},
	{conventionsPath, "landlord.tab_conventions", readers},
	{exportsPath, "landlord.tab_exports", managers},
}

// A frame is what these pages share: the tabs, and the residence that is shown.
type frame struct {
	web.Chrome
	Done, Fault string
	Path        string
	Tabs        []web.Link
	Places      []option
	place       premises.Residence
	today       civil.Date
}

// PlaceID names the residence that is shown; empty for nobody's.
func (f frame) PlaceID() string { return string(f.place.ID) }

// PlaceName is the residence in words.
func (f frame) PlaceName() string { return f.place.Name }

// HasPlace reports whether the reader works for a residence at all.
func (f frame) HasPlace() bool { return f.place.ID != "" }

// link is the page with this query besides the residence.
func (f frame) link(path string, pairs ...string) string {
	query := url.Values{"residence": {f.PlaceID()}}
	for i := 0; i+1 < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	return path + "?" + query.Encode()
}

// frame fills in what the pages share. It fails with NotFound "residence.none" for a
// residence that the reader does not work for.
func (o *Overview) frame(c echo.Context, path, title string) (frame, error) {
	f := frame{Chrome: o.Site.Chrome(c, title), Path: path}
	asked := c.FormValue("residence")
	if len(asked) > 100 {
		return f, &problem.Error{Kind: problem.NotFound, Message: "residence.none"}
	}
	all, err := o.Homes.ResidencesOf(c.Request().Context(), staffOf(c), resource.Page{Limit: 1000})
	if err != nil {
		return f, err
	}
	slices.SortStableFunc(all, func(a, b premises.Residence) int { return cmp.Compare(a.Name, b.Name) })
	for i, r := range all {
		here := string(r.ID) == asked || asked == "" && i == 0
		if here {
			f.place, f.today = r, civil.DateIn(o.Now(), r.Zone)
		}
		f.Places = append(f.Places, option{string(r.ID), r.Name, here})
	}
	if asked != "" && !f.HasPlace() {
		return f, &problem.Error{Kind: problem.NotFound, Message: "residence.none"}
	}
	session, _ := accounts.Who(c)
	for _, t := range tabs {
		if session.Has(t.roles...) {
			f.Tabs = append(f.Tabs, web.Link{Path: f.link(t.path), Name: f.T(t.key), Here: t.path == path})
		}
	}
	return f, nil
}

// overviewPage parses a page of an overview.
func overviewPage[V any](name string) web.Page[V] {
	return web.MustPage[V](templates, "templates/"+name+".html", "templates/overview.html", "templates/turnaround.html")
}

// attach answers with a file.
func attach(c echo.Context, kind, name string, file []byte) error {
	c.Response().Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.Blob(http.StatusOK, kind, file)
}
