package premises

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
)

type newPersonBody struct {
	Name     string `json:"name"`
	Language string `json:"language"`
}

type newcomerBody struct {
	Household HouseholdID     `json:"household"`
	Occupants int             `json:"occupants"`
	Language  string          `json:"language"`
	ContactBy Channel         `json:"contact_by"`
	Telephone string          `json:"telephone"`
	Email     string          `json:"email"`
	Persons   []newPersonBody `json:"persons"`
}

// newcomer reads who moves in; prefix names their fields.
func (b *newcomerBody) newcomer(prefix string, wrong *faults) Newcomer {
	n := Newcomer{Household: b.Household}
	if len(b.Persons) > mostMembers {
		wrong.add(prefix+"persons", "field.too_many", mostMembers)
		return n
	}
	for i, p := range b.Persons {
		person := NewPerson(p)
		for _, f := range person.Faults() {
			wrong.add(prefix+"persons["+decimal(i)+"]."+f.Name, f.Message, f.Args...)
		}
		n.Persons = append(n.Persons, person)
	}
	if n.Household != "" {
		return n
	}
	n.New = Household{Occupants: b.Occupants, Language: b.Language, Contact: Contact{By: b.ContactBy, Telephone: b.Telephone, Email: b.Email}}
	for _, f := range n.New.Faults() {
		wrong.add(prefix+f.Name, f.Message, f.Args...)
	}
	return n
}

type moveBody struct {
	Dwelling DwellingID    `json:"dwelling"`
	MovedOut string        `json:"moved_out"`
	LeaverTo DwellingID    `json:"leaver_to"`
	MovedIn  string        `json:"moved_in"`
	Newcomer *newcomerBody `json:"newcomer"`
	Version  int64         `json:"version"`

	move Move
}

// Check reads the dates and who comes.
func (b *moveBody) Check() []problem.Field {
	var wrong faults
	b.move = Move{Dwelling: b.Dwelling, LeaverTo: b.LeaverTo, Version: b.Version}
	wrong.id("dwelling", string(b.Dwelling))
	b.move.MovedOut, b.move.MovedIn = wrong.day("moved_out", b.MovedOut), wrong.day("moved_in", b.MovedIn)
	if b.Newcomer != nil {
		b.move.Newcomer = b.Newcomer.newcomer("newcomer.", &wrong)
		if b.MovedIn == "" {
			wrong.add("moved_in", "field.missing")
		}
	}
	return wrong
}

type movedBody struct {
	Ended   *tenancyBody        `json:"ended,omitempty"`
	Leaver  *tenancyBody        `json:"leaver,omitempty"`
	Begun   *tenancyBody        `json:"begun,omitempty"`
	Persons []accounts.PersonID `json:"persons"`
}

func bodyOfMoved(m Moved) movedBody {
	body := movedBody{Persons: append([]accounts.PersonID{}, m.Persons...)}
	for _, t := range []struct {
		of   Tenancy
		into **tenancyBody
	}{{m.Ended, &body.Ended}, {m.LeaverNow, &body.Leaver}, {m.Begun, &body.Begun}} {
		if t.of.ID != "" {
			b := bodyOfTenancy(t.of)
			*t.into = &b
		}
	}
	return body
}

// move serves POST /tenancies/move.
func (h *Handler) move(c echo.Context) error {
	sent, err := resource.Decode[moveBody](c)
	if err != nil {
		return err
	}
	moved, err := h.store.Move(c.Request().Context(), h.look(c, MovedHousehold, ""), sent.move)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, bodyOfMoved(moved))
}

type householdBody struct {
	Dwelling DwellingID `json:"dwelling"`
	MovedIn  string     `json:"moved_in"`
	newcomerFields

	move Move
}

// newcomerFields are those of a new household.
type newcomerFields struct {
	Occupants int             `json:"occupants"`
	Language  string          `json:"language"`
	ContactBy Channel         `json:"contact_by"`
	Telephone string          `json:"telephone"`
	Email     string          `json:"email"`
	Persons   []newPersonBody `json:"persons"`
}

// Check reads the household and the day of moving in.
func (b *householdBody) Check() []problem.Field {
	var wrong faults
	wrong.id("dwelling", string(b.Dwelling))
	b.move = Move{Dwelling: b.Dwelling, MovedIn: wrong.day("moved_in", b.MovedIn)}
	if b.MovedIn == "" {
		wrong.add("moved_in", "field.missing")
	}
	all := newcomerBody{"", b.Occupants, b.Language, b.ContactBy, b.Telephone, b.Email, b.Persons}
	b.move.Newcomer = all.newcomer("", &wrong)
	return wrong
}

// createHousehold serves POST /households: a household that moves into an empty
// dwelling.
func (h *Handler) createHousehold(c echo.Context) error {
	sent, err := resource.Decode[householdBody](c)
	if err != nil {
		return err
	}
	moved, err := h.store.Move(c.Request().Context(), h.look(c, MovedHousehold, ""), sent.move)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Location", "/api/v1/households/"+string(moved.Begun.Household))
	return c.JSON(http.StatusCreated, bodyOfMoved(moved))
}
