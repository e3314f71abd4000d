package advisor

import (
	"testing"

	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
)

func TestPagesFitTheirViews(t *testing.T) {
	webtest.Fits(t, "week", weekPage)
	webtest.Fits(t, "household", householdPage)
}
