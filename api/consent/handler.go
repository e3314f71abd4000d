package consent

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
)

// A Handler serves consents, erasures and the archive as JSON: to households for
// themselves, and to staff for what came on paper or by telephone.
type Handler struct {
	Store    *Store
	Homes    *premises.Store
	Exporter *Exporter
	Once     *resource.Once
	Log      *slog.Logger
	Now      func() time.Time
	// Say returns a text of the catalogue in a language, for the page that
	// explains the archive.
	Say func(language, key string, args ...any) string
}

// Register adds the routes below /api/v1. No program's token decides for a
// household.
func (h *Handler) Register(g *echo.Group) {
	own := accounts.Anyone(accounts.NoScope)
	advisor := accounts.Staff(accounts.NoScope, accounts.Advisor, accounts.Manager, accounts.Administrator)
	manager := accounts.Staff(accounts.NoScope, accounts.Manager, accounts.Administrator)
	once := h.Once.Middleware
	g.GET("/consents", h.consents, own)
	g.POST("/consents", h.give, own, once)
	g.DELETE("/consents/:purpose", h.withdraw, own)
	g.GET("/erasures", h.erasures, own)
	g.POST("/erasures", h.erase, own, once)
	g.GET("/export", h.export, own)
	g.POST("/households/:id/consents", h.record, advisor, once)
	g.DELETE("/households/:id/consents/:purpose", h.recordWithdrawal, advisor)
	g.POST("/households/:id/erasures", h.eraseFor, manager, once)
	// Managers see no home's consumption; who asks on paper is served by the one
	// who sets up.
	g.GET("/households/:id/export", h.exportFor, accounts.Staff(accounts.NoScope, accounts.Administrator))
}

// viewer is the sender, at the household of ?household= or their own.
func viewer(c echo.Context, household string) premises.Viewer {
	session, _ := accounts.Who(c)
	return premises.Viewer{Person: session.Person.ID, Household: premises.HouseholdID(household)}
}

// A consentAnswer is a consent in JSON.
type consentAnswer struct {
	ID          string     `json:"id"`
	Household   string     `json:"household"`
	Tenancy     string     `json:"tenancy"`
	Purpose     Purpose    `json:"purpose"`
	TextVersion int        `json:"text_version"`
	Language    string     `json:"language"`
	Channel     Channel    `json:"channel"`
	From        time.Time  `json:"from"`
	To          time.Time  `json:"to"`
	Ended       *time.Time `json:"ended,omitempty"`
	EndedWhy    Ending     `json:"ended_why,omitempty"`
	Holds       bool       `json:"holds"`
}

func newConsentAnswer(c Consent, now time.Time) consentAnswer {
	a := consentAnswer{c.ID, string(c.Household), c.Tenancy, c.Purpose, c.TextVersion, c.Language, c.Channel,
		c.From, c.To, nil, c.EndedWhy, c.Holds(now)}
	if !c.Ended.IsZero() {
		a.Ended = &c.Ended
	}
	return a
}

// consents serves GET /consents: what the household agreed to, the last first.
func (h *Handler) consents(c echo.Context) error {
	page, err := resource.PageOf(c)
	if err != nil {
		return err
	}
	sight, err := h.Homes.Seen(c.Request().Context(), viewer(c, c.QueryParam("household")), h.Now())
	if err != nil {
		return err
	}
	all, err := h.Store.Consents(c.Request().Context(), sight)
	if err != nil {
		return err
	}
	answers := make([]consentAnswer, len(all))
	for i, one := range all {
		answers[i] = newConsentAnswer(one, h.Now())
	}
	key := func(a consentAnswer) string { return a.ID }
	return resource.AnswerList(c, page, pageAfter(answers, key, page), key)
}

// pageAfter is a page of a list that is at hand, with one item more where it goes
// on.
func pageAfter[T any](all []T, key func(T) string, p resource.Page) []T {
	if p.After != "" {
		at := slices.IndexFunc(all, func(one T) bool { return key(one) == p.After })
		all = all[at+1:]
	}
	return all[:min(len(all), p.Limit+1)]
}

// A yes is what a household sends to agree; household is empty for the sender's
// own.
type yes struct {
	Household   string  `json:"household"`
	Purpose     Purpose `json:"purpose"`
	TextVersion int     `json:"text_version"`
	Language    string  `json:"language"`
}

// Check returns the faults of the fields.
func (y *yes) Check() []problem.Field {
	faults := append(checkHousehold(y.Household), checkPurpose(y.Purpose)...)
	if y.TextVersion < 1 || y.TextVersion > 1000 {
		faults = append(faults, problem.Field{Name: "text_version", Message: "field.out_of_range", Args: []any{1, 1000}})
	}
	if n := len(y.Language); n < 2 || n > 3 {
		faults = append(faults, problem.Field{Name: "language", Message: "field.malformed"})
	}
	return faults
}

const longestID = 64

func checkHousehold(id string) []problem.Field {
	if len(id) > longestID {
		return []problem.Field{{Name: "household", Message: "field.too_long", Args: []any{longestID}}}
	}
	return nil
}

func checkPurpose(p Purpose) []problem.Field {
	if slices.Contains(Purposes, p) {
		return nil
	}
	return []problem.Field{{Name: "purpose", Message: "field.not_one_of", Args: []any{fmt.Sprint(Purposes)}}}
}

// give serves POST /consents.
func (h *Handler) give(c echo.Context) error {
	sent, err := resource.Decode[yes](c)
	if err != nil {
		return err
	}
	v, d := viewer(c, sent.Household), Decision{Purpose: sent.Purpose, TextVersion: sent.TextVersion, Language: sent.Language, Channel: OnPage, At: h.Now()}
	if err := h.Decide(c.Request().Context(), v, d, true); err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, map[string]any{"purpose": d.Purpose, "holds": true})
}

