package landlord

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/premises/stock"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

// shownFaults is how many faults a page shows; a person mends the file and comes
// back.
const shownFaults = 200

type importFormView struct {
	web.Chrome
	Faults  []string
	Columns []columnHelp
}

type columnHelp struct{ Name, Help string }

var importFormPage = web.MustPage[importFormView](templates, "templates/import.html", "templates/faults.html")

// importColumns are the columns with what stands in them, in the order of the
// template.
var importColumns = []struct{ name, key string }{
	{"résidence", "stock.help_residence"}, {"identifiant", "stock.help_id"}, {"bâtiment", "stock.help_building"},
	{"escalier", "stock.help_staircase"}, {"logement", "stock.help_label"}, {"étage", "stock.help_floor"},
	{"pièces", "stock.help_rooms"}, {"surface_m2", "stock.help_area"}, {"chauffage", "stock.help_heating"}, {"eau_chaude", "stock.help_hot_water"},
}

// importForm serves GET /logements/importer.
func (h *Handler) importForm(c echo.Context) error { return h.showImportForm(c, http.StatusOK, nil) }

func (h *Handler) showImportForm(c echo.Context, status int, faults []string) error {
	view := importFormView{Chrome: h.site.Chrome(c, "stock.import"), Faults: faults}
	for _, col := range importColumns {
		view.Columns = append(view.Columns, columnHelp{col.name, view.T(col.key)})
	}
	return importFormPage.Render(c, status, view)
}

// startImport serves POST /logements/importer: the file is checked, and nothing
// is changed yet.
func (h *Handler) startImport(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	file, err := uploaded(c)
	if err != nil {
		texts, p, err := faultsOf(web.LanguageOf(c), err)
		if err != nil {
			return err
		}
		return h.showImportForm(c, p.StatusCode(), texts)
	}
	id, err := h.importer.Start(c.Request().Context(), staffOf(c), file, true)
	if err != nil {
		return err
	}
	return seeOther(c, ImportPath+"/"+id)
}

func uploaded(c echo.Context) ([]byte, error) {
	header, err := c.FormFile("fichier")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) || err == nil && header.Size == 0 {
		return nil, &problem.Error{Kind: problem.Invalid, Message: "stock.no_file"}
	}
	if err != nil {
		return nil, &problem.Error{Kind: problem.Invalid, Message: "error.malformed", Err: err}
	}
	return readAll(header)
}

func readAll(header *multipart.FileHeader) (text []byte, err error) {
	file, err := header.Open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return io.ReadAll(io.LimitReader(file, stock.MostBytes+1))
}

// importStates say how far an import is.
var importStates = map[premises.StockState]string{
	premises.StockChecking: "stock.state_checking", premises.StockFaulty: "stock.state_faulty", premises.StockReady: "stock.state_ready",
	premises.StockImporting: "stock.state_importing", premises.StockDone: "stock.state_done", premises.StockFailed: "stock.state_failed",
}

type importView struct {
	web.Chrome
	Import   premises.StockImport
	Over     bool
	Sentence string
	Progress string
	Percent  int // 0 where not known
	Lines    []importLine
	MoreText string // how many faults are not shown; empty for none
	Confirm  bool
	Changes  []string
	Path     string
}

type importLine struct{ Where, What string }

var importPage = web.MustPage[importView](templates, "templates/import_one.html")

// stockImport serves GET /logements/importer/{id}; while the import is not over,
// the page loads itself again.
func (h *Handler) stockImport(c echo.Context) error {
	one, err := h.importer.ByID(c.Request().Context(), staffOf(c), c.Param("id"))
	if err != nil {
		return err
	}
	view := importView{Chrome: h.site.Chrome(c, "stock.import"), Import: one, Over: one.State.Over(), Path: ImportPath + "/" + one.ID}
	view.Sentence = view.T(importStates[one.State])
	view.Confirm = one.State == premises.StockReady && one.Made+one.Changed > 0
	if one.State == premises.StockReady && !view.Confirm {
		view.Sentence = view.T("stock.nothing_to_do")
	}
	if one.State == premises.StockReady || one.State == premises.StockDone {
		view.Changes = []string{view.T("stock.made", one.Made), view.T("stock.changed", one.Changed), view.T("stock.unchanged", one.Unchanged)}
	}
	if !view.Over {
		view.progress(one.Step)
	}
	view.faults(one)
	return importPage.Render(c, http.StatusOK, view)
}

func (v *importView) progress(s premises.Step) {
	switch {
	case s.Reading && s.Done > 0:
		v.Progress = v.T("stock.read_so_far", v.Number(float64(s.Done), 0))
	case !s.Reading && s.Total > 0:
		v.Progress = v.T("stock.written_so_far", v.Number(float64(s.Done), 0), v.Number(float64(s.Total), 0))
		v.Percent = 100 * s.Done / s.Total
	}
}

func (v *importView) faults(one premises.StockImport) {
	for i, f := range one.Faults {
		if i == shownFaults {
			break
		}
		v.Lines = append(v.Lines, importLine{v.where(f), v.T(f.Message, anys(f.Args)...)})
	}
	if more := one.FaultCount - len(v.Lines); more > 0 {
		v.MoreText = v.T("stock.more_faults", v.Number(float64(more), 0))
	}
}

// columnMissing is the fault of a file without one of its columns.
const columnMissing = "field.stock_column_missing"

func (v *importView) where(f stock.Fault) string {
	switch {
	case f.Row == 0:
		return v.T("stock.whole_file")
	case f.Column == "", f.Message == columnMissing: // what is missing stands nowhere
		return v.T("stock.at_row", f.Row)
	default:
		return v.T("stock.at_cell", f.Row, f.Column)
	}
}

func anys(texts []string) []any {
	all := make([]any, len(texts))
	for i, text := range texts {
		all[i] = text
	}
	return all
}

// confirmImport serves POST /logements/importer/{id}.
func (h *Handler) confirmImport(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	if err := h.importer.Confirm(c.Request().Context(), staffOf(c), c.Param("id")); err != nil && problem.Of(err).Kind != problem.Conflict {
		return err
	}
	return seeOther(c, ImportPath+"/"+c.Param("id"))
}
