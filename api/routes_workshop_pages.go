package main

import (
	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/dashboards/web"
	workshoppages "github.com/xnetroseraie/xnet/dashboards/workshop"
)

// workshopPages adds the pages of who refurbishes, sells and repairs computers.
func (s server) workshopPages(e *echo.Echo, site *web.Site, machines *computers.Store, homes *premises.Store) {
	workshoppages.New(workshoppages.Parts{Site: site, Machines: machines, Homes: homes, Sender: s.config.Letter.Sender, Now: s.now}).Register(e)
}

// workshopFile reports whether a route of these pages takes a form with a file,
// which has a limit of its own.
func workshopFile(route string) bool { return workshoppages.BearsFile(route) }
