package main

import (
	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/watch"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/dashboards/advisor"
	"github.com/xnetroseraie/xnet/dashboards/landlord"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

// overview adds the advisor's pages, and those on which the landlord follows
// buildings and the programme.
func (s server) overview(e *echo.Echo, site *web.Site, homes *premises.Store) {
	store, cases, trainings := programme.NewStore(s.db), alerts.NewStore(s.db), s.config.trainings(s.db)
	(&advisor.Handler{Site: site, Programme: store, Printer: s.config.printer(), Homes: homes, Cases: cases, Training: trainings,
		Machines: computers.NewStore(s.db, trainings), Now: s.now}).Register(e)
	(&landlord.Overview{Site: site, Homes: homes, Totals: consumption.NewTotals(s.db, s.influx), Around: consumption.NewNeighbourhood(s.db, s.influx),
		Leaks: cases, Charges: charges.NewStore(s.db), Watch: watch.NewStore(s.db, homes, meters.NewStore(s.db), s.influx), Programme: store, Printer: s.config.printer(),
		Now: s.now}).Register(e)
}
