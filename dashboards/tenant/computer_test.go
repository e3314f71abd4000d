package tenant

import (
	"testing"

	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
)

func TestPagesOfTheComputerFitTheirViews(t *testing.T) {
	webtest.Fits(t, "computer", computerPage)
	webtest.Fits(t, "training", trainingPage)
}
