package tips

import (
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A Handler serves a household's own tips as JSON.
type Handler struct {
	Store *Store
	Homes *premises.Store
	Now   func() time.Time
}

// Register adds the routes below /api/v1.
func (h *Handler) Register(g *echo.Group) {
	g.GET("/tips", h.list, accounts.Anyone(accounts.ConsumptionRead))
	own := accounts.Anyone(accounts.NoScope)
	g.POST("/tips/:id/answer", h.answer, own)
	g.GET("/house", h.house, own)
	g.PUT("/house", h.reply, own)
	g.POST("/house/absences", h.leave, own)
	g.DELETE("/house/absences/:id", h.takeBack, own)
}

type textJSON struct {
	Title  string `json:"title"`
	Why    string `json:"why"`
	How    string `json:"how"`
	Safety string `json:"safety,omitempty"`
}

type outcomeJSON struct {
	Verdict     State   `json:"verdict"`
	Change      float64 `json:"change"`
	Low         float64 `json:"low"`
	High        float64 `json:"high"`
	WeeksBefore int     `json:"weeks_before"`
	WeeksSince  int     `json:"weeks_since"`
	Others      int     `json:"other_homes"`
	Reason      string  `json:"reason,omitempty"`
}

type tipJSON struct {
	ID        InstanceID         `json:"id"`
	Tip       ID                 `json:"tip"`
	Role      Role               `json:"role"`
	State     State              `json:"state"`
	Since     civil.Date         `json:"since"`
	Committed *civil.Date        `json:"committed,omitempty"`
	Grade     Grade              `json:"grade"`
	Ease      Ease               `json:"ease"`
	Text      textJSON           `json:"text"` // with the figures' names in braces
	Figures   map[string]float64 `json:"figures"`
	From      civil.Date         `json:"from"`
	To        civil.Date         `json:"to"`
	Coverage  float64            `json:"coverage"`
	Saving    *Saving            `json:"saving,omitempty"`
	Observed  *outcomeJSON       `json:"observed,omitempty"`
	Source    string             `json:"source"`
	Version   int64              `json:"version"`
}

func (k Kept) json(language string) tipJSON {
	in := func(t Text) string {
		if language == "en" {
			return t.English
		}
		return t.French
	}
	j := tipJSON{ID: k.ID, Tip: k.Tip, Role: k.Entry.Role, State: k.state(), Since: k.Since, Grade: k.Entry.Grade, Ease: k.Entry.Ease,
		Text:    textJSON{in(k.Entry.Title), in(k.Entry.Why), in(k.Entry.How), in(k.Entry.Safety)},
		Figures: k.Finding.Figures, From: k.Finding.From, To: k.Finding.To, Coverage: k.Finding.Coverage, Saving: k.Saving,
		Source: k.Entry.Source, Version: k.Version}
	if j.Figures == nil {
		j.Figures = map[string]float64{}
	}
	if !k.Committed.IsZero() {
		j.Committed = &k.Committed
	}
	if o := k.Observed; o.Verdict != "" {
		j.Observed = &outcomeJSON{o.Verdict, o.Change, o.Low, o.High, o.WeeksBefore, o.WeeksSince, o.Others, o.Reason}
	}
	return j
}

type shownJSON struct {
	Urgent   []tipJSON `json:"urgent"`
	Tips     []tipJSON `json:"tips"`
	Rights   []tipJSON `json:"rights"`
	Taken    []tipJSON `json:"taken"`
	Answered []tipJSON `json:"answered"`
}

func viewer(c echo.Context) premises.Viewer {
	session, _ := accounts.Who(c)
	return premises.Viewer{Person: session.Person.ID, Household: premises.HouseholdID(c.QueryParam("household"))}
}

func language(c echo.Context) string {
	session, _ := accounts.Who(c)
	return session.Person.Language
}

// list serves GET /tips.
func (h *Handler) list(c echo.Context) error {
	ctx, v := c.Request().Context(), viewer(c)
	if _, err := h.Homes.Seen(ctx, v, h.Now()); err != nil {
		return err
	}
	s, err := h.Store.Shown(ctx, v, h.Now())
	if err != nil {
		return err
	}
	shape := func(all []Kept) []tipJSON {
		return resource.Mapped(all, func(k Kept) tipJSON { return k.json(language(c)) })
	}
	return c.JSON(http.StatusOK, shownJSON{shape(s.Urgent), shape(s.Tips), shape(s.Rights), shape(s.Taken), shape(s.Answered)})
}

type answerBody struct {
	Answer Answered `json:"answer"`
}

// Check implements [resource.Checked].
func (b *answerBody) Check() []problem.Field {
	if !slices.Contains(AllAnswered, b.Answer) {
		return []problem.Field{{Name: "answer", Message: "field.not_one_of", Args: []any{"doing, done, not_here"}}}
	}
	return nil
}

// answer serves POST /tips/{id}/answer.
func (h *Handler) answer(c echo.Context) error {
	version, err := resource.Version(c)
	if err != nil {
		return err
	}
	sent, err := resource.Decode[answerBody](c)
	if err != nil {
		return err
	}
	ctx, v, id := c.Request().Context(), viewer(c), InstanceID(c.Param("id"))
	if err := h.Store.Answer(ctx, v, h.Now(), id, version, sent.Answer); err != nil {
		return err
	}
	k, err := h.Store.ByID(ctx, v, h.Now(), id)
	if err != nil {
		return err
	}
	return resource.Answer(c, http.StatusOK, k.Version, k.json(language(c)))
}
