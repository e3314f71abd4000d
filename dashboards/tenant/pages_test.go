package tenant

import (
	"testing"

	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
)

func TestPagesFitTheirViews(t *testing.T) {
	webtest.Fits(t, "sign-in", signInPage)
	webtest.Fits(t, "access", accessPage)
	webtest.Fits(t, "home", homePage)
	webtest.Fits(t, "month", monthPage)
	webtest.Fits(t, "kind", kindPage)
	webtest.Fits(t, "gestures", gesturesPage)
	webtest.Fits(t, "help", helpPage)
	webtest.Fits(t, "check", verifyPage)
	webtest.Fits(t, "similar", similarPage)
	webtest.Fits(t, "tips", tipsPage)
	webtest.Fits(t, "cases", casesPage)
	webtest.Fits(t, "my data", myDataPage)
	webtest.Fits(t, "erase", erasePage)
}
