package programme

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/civil"
)

type reasonBody struct {
	Matter  Matter     `json:"matter"`
	Subject string     `json:"subject"`
	Since   civil.Date `json:"since"`
	Limit   civil.Date `json:"limit"`
	Urgent  bool       `json:"urgent"`
}

type lineBody struct {
	ID        string               `json:"id"`
	Household premises.HouseholdID `json:"household,omitempty"`
	Dwelling  premises.DwellingID  `json:"dwelling,omitempty"`
	Door      string               `json:"door"` // of a convention its title
	Names     []string             `json:"names"`
	Why       string               `json:"why"`
	Limit     civil.Date           `json:"limit"`
	Since     civil.Date           `json:"since"`
	Urgent    bool                 `json:"urgent"`
	Reasons   []reasonBody         `json:"reasons"`
}

type queueBody struct {
	Residence string     `json:"residence"`
	Name      string     `json:"name"`
	Monday    civil.Date `json:"monday"`
	Most      int        `json:"most"`
	Closed    int        `json:"closed"`
	Waiting   int        `json:"waiting"`
	Lines     []lineBody `json:"lines"`
}

// queue serves GET /programme/queue.
func (h *Handler) queue(c echo.Context) error {
	q, err := h.Store.Week(c.Request().Context(), sender(c), residenceOf(c), h.Now())
	if err != nil {
		return err
	}
	body := queueBody{string(q.Residence), q.Name, q.Monday, MostLines, q.Closed, q.Waiting, []lineBody{}}
	words := h.Printer.SheetLines(h.Language(c), q)
	for i, l := range q.Lines {
		line := lineBody{l.ID, l.Household, l.Door.ID, words[i].Door, append([]string{}, l.Names...), words[i].Why, l.Limit, l.Since, l.Urgent, nil}
		for _, r := range l.Reasons {
			line.Reasons = append(line.Reasons, reasonBody(r))
		}
		body.Lines = append(body.Lines, line)
	}
	return c.JSON(http.StatusOK, body)
}

// sheet serves GET /programme/queue/sheet: one A4 page.
func (h *Handler) sheet(c echo.Context) error {
	q, err := h.Store.Week(c.Request().Context(), sender(c), residenceOf(c), h.Now())
	if err != nil {
		return err
	}
	page, err := h.Printer.SheetPDF(h.Language(c), q)
	if err != nil {
		return err
	}
	return attachment(c, "application/pdf", "semaine-"+q.Monday.String()+".pdf", page)
}

func attachment(c echo.Context, kind, name string, file []byte) error {
	c.Response().Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	return c.Blob(http.StatusOK, kind, file)
}

// closeLine serves POST /programme/queue/{line}/closing.
func (h *Handler) closeLine(c echo.Context) error {
	sent, err := resource.Decode[Closing](c)
	if err != nil {
		return err
	}
	if err := h.Store.Close(c.Request().Context(), sender(c), residenceOf(c), c.Param("line"), sent, h.Now()); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

type noteBody struct {
	ID        NoteID               `json:"id"`
	Household premises.HouseholdID `json:"household"`
	Author    string               `json:"author"`
	On        civil.Date           `json:"on"`
	Words     string               `json:"words"`
	Due       *civil.Date          `json:"due,omitempty"`
	Done      bool                 `json:"done"`
}

func bodyOfNote(n Note) noteBody {
	b := noteBody{n.ID, n.Household, n.Author, n.On, n.Words, nil, !n.Done.IsZero()}
	if !n.Due.IsZero() {
		b.Due = &n.Due
	}
	return b
}

func answerNotes(c echo.Context, all []Note, err error) error {
	if err != nil {
		return err
	}
	return resource.AnswerList(c, resource.Page{Limit: len(all)}, resource.Mapped(all, bodyOfNote), func(b noteBody) string { return string(b.ID) })
}

// notes serves GET /households/{id}/notes.
func (h *Handler) notes(c echo.Context) error {
	all, err := h.Store.Notes(c.Request().Context(), sender(c), premises.HouseholdID(c.Param("id")), h.Now())
	return answerNotes(c, all, err)
}

// seenNotes serves GET /notes, for households and their helpers.
func (h *Handler) seenNotes(c echo.Context) error {
	viewer := premises.Viewer{Person: sender(c), Household: premises.HouseholdID(c.QueryParam("household"))}
	all, err := h.Store.SeenNotes(c.Request().Context(), viewer, h.Now())
	return answerNotes(c, all, err)
}

// writeNote serves POST /households/{id}/notes.
func (h *Handler) writeNote(c echo.Context) error {
	sent, err := resource.Decode[Draft](c)
	if err != nil {
		return err
	}
	id, err := h.Store.WriteNote(c.Request().Context(), sender(c), premises.HouseholdID(c.Param("id")), sent, h.Now())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, map[string]NoteID{"id": id})
}

// strikeNote serves DELETE /programme/notes/{id}.
func (h *Handler) strikeNote(c echo.Context) error {
	if err := h.Store.StrikeNote(c.Request().Context(), sender(c), NoteID(c.Param("id")), h.Now()); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// finishNote serves POST /programme/notes/{id}/done.
func (h *Handler) finishNote(c echo.Context) error {
	if err := h.Store.FinishNote(c.Request().Context(), sender(c), NoteID(c.Param("id")), h.Now()); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// connections serves GET /households/{id}/internet.
func (h *Handler) connections(c echo.Context) error {
	all, err := h.Store.Connections(c.Request().Context(), sender(c), premises.HouseholdID(c.Param("id")), h.Now())
	if err != nil {
		return err
	}
	return resource.AnswerList(c, resource.Page{Limit: len(all)}, all, func(c Connection) string { return c.From.String() })
}

// setConnection serves PUT /households/{id}/internet.
func (h *Handler) setConnection(c echo.Context) error {
	sent, err := resource.Decode[Connection](c)
	if err != nil {
		return err
	}
	if err := h.Store.SetConnection(c.Request().Context(), sender(c), premises.HouseholdID(c.Param("id")), sent, h.Now()); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
