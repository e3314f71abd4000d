package tips

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/civil"
)

type absenceJSON struct {
	ID   AwayID     `json:"id"`
	From civil.Date `json:"from"`
	To   civil.Date `json:"to"` // the first day back
}

type houseJSON struct {
	Answers      map[Answer]Reply `json:"answers"` // of every question that is asked
	WaterHeating WaterHeating     `json:"water_heating,omitempty"`
	Absences     []absenceJSON    `json:"absences"`
	MayAnswer    bool             `json:"may_answer"`
	Version      int64            `json:"version"`
}

func (h House) json() houseJSON {
	j := houseJSON{Answers: map[Answer]Reply{}, WaterHeating: h.HeatedBy(), MayAnswer: h.May, Version: h.Version}
	for _, question := range h.Asked() {
		j.Answers[question] = h.said(question)
	}
	j.Absences = resource.Mapped(h.Absences, func(a Away) absenceJSON { return absenceJSON{a.ID, a.From, a.To} })
	return j
}

// answerHouse answers with what is known of the home now.
func (h *Handler) answerHouse(c echo.Context, status int) error {
	house, err := h.Store.House(c.Request().Context(), viewer(c), h.Now())
	if err != nil {
		return err
	}
	return resource.Answer(c, status, house.Version, house.json())
}

// house serves GET /house: what the household said about its home.
func (h *Handler) house(c echo.Context) error { return h.answerHouse(c, http.StatusOK) }

type replyBody struct {
	Answers map[Answer]Reply `json:"answers"`
}

// Check implements [resource.Checked].
func (b *replyBody) Check() []problem.Field { return replyFaults(b.Answers) }

// reply serves PUT /house.
func (h *Handler) reply(c echo.Context) error {
	version, err := resource.Version(c)
	if err != nil {
		return err
	}
	sent, err := resource.Decode[replyBody](c)
	if err != nil {
		return err
	}
	if err := h.Store.Reply(c.Request().Context(), viewer(c), h.Now(), version, sent.Answers); err != nil {
		return err
	}
	return h.answerHouse(c, http.StatusOK)
}

type absenceBody struct {
	From civil.Date `json:"from"`
	To   civil.Date `json:"to"`
}

// Check implements [resource.Checked].
func (b *absenceBody) Check() (faults []problem.Field) {
	for _, d := range []struct {
		name string
		date civil.Date
	}{{"from", b.From}, {"to", b.To}} {
		if d.date.IsZero() {
			faults = append(faults, problem.Field{Name: d.name, Message: "field.no_date"})
		}
	}
	return faults
}

// leave serves POST /house/absences: the same days again are the same absence.
func (h *Handler) leave(c echo.Context) error {
	sent, err := resource.Decode[absenceBody](c)
	if err != nil {
		return err
	}
	if err := h.Store.Leave(c.Request().Context(), viewer(c), h.Now(), Absence(sent)); err != nil {
		return err
	}
	return h.answerHouse(c, http.StatusCreated)
}

// takeBack serves DELETE /house/absences/{id}.
func (h *Handler) takeBack(c echo.Context) error {
	if err := h.Store.TakeBack(c.Request().Context(), viewer(c), h.Now(), AwayID(c.Param("id"))); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
