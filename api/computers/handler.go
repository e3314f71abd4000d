package computers

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Handler serves machines as JSON: to the workshop and to who sells, sums to
// managers, and to households what they have. No program's token comes by.
type Handler struct {
	Store *Store
	Once  *resource.Once
	Now   func() time.Time
}

// wipeBodyLimit holds the longest report in base64 and what stands around it.
const wipeBodyLimit = "720K"

// Register adds the routes below /api/v1.
func (h *Handler) Register(g *echo.Group) {
	guard := func(roles []accounts.Role) echo.MiddlewareFunc { return accounts.Staff(accounts.NoScope, roles...) }
	once := h.Once.Middleware
	work, sell, read := guard(Workshop), guard(Sellers), guard(Readers)
	oversee, set, own := guard(Overseers), guard(Setters), accounts.Anyone(accounts.NoScope)
	g.GET("/machines", h.machines, read)
	g.POST("/machines", h.takeIn, work, once)
	g.POST("/machine-imports", h.importFile, work)
	g.GET("/machines/:id", h.machine, read)
	g.GET("/machines/:id/events", h.events, read)
	g.POST("/machines/:id/drives", h.addDrive, work, once)
	g.POST("/machines/:id/wipes", h.wipe, work, middleware.BodyLimit(wipeBodyLimit), once)
	g.GET("/machines/:id/wipes/:wipe/report", h.report, read)
	g.POST("/machines/:id/tests", h.test, work, once)
	g.PUT("/machines/:id/grades", h.grade, work)
	g.POST("/machines/:id/defects", h.noteDefect, work, once)
	g.DELETE("/machines/:id/defects/:defect", h.mendDefect, work)
	g.POST("/machines/:id/steps", h.move, work, once)
	g.PUT("/machines/:id/reservation", h.reserve, sell)
	g.DELETE("/machines/:id/reservation", h.release, sell)
	g.POST("/machines/:id/sale", h.sell, sell, once)
	g.POST("/machines/:id/handover", h.handOver, read, once)
	g.POST("/machines/:id/return", h.takeBack, read, once)
	g.POST("/machines/:id/tickets", h.openTicket, read, once)
	g.GET("/tickets", h.tickets, read)
	g.GET("/tickets/:id", h.ticket, read)
	g.POST("/tickets/:id/steps", h.moveTicket, work, once)
	g.GET("/machine-checklist", h.checklist, read)
	g.POST("/registration-checks", h.check, read)
	g.GET("/machine-waits", h.waiting, sell)
	g.POST("/machine-waits", h.enlist, sell, once)
	g.DELETE("/machine-waits/:id", h.withdraw, sell)
	g.GET("/residences/:id/machine-programme", h.programme, oversee)
	g.PUT("/residences/:id/machine-programme", h.setProgramme, set)
	g.GET("/residences/:id/machine-prices", h.prices, oversee)
	g.PUT("/residences/:id/machine-prices", h.setPrice, set)
	g.GET("/residences/:id/machine-stock", h.stock, oversee)
	g.GET("/residences/:id/machine-ledger", h.ledger, oversee)
	g.GET("/residences/:id/machine-register", h.register, oversee)
	g.GET("/residences/:id/workshop-statements/:month", h.statement, oversee)
	g.GET("/my-machines", h.ownMachines, own)
	g.POST("/my-machines/:id/tickets", h.openOwnTicket, own, once)
}

// asked is who asks for what.
func asked(c echo.Context) (who accounts.PersonID, id string) {
	session, _ := accounts.Who(c)
	return session.Person.ID, c.Param("id")
}

// changed answers with the machine after a change.
func (h *Handler) changed(c echo.Context, status int, who accounts.PersonID, id MachineID, err error) error {
	if err != nil {
		return err
	}
	sh, err := h.Store.Machine(c.Request().Context(), who, id, h.Now())
	if err != nil {
		return err
	}
	return resource.Answer(c, status, sh.Version, shapeSheet(sh))
}

func (h *Handler) machines(c echo.Context) error {
	page, err := resource.PageOf(c)
	if err != nil {
		return err
	}
	who, _ := asked(c)
	f := MachineFilter{Residence: metering.SiteID(c.QueryParam("residence")), State: State(c.QueryParam("state")), Kind: Kind(c.QueryParam("kind")), Lot: c.QueryParam("lot")}
	all, err := h.Store.Machines(c.Request().Context(), who, f, page, h.Now())
	if err != nil {
		return err
	}
	return resource.AnswerList(c, page, resource.Mapped(all, shapeMachine), func(m machineJSON) string { return m.Tag })
}

func (h *Handler) takeIn(c echo.Context) error {
	sent, err := resource.Decode[machineBody](c)
	if err != nil {
		return err
	}
	who, _ := asked(c)
	m, err := h.Store.TakeIn(c.Request().Context(), who, sent.arrival(), h.Now())
	return h.changed(c, http.StatusCreated, who, m.ID, err)
}

func (h *Handler) machine(c echo.Context) error {
	who, id := asked(c)
	return h.changed(c, http.StatusOK, who, MachineID(id), nil)
}

