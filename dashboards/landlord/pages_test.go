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
}
