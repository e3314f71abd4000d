package web

import (
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
)

// A Link leads to a page. Here says that it is the one shown, Within that the
// one shown is below it.
type Link struct {
	Path, Name   string
	Here, Within bool
}

// An audience is who finds a page in the menu.
type audience func(accounts.Session) bool

func everybody(accounts.Session) bool { return true }

// atHome are those who have or had a home, or help somebody who has; and whoever
// has nothing else to look at.
func atHome(s accounts.Session) bool { return s.Home || len(s.Roles) == 0 }

func staff(roles ...accounts.Role) audience {
	return func(s accounts.Session) bool { return s.Has(roles...) }
}

// managesOnly are those who see figures of the workshop and no machine.
func managesOnly(s accounts.Session) bool {
	return s.Has(accounts.Manager) && !s.Has(accounts.Technician, accounts.Advisor, accounts.Administrator)
}

// keepsDesk are those who look after leaks and have no overview of what homes use.
func keepsDesk(s accounts.Session) bool {
	return s.Has(accounts.Advisor, accounts.Administrator) && !s.Has(accounts.Manager)
}

// menu is what stands at the top, and for whom.
var menu = []struct {
	path, key string
	audience  audience
}{
	{"/", "menu.home", atHome},
	{"/semaine", "menu.week", staff(accounts.Advisor, accounts.Administrator)},
	{"/suivi", "menu.overview", staff(accounts.Manager)},
	{"/suivi/fuites", "menu.leaks", keepsDesk},
	{"/suivi/indicateurs", "menu.indicators", keepsDesk},
	{"/logements", "menu.dwellings", staff(accounts.Manager, accounts.Administrator)},
	{"/personnes", "menu.people", staff(accounts.Advisor, accounts.Manager, accounts.Administrator)},
	{"/formations", "menu.trainings", staff(accounts.Advisor, accounts.Administrator)},
	{"/seances", "menu.sessions", staff(accounts.Trainer, accounts.Advisor, accounts.Manager, accounts.Administrator)},
	{"/equipements", "menu.equipment", staff(accounts.Installer, accounts.Manager, accounts.Administrator)},
	{"/atelier", "menu.workshop", staff(accounts.Technician, accounts.Advisor, accounts.Administrator)},
	{"/atelier/stock", "menu.stock", managesOnly},
	{"/reglages", "menu.settings", staff(accounts.Administrator)},
	{"/conseils", "menu.tips", atHome},
	{"/alertes", "menu.alerts", atHome},
	{"/mon-ordinateur", "menu.computer", atHome},
	{"/mes-donnees", "menu.my_data", atHome},
	{"/mon-acces", "menu.my_access", everybody},
	{"/aide", "menu.help", atHome},
}

// menuFor lists the pages that the session may open; none for nobody.
func menuFor(c echo.Context, l Language) []Link {
	session, ok := accounts.Who(c)
	if !ok {
		return nil
	}
	var links []Link
	for _, m := range menu {
		if m.audience(session) {
			here := c.Request().URL.Path
			links = append(links, Link{m.path, l.T(m.key), here == m.path, below(here, m.path)})
		}
	}
	return links
}

// kin are the pages whose address does not say to which of the menu they belong.
var kin = map[string]string{
	"/mon-logement": "/conseils", "/suivi/conventions": "/suivi/indicateurs", "/suivi/silence": "/suivi/fuites",
	"/atelier/releve": "/atelier/stock", "/atelier/programme": "/atelier/stock",
}

// below reports whether a page belongs to one of the menu; what a home used, and
// what can be done there, is below the first page.
func below(page, menuPath string) bool {
	if menuPath == "/" {
		return strings.HasPrefix(page, "/consommation/") || page == "/gestes" || page == "/verifier" || page == "/comparer"
	}
	return strings.HasPrefix(page, menuPath+"/") || kin[page] == menuPath || menuPath == "/semaine" && strings.HasPrefix(page, "/foyers/")
}

// FirstPage is where the menu of the session begins.
func FirstPage(session accounts.Session) string {
	for _, m := range menu {
		if m.audience(session) {
			return m.path
		}
	}
	return SignInPath
}
