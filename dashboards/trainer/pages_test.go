package trainer

import (
	"testing"

	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
)

func TestPagesFitTheirViews(t *testing.T) {
	webtest.Fits(t, "buyers", buyersPage)
	webtest.Fits(t, "buyer", buyerPage)
	webtest.Fits(t, "sessions", sessionsPage)
	webtest.Fits(t, "sheet", sheetPage)
}
