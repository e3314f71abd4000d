package workshop

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/document"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

// labelsView chooses whose labels are printed, and where on a used sheet they
// begin.
type labelsView struct {
	web.Chrome
	Places   []link
	Machines []option
	Lot      string
	Next     string
	Count    int // places of a sheet
}

var labelsPage = web.MustPage[labelsView](templates, "templates/labels.html", "templates/places.html")

// labels serves GET /atelier/etiquettes: of one machine, of a lot, or of all, the
// first ones marked.
func (h *Handler) labels(c echo.Context) error {
	view := labelsView{Chrome: h.Site.Chrome(c, "workshop.labels"), Lot: c.QueryParam("lot"), Count: document.LabelsOnPage}
	if one := c.QueryParam("machine"); one != "" {
		m, err := h.Machines.Machine(c.Request().Context(), who(c), computers.MachineID(one), h.Now())
		if err != nil {
			return err
		}
		view.Machines = []option{{ID: string(m.ID), Name: m.Tag + ", " + named(m.Machine), Chosen: true}}
		return labelsPage.Render(c, http.StatusOK, view)
	}
	here, places, err := h.place(c, Path+"/etiquettes")
	if err != nil {
		return err
	}
	view.Places = places
	all, err := h.Machines.Machines(c.Request().Context(), who(c), computers.MachineFilter{Residence: here.ID, Lot: view.Lot}, resource.Page{After: c.QueryParam("apres"), Limit: document.LabelsOnPage}, h.Now())
	if err != nil {
		return err
	}
	if len(all) > document.LabelsOnPage {
		all = all[:document.LabelsOnPage]
		view.Next = Path + "/etiquettes?" + url.Values{"residence": {string(here.ID)}, "lot": {view.Lot}, "apres": {all[len(all)-1].Tag}}.Encode()
	}
	for _, m := range all {
		view.Machines = append(view.Machines, option{ID: string(m.ID), Name: m.Tag + ", " + named(m), Chosen: view.Lot != ""})
	}
	return labelsPage.Render(c, http.StatusOK, view)
}

// labelsPDF serves GET /atelier/etiquettes.pdf?machine=…&place=1.
func (h *Handler) labelsPDF(c echo.Context) error {
	l := web.LanguageOf(c)
	ids := slices.Compact(slices.Clone(c.QueryParams()["machine"]))
	place, err := strconv.Atoi(c.QueryParam("place"))
	if c.QueryParam("place") == "" {
		place, err = 1, nil
	}
	if err != nil || place < 1 || place > document.LabelsOnPage || len(ids) == 0 || len(ids) > mostChoices {
		return c.Redirect(http.StatusSeeOther, Path+"/etiquettes")
	}
	var labels []document.Label
	for _, id := range ids {
		m, err := h.Machines.Machine(c.Request().Context(), who(c), computers.MachineID(id), h.Now())
		if err != nil {
			return err
		}
		labels = append(labels, h.labelOf(c, l, m.Machine))
	}
	page, err := document.Labels(l.Code(), l.T("workshop.labels"), place-1, labels)
	if err != nil {
		return err
	}
	return pdf(c, "etiquettes", page)
}

// labelOf is what is stuck on a machine. It names nobody who has it.
func (h *Handler) labelOf(c echo.Context, l web.Language, m computers.Machine) document.Label {
	lines := []string{named(m), l.T("workshop.label_serial", m.Serial)}
	if len(h.Sender) > 0 {
		lines = append(lines, h.Sender[0])
	}
	return document.Label{Tag: m.Tag, QR: m.Tag, Lines: append(lines, h.help(c, l).Telephone)}
}