func (h *Handler) events(c echo.Context) error {
	who, id := asked(c)
	all, err := h.Store.Events(c.Request().Context(), who, MachineID(id))
	if err != nil {
		return err
	}
	return resource.AnswerList(c, resource.Page{Limit: mostEvents}, resource.Mapped(all, shapeEvent), func(eventJSON) string { return "" })
}

func (h *Handler) addDrive(c echo.Context) error {
	sent, err := resource.Decode[driveBody](c)
	if err != nil {
		return err
	}
	who, id := asked(c)
	_, err = h.Store.AddDrive(c.Request().Context(), who, MachineID(id), sent.drive(), h.Now())
	return h.changed(c, http.StatusCreated, who, MachineID(id), err)
}

func (h *Handler) wipe(c echo.Context) error {
	sent, err := resource.Decode[wipeBody](c)
	if err != nil {
		return err
	}
	who, id := asked(c)
	w := Wipe{Drive: sent.Drive, Level: sent.Level, Method: sent.Method, Tool: sent.Tool, ToolVersion: sent.Version, Result: sent.Result,
		On: day(sent.On), Report: sent.Report, ReadSerial: sent.ReadSerial, VerifiedBy: sent.VerifiedBy}
	_, err = h.Store.RecordWipe(c.Request().Context(), who, MachineID(id), w, h.Now())
	return h.changed(c, http.StatusCreated, who, MachineID(id), err)
}

// report serves a tool's report as it came, never as something a browser runs.
func (h *Handler) report(c echo.Context) error {
	who, id := asked(c)
	kept, err := h.Store.Report(c.Request().Context(), who, MachineID(id), WipeID(c.Param("wipe")))
	if err != nil {
		return err
	}
	return HandOut(c, kept)
}

// HandOut sends a kept report as a file to keep, never as something that a
// browser shows or runs.
func HandOut(c echo.Context, kept Wipe) error {
	name, media := kept.File()
	c.Response().Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.Blob(http.StatusOK, media, kept.Report)
}

func (h *Handler) test(c echo.Context) error {
	sent, err := resource.Decode[testBody](c)
	if err != nil {
		return err
	}
	who, id := asked(c)
	_, err = h.Store.RecordTest(c.Request().Context(), who, MachineID(id), TestRun{Checklist: sent.Checklist, Results: sent.Results, On: day(sent.On)}, h.Now())
	return h.changed(c, http.StatusCreated, who, MachineID(id), err)
}

func (h *Handler) grade(c echo.Context) error {
	sent, err := resource.Decode[gradeBody](c)
	if err != nil {
		return err
	}
	who, id := asked(c)
	version, err := resource.Version(c)
	if err != nil {
		return err
	}
	err = h.Store.Regrade(c.Request().Context(), who, MachineID(id), version, sent.Appearance, sent.Function, h.Now())
	return h.changed(c, http.StatusOK, who, MachineID(id), err)
}

func (h *Handler) noteDefect(c echo.Context) error {
	sent, err := resource.Decode[textBody](c)
	if err != nil {
		return err
	}
	who, id := asked(c)
	_, err = h.Store.NoteDefect(c.Request().Context(), who, MachineID(id), sent.Text, h.Now())
	return h.changed(c, http.StatusCreated, who, MachineID(id), err)
}

func (h *Handler) mendDefect(c echo.Context) error {
	who, id := asked(c)
	if err := h.Store.MendDefect(c.Request().Context(), who, MachineID(id), c.Param("defect"), h.Now()); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (h *Handler) move(c echo.Context) error {
	sent, err := resource.Decode[moveBody](c)
	if err != nil {
		return err
	}
	who, id := asked(c)
	err = h.Store.Move(c.Request().Context(), who, MachineID(id), Move{sent.To, day(sent.On), sent.Note}, h.Now())
	return h.changed(c, http.StatusOK, who, MachineID(id), err)
}

type itemJSON struct {
	Key       string `json:"key"`
	Mandatory bool   `json:"mandatory"`
	Laptop    bool   `json:"laptop_only"`
}

// checklist serves the current checklist.
func (h *Handler) checklist(c echo.Context) error {
	list := CurrentChecklist()
	return c.JSON(http.StatusOK, map[string]any{"version": list.Version,
		"items": resource.Mapped(list.Items, func(i Item) itemJSON { return itemJSON(i) })})
}

type typedBody struct {
	Typed string `json:"typed"`
}

// Check implements resource.Checked; the store holds the text.
func (b *typedBody) Check() []problem.Field { return nil }

func (h *Handler) check(c echo.Context) error {
	sent, err := resource.Decode[typedBody](c)
	if err != nil {
		return err
	}
	who, _ := asked(c)
	a, err := h.Store.Check(c.Request().Context(), who, sent.Typed, h.Now())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, shapeAnswer(a))
}

// rangeOf reads ?from= and ?to=, the first included, the second not.
func rangeOf(c echo.Context) (from, to civil.Date, err error) {
	if from, err = civil.ParseDate(c.QueryParam("from")); err == nil {
		to, err = civil.ParseDate(c.QueryParam("to"))
	}
	if err != nil || !from.Before(to) {
		return from, to, &problem.Error{Kind: problem.Invalid, Message: "range.malformed", Err: err}
	}
	return from, to, nil
}
