package tenant

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// byteOrderMark tells spreadsheets that a file is UTF-8.
const byteOrderMark = "\ufeff"

// file serves GET /consommation/cold_water/2026-03/fichier: the numbers of a
// kind's page for a spreadsheet of the reader's country.
func (h *Handler) file(c echo.Context) error {
	s, err := h.sheet(c, web.LanguageOf(c))
	if err != nil {
		return err
	}
	text, err := s.csv()
	if err != nil {
		return fmt.Errorf("file of %s in %s: %w", s.kind, s.period, err)
	}
	name := string(s.kind) + "-" + s.period.String() + ".csv"
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="`+name+`"`)
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.Blob(http.StatusOK, "text/csv; charset=utf-8", text)
}

// csv writes a line for each day or month that has come, in litres or kWh as the
// meter counted them. What is not known is left empty.
func (s *sheet) csv() ([]byte, error) {
	var text bytes.Buffer
	text.WriteString(byteOrderMark)
	w := csv.NewWriter(&text)
	w.Comma = s.Language.ListSign()
	unit := s.T("file.litres")
	if s.kind.IndexUnit() == metering.WattHour {
		unit = s.T("file.kwh")
	}
	head := s.T("chart.day")
	switch s.period.span {
	case aYear:
		head = s.T("chart.month")
	case aDay:
		head = s.T("chart.hour")
	}
	before := s.T("chart.before")
	if s.period.span == aWeek {
		before = s.T("chart.before_week")
	}
	lines := [][]string{{head, s.T("kind."+string(s.kind)) + " (" + unit + ")", s.T("file.quality"), before + " (" + unit + ")"}}
	for _, one := range s.slots {
		if one.coming {
			continue
		}
		date := one.first.String()
		switch s.period.span {
		case aYear:
			date = one.first.MonthOf().String()
		case aDay:
			date = one.at.In(s.home.Zone).Format("2006-01-02 15:04")
		}
		lines = append(lines, []string{date, s.exact(one.used, one.known), s.quality(one), s.exact(one.before, one.beforeKnown)})
	}
	if err := w.WriteAll(lines); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}

// exact writes an amount in litres or kWh with all its digits; nothing where it is
// not known.
func (s *sheet) exact(a metering.Amount, known bool) string {
	if !known {
		return ""
	}
	const thousand = 1000 // mL in a litre, Wh in a kWh
	return s.Language.Plain(strconv.FormatFloat(float64(a)/thousand, 'f', -1, 64))
}

// quality is the word for how well a slot is known.
func (s *sheet) quality(one slot) string {
	switch {
	case !one.known:
		return s.T("chart.unknown")
	case one.note != "":
		return one.note
	default:
		return s.T("chart.measured")
	}
}
