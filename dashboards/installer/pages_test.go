package installer

import (
	"testing"

	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
)

func TestPagesFitTheirViews(t *testing.T) {
	webtest.Fits(t, "list", listPage)
	webtest.Fits(t, "whole list", wholePage)
	webtest.Fits(t, "meter", meterPage)
	webtest.Fits(t, "gateway", gatewayPage)
	webtest.Fits(t, "new gateway", newGatewayPage)
	webtest.Fits(t, "steps", stepsPage)
}
