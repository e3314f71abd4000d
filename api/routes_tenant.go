package main

import (
	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/meters"
	metercheck "github.com/xnetroseraie/xnet/api/meters/check"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/dashboards/tenant"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

// tenantPages adds the pages of households.
func (s server) tenantPages(e *echo.Echo, site *web.Site, door *accounts.Door, homes *premises.Store, reader *consumption.Reader) error {
	catalogue, err := tips.Open()
	if err != nil {
		return err
	}
	tenant.New(tenant.Parts{Site: site, Door: door, Homes: homes, Consumption: reader,
		Around: consumption.NewNeighbourhood(s.db, s.influx), Checks: metercheck.NewStore(s.db, meters.NewStore(s.db), s.influx),
		Charges: charges.NewStore(s.db), Tips: tips.NewStore(s.db, catalogue), Alerts: alerts.NewStore(s.db), Gestures: catalogue.Gestures,
		Head: s.letterhead(), Now: s.now}).Register(e)
	return nil
}

// letterhead is who sends notes to households.
func (s server) letterhead() charges.Letterhead {
	return charges.Letterhead{Sender: s.config.Letter.Sender, Advisor: s.config.Advisor.Name, Telephone: s.config.Advisor.Telephone}
}