// withdraw serves DELETE /consents/{purpose}.
func (h *Handler) withdraw(c echo.Context) error {
	purpose := Purpose(c.Param("purpose"))
	if len(checkPurpose(purpose)) > 0 {
		return ErrNone
	}
	v := viewer(c, c.QueryParam("household"))
	if err := h.Decide(c.Request().Context(), v, Decision{Purpose: purpose, Channel: OnPage, At: h.Now()}, false); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// Decide gives or takes back a consent in the name of the viewer, for every home
// that their household lives in now. It fails with the problem NotFound
// "tenancy.none" where the viewer may not decide for one.
func (h *Handler) Decide(ctx context.Context, v premises.Viewer, d Decision, agrees bool) error {
	sight, err := h.Homes.Seen(ctx, v, d.At)
	if err != nil {
		return err
	}
	homes, err := h.Store.ActHomes(ctx, v.Person, sight.Household, d.At)
	if err != nil {
		return err
	}
	d.By, d.CollectedBy = v.Person, v.Person
	if agrees {
		return h.Store.Give(ctx, homes, d)
	}
	return h.Store.Withdraw(ctx, homes, d)
}

// An erasureAnswer is an erasure in JSON.
type erasureAnswer struct {
	ID      string     `json:"id"`
	Tenancy string     `json:"tenancy"`
	What    What       `json:"what"`
	Why     Why        `json:"why"`
	Asked   time.Time  `json:"asked"`
	Done    *time.Time `json:"done,omitempty"`
}

// erasures serves GET /erasures: what was erased or will be, the last first.
func (h *Handler) erasures(c echo.Context) error {
	page, err := resource.PageOf(c)
	if err != nil {
		return err
	}
	sight, err := h.Homes.Seen(c.Request().Context(), viewer(c, c.QueryParam("household")), h.Now())
	if err != nil {
		return err
	}
	all, err := h.Store.Erasures(c.Request().Context(), sight)
	if err != nil {
		return err
	}
	answers := make([]erasureAnswer, len(all))
	for i, e := range all {
		answers[i] = erasureAnswer{e.ID, e.Tenancy, e.What, e.Why, e.Asked, nil}
		if !e.Done.IsZero() {
			answers[i].Done = &all[i].Done
		}
	}
	key := func(a erasureAnswer) string { return a.ID }
	return resource.AnswerList(c, page, pageAfter(answers, key, page), key)
}

// A wish is what a household sends to have its readings erased.
type wish struct {
	Household string `json:"household"`
	What      What   `json:"what"`
}

// Check returns the faults of the fields.
func (w *wish) Check() []problem.Field {
	faults := checkHousehold(w.Household)
	if w.What != Fine && w.What != All {
		faults = append(faults, problem.Field{Name: "what", Message: "field.not_one_of", Args: []any{"fine, all"}})
	}
	return faults
}

// erase serves POST /erasures.
func (h *Handler) erase(c echo.Context) error {
	sent, err := resource.Decode[wish](c)
	if err != nil {
		return err
	}
	if err := h.Erase(c.Request().Context(), viewer(c, sent.Household), sent.What); err != nil {
		return err
	}
	return c.JSON(http.StatusAccepted, map[string]any{"what": sent.What})
}

// Erase asks for readings of the viewer's household to be erased: the fine ones,
// or all that the charges do not need, with every consent taken back. It fails
// as [Handler.Decide] does.
func (h *Handler) Erase(ctx context.Context, v premises.Viewer, what What) error {
	now := h.Now()
	sight, err := h.Homes.Seen(ctx, v, now)
	if err != nil {
		return err
	}
	homes, err := h.Store.ActHomes(ctx, v.Person, sight.Household, now)
	if err != nil {
		return err
	}
	if what == All {
		return h.Store.EraseReadings(ctx, sight.Household, ByRequest, v.Person, OnPage, now)
	}
	return h.Store.EraseFine(ctx, homes, v.Person, now)
}

// export serves GET /export: the archive of the viewer's household.
func (h *Handler) export(c echo.Context) error {
	return h.Export(c, viewer(c, c.QueryParam("household")))
}

// Export answers with the archive of the viewer's household, as a page does too.
func (h *Handler) Export(c echo.Context, v premises.Viewer) error {
	subject, err := h.Exporter.SubjectOf(c.Request().Context(), v, h.Now())
	if err != nil {
		return err
	}
	return h.send(c, subject)
}

func (h *Handler) send(c echo.Context, subject Subject) error {
	ctx := c.Request().Context()
	done, err := h.Exporter.Ready(ctx)
	if err != nil {
		return err
	}
	defer done()
	session, _ := accounts.Who(c)
	now := h.Now()
	header := c.Response().Header()
	header.Set("Content-Type", "application/zip")
	header.Set("Content-Disposition", `attachment; filename="mes-donnees-`+now.Format(time.DateOnly)+`.zip"`)
	header.Set("Cache-Control", "no-store")
	c.Response().WriteHeader(http.StatusOK)
	say := func(key string, args ...any) string { return h.Say(session.Person.Language, key, args...) }
	if err := h.Exporter.Write(ctx, c.Response(), subject, now, say); err != nil {
		h.Log.Warn("archive broken off", "household", subject.household, "error", err)
		panic(http.ErrAbortHandler) // the connection breaks, so that the archive is seen to be torn
	}
	return nil
}
