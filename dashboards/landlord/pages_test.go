package landlord

import (
	"testing"

	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
)

func TestPagesFitTheirViews(t *testing.T) {
	webtest.Fits(t, "dwellings", dwellingsPage)
	webtest.Fits(t, "dwelling", dwellingPage)
	webtest.Fits(t, "residence", residencePage)
	webtest.Fits(t, "import form", importFormPage)
	webtest.Fits(t, "import", importPage)
	webtest.Fits(t, "people", homesPage)
	webtest.Fits(t, "household", householdPage)
	webtest.Fits(t, "move", movePage)
	webtest.Fits(t, "usage", usagePage)
	webtest.Fits(t, "heatmap", heatmapPage)
	webtest.Fits(t, "balance", balancePage)
	webtest.Fits(t, "leaks", leaksPage)
	webtest.Fits(t, "silent", silentPage)
	webtest.Fits(t, "indicators", indicatorsPage)
	webtest.Fits(t, "conventions", conventionsPage)
	webtest.Fits(t, "measured", measuredPage)
	webtest.Fits(t, "exports", exportsPage)
}
