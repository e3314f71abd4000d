package workshop

import (
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

// mostSent bounds the forms that bear a file: a table of machines, or the report
// of a wipe.
const mostSent = "3M"

// Routes of forms with a file, which no other bound may cut short.
const (
	wipeRoute = Path + "/machines/:id/effacement"
	fileRoute = Path + "/entree/fichier"
)

// BearsFile reports whether forms that are sent to a route bear a file and have a
// bound of their own.
func BearsFile(route string) bool { return route == wipeRoute || route == fileRoute }

// Register adds the routes. The workshop and who sells see machines; a manager
// sees figures and the statement.
func (h *Handler) Register(e *echo.Echo) {
	once := web.Once()
	workshop, read, sell, oversee := guarded(computers.Workshop), guarded(computers.Readers), guarded(computers.Sellers), guarded(computers.Overseers)
	e.GET(Path, h.desk, read)
	e.GET(Path+"/stock", h.stock, oversee)
	e.GET(Path+"/releve", h.statement, oversee)
	e.GET(Path+"/releve.pdf", h.statementPDF, oversee)
	e.GET(Path+"/registre.csv", h.register, oversee)
	e.GET(Path+"/entree", h.intake, workshop)
	e.POST(Path+"/entree", h.takeIn, workshop, once)
	e.POST(fileRoute, h.takeInFile, workshop, middleware.BodyLimit(mostSent), once)
	e.GET(Path+"/etiquettes", h.labels, read)
	e.GET(Path+"/etiquettes.pdf", h.labelsPDF, read)
	e.GET(Path+"/machines/:id", h.machine, read)
	e.GET(Path+"/machines/:id/recu.pdf", h.receipt, read)
	e.GET(Path+"/machines/:id/garantie.pdf", h.guarantee, read)
	e.GET(Path+"/machines/:id/effacements/:wipe/rapport", h.report, read)
	e.GET(Path+"/machines/:id/vente", h.sale, sell)
	e.POST(Path+"/machines/:id/vente", h.sell, sell, once)
	e.POST(Path+"/machines/:id/reservation", h.reserve, sell, once)
	e.GET(Path+"/attente", h.waiting, sell)
	e.POST(Path+"/attente", h.enlist, sell, once)
	e.POST(Path+"/attente/:id/retrait", h.withdraw, sell, once)
	set := guarded(computers.Setters)
	e.GET(Path+"/programme", h.programme, oversee)
	e.POST(Path+"/programme", h.setTerms, set, once)
	e.POST(Path+"/programme/prix", h.setPrice, set, once)
	for _, a := range append(machineActions(), mended(computers.Defect{})) {
		more := []echo.MiddlewareFunc{guarded(a.roles)}
		if a.file {
			more = append(more, middleware.BodyLimit(mostSent))
		}
		e.POST(Path+"/machines/:id/"+a.slug, h.act(a), append(more, once)...)
	}
	e.GET(Path+"/reparations", h.tickets, read)
	e.GET(Path+"/reparations/:id", h.ticket, read)
	e.POST(Path+"/reparations/:id", h.moveTicket, workshop, once)
}
