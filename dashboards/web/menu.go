package web

import (
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
)

// A Link leads to a page; Here says that it is the one shown.
type Link struct {
	Path, Name string
	Here       bool
}

// menu is what stands at the top for whom: for everybody where roles is empty.
var menu = []struct {
	path, key string
	roles     []accounts.Role
}{
	{"/", "menu.home", nil},
	{"/logements", "menu.dwellings", []accounts.Role{accounts.Manager, accounts.Administrator}},
	{"/personnes", "menu.people", []accounts.Role{accounts.Advisor, accounts.Manager, accounts.Administrator}},
	{"/equipements", "menu.equipment", []accounts.Role{accounts.Installer, accounts.Manager, accounts.Administrator}},
	{"/reglages", "menu.settings", []accounts.Role{accounts.Administrator}},
	{"/mes-donnees", "menu.my_data", nil},
	{"/mon-acces", "menu.my_access", nil},
}

// menuFor lists the pages that the session may open; none for nobody.
func menuFor(c echo.Context, l Language) []Link {
	session, ok := accounts.Who(c)
	if !ok {
		return nil
	}
	var links []Link
	for _, m := range menu {
		if len(m.roles) == 0 || slices.ContainsFunc(m.roles, func(r accounts.Role) bool { return session.Has(r) }) {
			links = append(links, Link{m.path, l.T(m.key), c.Request().URL.Path == m.path})
		}
	}
	return links
}
