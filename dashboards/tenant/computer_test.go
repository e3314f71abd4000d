package tenant

import (
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
)

func TestPagesOfTheComputerFitTheirViews(t *testing.T) {
	webtest.Fits(t, "computer", computerPage)
	webtest.Fits(t, "training", trainingPage)
}

// Who may act and has a broken computer finds a way to say so, whatever the workshop
// noted of it; its dates are years apart, and each has its own.
func TestAskingForARepair(t *testing.T) {
	now := time.Date(2026, 3, 18, 9, 0, 0, 0, time.UTC)
	h := &MyComputer{Now: func() time.Time { return now }}
	sale := computers.Sale{SoldOn: day(t, "2026-03-05"), Guarantee: computers.Guarantee{Programme: day(t, "2027-03-05"), Legal: day(t, "2026-12-31")}}
	ticket := func(state computers.TicketState) []computers.Ticket {
		return []computers.Ticket{{State: state, OpenedOn: day(t, "2026-03-10")}}
	}
	const call = "Vous ne l’avez pas encore, ou il est en panne ? Appelez-nous."
	for _, tt := range []struct {
		name       string
		inUse, act bool
		tickets    []computers.Ticket
		form       bool
		call       string
	}{
		{"in use", true, true, nil, true, ""},
		{"in use, repaired once", true, true, ticket(computers.TicketClosed), true, ""},
		{"a repair is asked for", true, true, ticket(computers.TicketOpen), false, ""},
		{"in repair", false, true, ticket(computers.TicketParts), false, ""},
		{"not noted as handed over", false, true, nil, false, call},
		{"seen by a helper", false, false, nil, false, ""},
		{"in use, seen by a helper", true, false, nil, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := h.machine(web.French(), computers.OwnMachine{Sale: sale, Tickets: tt.tickets, Zone: time.UTC, InUse: tt.inUse}, tt.act)
			if got.MayAsk != tt.form || plain(got.Call) != tt.call {
				t.Errorf("form %t, call %q; want %t, %q", got.MayAsk, got.Call, tt.form, tt.call)
			}
			if plain(got.Bought) != "Acheté le jeudi 5 mars 2026" || plain(got.Legal) != "Garantie légale : jusqu’au jeudi 31 décembre 2026." {
				t.Errorf("%q, %q", got.Bought, got.Legal)
			}
		})
	}
}
