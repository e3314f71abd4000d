package check

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Handler serves checks as JSON, to installers and administrators only: a
// manager sees no index of a home.
type Handler struct {
	store *Store
	once  *resource.Once
	now   func() time.Time
}

// NewHandler returns the handler.
func NewHandler(s *Store, once *resource.Once, now func() time.Time) *Handler {
	return &Handler{store: s, once: once, now: now}
}

// Register adds the routes below /api/v1.
func (h *Handler) Register(g *echo.Group) {
	read := accounts.Staff(accounts.MetersRead, meters.Writers...)
	write := accounts.Staff(accounts.MetersWrite, meters.Writers...)
	g.GET("/meters/:id/check", h.check, read)
	g.POST("/meters/:id/check/dial", h.dial, write, h.once.Middleware)
	g.POST("/meters/:id/check/tap", h.openTap, write, h.once.Middleware)
	g.DELETE("/meters/:id/check/tap", h.closeTap, write)
}

type sheetJSON struct {
	Meter metering.MeterID `json:"meter"`
	Point metering.PointID `json:"point"`
	State State            `json:"state"`
	// DialAt and TapAt are when each agreed last, DueAt when the second reading
	// is due; absent where they are not.
	DialAt *time.Time `json:"dial_at,omitempty"`
	TapAt  *time.Time `json:"tap_at,omitempty"`
	DueAt  *time.Time `json:"due_at,omitempty"`
	// WaitingSince and RunningSince: a dial or a tap waits for readings.
	WaitingSince *time.Time `json:"waiting_since,omitempty"`
	RunningSince *time.Time `json:"running_since,omitempty"`
	LastIndex    *lastIndex `json:"last_index,omitempty"`
	LastStep     *stepJSON  `json:"last_step,omitempty"`
}

type lastIndex struct {
	EnergyWh *metering.Amount `json:"energy_wh,omitempty"`
	VolumeML *metering.Amount `json:"volume_ml,omitempty"`
	At       time.Time        `json:"at"`
}

type stepJSON struct {
	At      time.Time          `json:"at"`
	Outcome Outcome            `json:"outcome"`
	Others  []metering.MeterID `json:"others,omitempty"`
}

func sheetOf(s Sheet, now time.Time) sheetJSON {
	made := sheetJSON{Meter: s.ID, Point: s.Place.Point, State: s.Progress.At(now), DialAt: orNil(s.Progress.Dial), TapAt: orNil(s.Progress.Tap),
		DueAt: orNil(s.Due), WaitingSince: orNil(s.Waiting), RunningSince: orNil(s.Running)}
	if s.Last != nil {
		made.LastIndex = &lastIndex{At: s.Last.At}
		if s.Kind.IndexUnit() == metering.WattHour {
			made.LastIndex.EnergyWh = &s.Last.Amount
		} else {
			made.LastIndex.VolumeML = &s.Last.Amount
		}
	}
	if s.Latest != nil {
		made.LastStep = &stepJSON{s.Latest.At, s.Latest.Outcome, s.Latest.Others}
	}
	return made
}

func orNil(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

func sender(c echo.Context) (accounts.PersonID, metering.MeterID) {
	session, _ := accounts.Who(c)
	return session.Person.ID, metering.MeterID(c.Param("id"))
}

func (h *Handler) answer(c echo.Context, sh Sheet, err error) error {
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, sheetOf(sh, h.now()))
}

func (h *Handler) check(c echo.Context) error {
	who, id := sender(c)
	sh, err := h.store.Find(c.Request().Context(), who, id, h.now())
	return h.answer(c, sh, err)
}

type sentDial struct {
	Dial string `json:"dial"`
}

// longestTyped is longer than any dial.
const longestTyped = 40

// Check implements resource.Checked.
func (d *sentDial) Check() []problem.Field {
	switch {
	case d.Dial == "":
		return []problem.Field{{Name: "dial", Message: "field.missing"}}
	case len(d.Dial) > longestTyped:
		return []problem.Field{{Name: "dial", Message: "field.too_long", Args: []any{longestTyped}}}
	}
	return nil
}

func (h *Handler) dial(c echo.Context) error {
	sent, err := resource.Decode[sentDial](c)
	if err != nil {
		return err
	}
	who, id := sender(c)
	sh, err := h.store.Typed(c.Request().Context(), who, id, sent.Dial, h.now())
	return h.answer(c, sh, err)
}

func (h *Handler) openTap(c echo.Context) error {
	who, id := sender(c)
	sh, err := h.store.OpenTap(c.Request().Context(), who, id, h.now())
	return h.answer(c, sh, err)
}

func (h *Handler) closeTap(c echo.Context) error {
	who, id := sender(c)
	sh, err := h.store.CloseTap(c.Request().Context(), who, id, h.now())
	return h.answer(c, sh, err)
}
