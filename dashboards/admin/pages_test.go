package admin

import (
	"testing"

	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
)

func TestPagesFitTheirViews(t *testing.T) {
	webtest.Fits(t, "settings", settingsPage)
}
