package premises

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/civil"
)

type departureBody struct {
	Person  accounts.PersonID `json:"person"`
	On      string            `json:"on"`
	Version int64             `json:"version"`

	on civil.Date
}

// Check reads the day.
func (b *departureBody) Check() []problem.Field {
	var wrong faults
	wrong.id("person", string(b.Person))
	b.on = wrong.day("on", b.On)
	if b.On == "" {
		wrong.add("on", "field.missing")
	}
	return wrong
}

// leave serves POST /households/{id}/departures.
func (h *Handler) leave(c echo.Context) error {
	sent, err := resource.Decode[departureBody](c)
	if err != nil {
		return err
	}
	id := HouseholdID(c.Param("id"))
	err = h.store.Leave(c.Request().Context(), h.look(c, ChangedMembers, id), Departure{sent.Person, sent.on, sent.Version})
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

type residentBody struct {
	ID        accounts.PersonID `json:"id"`
	Name      string            `json:"name"`
	Language  string            `json:"language"`
	Household HouseholdID       `json:"household"`
	From      civil.Date        `json:"from"`
	To        *civil.Date       `json:"to,omitempty"`
}

// persons serves GET /persons.
func (h *Handler) persons(c echo.Context) error {
	f, err := filterOf(c)
	if err != nil {
		return err
	}
	all, err := h.store.Persons(c.Request().Context(), staffOf(c), f, h.now())
	if err != nil {
		return err
	}
	body := resource.Mapped(all, func(r Resident) residentBody {
		return residentBody{r.Person, r.Name, r.Language, r.Household, r.From, orNone(r.To)}
	})
	return resource.AnswerList(c, f.Page, body, func(r residentBody) string { return string(r.ID) + " " + string(r.Household) })
}

type personBody struct {
	ID         accounts.PersonID `json:"id"`
	Name       string            `json:"name"`
	Language   string            `json:"language"`
	Households []HouseholdID     `json:"households"`
	Version    int64             `json:"version"`
}

func bodyOfPerson(k Known) personBody {
	return personBody{k.ID, k.Name, k.Language, k.Households, k.Version}
}

// person serves GET /persons/{id}, which is written down.
func (h *Handler) person(c echo.Context) error {
	k, err := h.store.Person(c.Request().Context(), h.look(c, LookedAtSheet, ""), accounts.PersonID(c.Param("id")))
	if err != nil {
		return err
	}
	return resource.Answer(c, http.StatusOK, k.Version, bodyOfPerson(k))
}

type joinBody struct {
	Household HouseholdID `json:"household"`
	Name      string      `json:"name"`
	Language  string      `json:"language"`
	From      string      `json:"from"`

	from civil.Date
}

// Check reads who joins and the day.
func (b *joinBody) Check() []problem.Field {
	var wrong faults
	wrong.id("household", string(b.Household))
	b.from = wrong.day("from", b.From)
	if b.From == "" {
		wrong.add("from", "field.missing")
	}
	n := NewPerson{b.Name, b.Language}
	wrong = append(wrong, n.Faults()...)
	b.Name = n.Name
	return wrong
}

// createPerson serves POST /persons: somebody who joins a household.
func (h *Handler) createPerson(c echo.Context) error {
	sent, err := resource.Decode[joinBody](c)
	if err != nil {
		return err
	}
	l := h.look(c, ChangedMembers, sent.Household)
	id, err := h.store.AddMember(c.Request().Context(), l, NewPerson{sent.Name, sent.Language}, sent.from)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Location", "/api/v1/persons/"+string(id))
	return resource.Answer(c, http.StatusCreated, 1, personBody{id, sent.Name, sent.Language, []HouseholdID{sent.Household}, 1})
}

type personChange struct {
	Name     *string `json:"name"`
	Language *string `json:"language"`
}

// Check leaves the bounds to the person.
func (*personChange) Check() []problem.Field { return nil }

// updatePerson serves PATCH /persons/{id}.
func (h *Handler) updatePerson(c echo.Context) error {
	version, err := resource.Version(c)
	if err != nil {
		return err
	}
	sent, err := resource.Decode[personChange](c)
	if err != nil {
		return err
	}
	ctx, l := c.Request().Context(), h.look(c, ChangedMembers, "")
	k, err := h.store.Person(ctx, l, accounts.PersonID(c.Param("id")))
	if err != nil {
		return err
	}
	n := NewPerson{k.Name, k.Language}
	put(&n.Name, sent.Name)
	put(&n.Language, sent.Language)
	if err := problem.OfFields(n.Faults()); err != nil {
		return err
	}
	k.Name, k.Language, k.Version = n.Name, n.Language, version
	if err := h.store.UpdatePerson(ctx, l, k.Person); err != nil {
		return err
	}
	k.Version++
	return resource.Answer(c, http.StatusOK, k.Version, bodyOfPerson(k))
}
