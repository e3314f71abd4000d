package main

import (
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A guest is a tenant whom the demo introduces.
type guest struct {
	person string // id
	flat   household.DwellingID
	why    string
}

// staff are those who work for the landlord, each with what they look at.
var staff = []struct{ person, name, role, why string }{
	{"S-administrator", "Agathe Laurier", "administrator", "sets everything up"},
	{"S-manager", "Bruno Sureau", "manager", "dwellings, people, equipment"},
	{"S-advisor", "Nadia Le Goff", "advisor", "the one whom families call"},
	{"S-technician", "Rosa Aubépin", "technician", "checks, refurbishes and repairs computers"},
	{"S-trainer", "Luce Pivoine", "trainer", "holds the trainings of who bought a computer"},
	{installer, "Karim Tilleul", "installer", "checks gateways and meters"},
}

// introductions says what a visitor may want to see of each story.
var introductions = []struct {
	story household.Story
	why   string
}{
	{household.LeakingToilet, "a toilet that leaks since about two months"},
	{household.HighStandby, "a high standby, day and night"},
	{household.Careful, "a careful household"},
	{household.NightWorker, "somebody who lives at night"},
	{household.ReplacedMeter, "a cold-water meter that was replaced"},
	{household.Swapped, "two flats whose water meters are crossed: no euros until an installer checked them"},
	{household.SilentGateway, "a gateway that is silent"},
	{household.ChangedHousehold, "moved in while the meters counted"},
	{household.Unmetered, "a flat without meters"},
}

// guests are an ordinary household that agreed to be read finely, one that did
// not, and the first of each story.
func (d *demo) guests() (list []guest) {
	list = append(list, d.ordinary(household.ConsentFine, "ordinary, read every 10 seconds: it agreed")...)
	list = append(list, d.ordinary(household.ConsentNone, "ordinary, read as rarely as the law allows")...)
	for _, i := range introductions {
		for _, flat := range d.residence.Dwellings {
			if g, ok := d.guest(flat, i.why); ok && flat.Has(i.story) {
				list = append(list, g)
				break
			}
		}
	}
	return list
}

func (d *demo) ordinary(consent household.Consent, why string) []guest {
	for _, flat := range d.residence.Dwellings {
		h := flat.HouseholdOn(d.today())
		if g, ok := d.guest(flat, why); ok && len(flat.Stories) == 0 && h.Consent == consent {
			return []guest{g}
		}
	}
	return nil
}

// guest is the tenant of a flat, false where nobody lives there today.
func (d *demo) guest(flat *household.Dwelling, why string) (guest, bool) {
	h := flat.HouseholdOn(d.today())
	if h == nil {
		return guest{}, false
	}
	for i := range flat.Households {
		if &flat.Households[i] == h {
			return guest{person: personID(flat, i, 0), flat: flat.ID, why: why}, true
		}
	}
	return guest{}, false
}

func (d *demo) today() civil.Date { return civil.DateIn(time.Now(), d.residence.Zone) }

// welcome prints what a visitor needs.
func (d *demo) welcome() {
	d.screen.step("ready")
	d.screen.say("\n  Open   http://%s\n\n  Sign in with one of these codes:\n", d.addr.api)
	for _, g := range d.guests() {
		d.screen.say("    %-15s flat %-6s %s", d.codes[g.person], g.flat, g.why)
	}
	d.screen.say("\n  Or as one of the staff:\n")
	for _, s := range staff {
		d.screen.say("    %-15s %-15s %s: %s", d.codes[s.person], s.name, s.role, s.why)
	}
	d.screen.say("\n  The meters are read every %s; the newest reading stands on the page.", d.Interval)
	d.screen.say("  Logs are in %s. Ctrl-C ends everything.\n", fmt.Sprint(d.path("log")))
}
