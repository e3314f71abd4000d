package programme

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
)

type saidBody struct {
	Figure     Figure      `json:"figure"`
	About      bool        `json:"about"`
	From       civil.Date  `json:"from"`
	Until      civil.Date  `json:"until"`
	Source     string      `json:"source"`
	SourceDate *civil.Date `json:"source_date,omitempty"`
	Note       string      `json:"note,omitempty"`
}

type indicatorBody struct {
	Key      Key        `json:"key"`
	Theme    Theme      `json:"theme"`
	Name     string     `json:"name"`
	Unit     Unit       `json:"unit"`
	Computed *Figure    `json:"computed"`
	Declared *Figure    `json:"declared"`
	About    bool       `json:"about"`
	Gap      *Figure    `json:"gap"`
	Formula  string     `json:"formula"`
	Source   string     `json:"source"`
	Notes    []string   `json:"notes"`
	Said     []saidBody `json:"said"`
}

type indicatorsBody struct {
	From  civil.Date      `json:"from"`
	Until civil.Date      `json:"until"`
	Items []indicatorBody `json:"items"`
}

// indicators serves GET /programme/indicators.
func (h *Handler) indicators(c echo.Context) error {
	from, until, all, err := h.worked(c)
	if err != nil {
		return err
	}
	say := func(t Text) string { return h.Printer.Say(h.Language(c), t.Key, t.Args...) }
	body := indicatorsBody{from, until, []indicatorBody{}}
	for _, i := range all {
		b := indicatorBody{i.Key, i.Theme, say(Text{Key: i.Name}), i.Unit, i.Computed, i.Declared, i.About, i.Gap, say(Text{Key: i.Formula}),
			say(Text{Key: i.Source}), []string{}, []saidBody{}}
		for _, n := range i.Notes {
			b.Notes = append(b.Notes, say(n))
		}
		for _, d := range i.Said {
			b.Said = append(b.Said, saidBody{d.Figure, d.About, d.From, d.Until, d.Source, d.SourceDate, d.Note})
		}
		body.Items = append(body.Items, b)
	}
	return c.JSON(http.StatusOK, body)
}

func (h *Handler) worked(c echo.Context) (from, until civil.Date, all []Indicator, err error) {
	if from, until, err = h.span(c); err != nil {
		return from, until, nil, err
	}
	all, err = h.Store.Indicators(c.Request().Context(), sender(c), Period{residenceOf(c), from, until}, h.Now())
	return from, until, all, err
}

// file serves GET /programme/indicators/file?format=csv, xlsx or pdf.
func (h *Handler) file(c echo.Context) error {
	from, until, all, err := h.worked(c)
	if err != nil {
		return err
	}
	language, name := h.Language(c), "indicateurs-"+from.String()+"-"+until.AddDays(-1).String()
	var file []byte
	kind, format := "", c.QueryParam("format")
	switch format {
	case "csv":
		kind = "text/csv; charset=utf-8; header=present"
		file, err = h.Printer.CSV(language, all)
	case "xlsx":
		kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
		file, err = h.Printer.XLSX(language, all)
	case "pdf":
		kind = "application/pdf"
		file, err = h.pdf(c, language, all)
	default:
		return problem.OfFields([]problem.Field{{Name: "format", Message: "field.not_one_of", Args: []any{strings.Join([]string{"csv", "xlsx", "pdf"}, ", ")}}})
	}
	if err != nil {
		return err
	}
	return attachment(c, kind, name+"."+format, file)
}

func (h *Handler) pdf(c echo.Context, language string, all []Indicator) ([]byte, error) {
	place := ""
	if residence := residenceOf(c); residence != "" {
		at, err := h.Store.place(c.Request().Context(), readerRoles, sender(c), residence)
		if err != nil {
			return nil, err
		}
		place = at.Name
	}
	return h.Printer.PDF(language, place, civil.DateIn(h.Now(), time.UTC), all)
}
