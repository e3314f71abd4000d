package workshop_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/api/computers"
)

// Who reserves, goes back in the browser and sells from the page as it was has sold:
// the two forms of a page are two presses.
func TestReserveThenBackThenSell(t *testing.T) {
	s := open(t)
	tec, adv := s.enter(technician), s.enter(advisor)
	machine := tec.readies("SER-RES")
	page := machine + "/vente?foyer=F-rose"
	hold, sale := adv.form(page, machine+"/reservation"), adv.form(page, machine+"/vente")
	if hold.Get("envoi") == "" || hold.Get("envoi") == sale.Get("envoi") {
		t.Errorf("marks of the two forms: %q and %q", hold.Get("envoi"), sale.Get("envoi"))
	}
	sale.Set("aide", "oui")
	sale.Set("paiement", "cash")
	sale.Set("envoi", hold.Get("envoi")) // as a page of before would send it
	if a := adv.Send(machine+"/reservation", hold); a.Status != http.StatusSeeOther {
		t.Fatalf("reserve: %d", a.Status)
	}
	adv.Send(machine+"/vente", sale)
	m, err := s.machines.Machine(t.Context(), advisor, computers.MachineID(machine[strings.LastIndex(machine, "/")+1:]), now())
	if err != nil || m.State != computers.Sold {
		t.Errorf("it is %s, %v, want sold", m.State, err)
	}
}
