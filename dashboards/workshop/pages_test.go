package workshop

import (
	"testing"

	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
)

func TestPagesFitTheirViews(t *testing.T) {
	webtest.Fits(t, "desk", deskPage)
	webtest.Fits(t, "machine", machinePage)
	webtest.Fits(t, "sale", salePage)
	webtest.Fits(t, "intake", intakePage)
	webtest.Fits(t, "labels", labelsPage)
	webtest.Fits(t, "stock", stockPage)
	webtest.Fits(t, "statement", statementPage)
	webtest.Fits(t, "repairs", ticketsPage)
	webtest.Fits(t, "repair", ticketPage)
	webtest.Fits(t, "waiting", waitingPage)
	webtest.Fits(t, "programme", programmePage)
}
