package main

import (
	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

// programme adds the routes of the programme.
func (s server) programme(v1 *echo.Group, once *resource.Once) {
	(&programme.Handler{Store: programme.NewStore(s.db), Printer: s.config.printer(), Once: once, Now: s.now,
		Language: func(c echo.Context) string { return web.LanguageOf(c).Code() }}).Register(v1)
}

// printer writes what is printed of the programme.
func (c *Config) printer() programme.Printer {
	return programme.Printer{Sender: c.Letter.Sender, Advisor: c.Advisor.Name, Telephone: c.Advisor.Telephone, Say: say, Date: writeDate, Door: writeDoor,
		Number: func(language string, n float64, decimals int) string { return speak(language).Number(n, decimals) }}
}
