package landlord

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// measuredPath is what a workshop's conventions measure, for those who work there.
const measuredPath = "/atelier/conventions"

type measuredView struct {
	web.Chrome
	Conventions []measuredConvention
}

// A measuredConvention is how long the repairs of one took.
type measuredConvention struct {
	ID, Title, Partner string
	Turnaround         turnaroundTable
}

var measuredPage = web.MustPage[measuredView](templates, "templates/measured.html", "templates/turnaround.html")

// measured serves GET /atelier/conventions: technicians find the conventions of the
// partner they work for, without what it is paid.
func (o *Overview) measured(c echo.Context) error {
	view := measuredView{Chrome: o.Site.Chrome(c, "landlord.measured_title")}
	ctx, who := c.Request().Context(), staffOf(c)
	all, err := o.Programme.MeasuredConventions(ctx, who)
	if err != nil {
		return err
	}
	for _, k := range all {
		months, err := o.Programme.Turnarounds(ctx, who, k.ID, civil.DateIn(o.Now(), time.UTC))
		if err != nil {
			return err
		}
		view.Conventions = append(view.Conventions, measuredConvention{k.ID, k.Title, k.Partner, turnarounds(view.Language, months)})
	}
	return measuredPage.Render(c, http.StatusOK, view)
}
