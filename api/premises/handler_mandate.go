package premises

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/civil"
)

type mandateBody struct {
	ID        MandateID         `json:"id"`
	Direction string            `json:"direction"`
	Household HouseholdID       `json:"household"`
	Giver     accounts.PersonID `json:"giver"`
	GiverName string            `json:"giver_name"`
	Helper    accounts.PersonID `json:"helper"`
	Name      string            `json:"helper_name"`
	Scope     MandateScope      `json:"scope"`
	Channel   string            `json:"channel"`
	From      civil.Date        `json:"from"`
	To        civil.Date        `json:"to"`
	Revoked   *time.Time        `json:"revoked,omitempty"`
	Version   int64             `json:"version"`
}

func bodyOfMandate(direction string, m Mandate) mandateBody {
	body := mandateBody{ID: m.ID, Direction: direction, Household: m.Household, Giver: m.Giver, GiverName: m.GiverName,
		Helper: m.Helper, Name: m.HelperName, Scope: m.Scope, Channel: m.Channel, From: m.From, To: m.To, Version: m.Version}
	if !m.Revoked.IsZero() {
		body.Revoked = &m.Revoked
	}
	return body
}

// mandates serves GET /mandates: those of the sender's household, and those that
// the sender received. Staff find a household's in its sheet.
func (h *Handler) mandates(c echo.Context) error {
	v := Viewer{Person: staffOf(c), Household: HouseholdID(c.QueryParam("household"))}
	given, received, err := h.store.Mandates(c.Request().Context(), v, h.now())
	if err != nil {
		return err
	}
	body := resource.Mapped(given, func(m Mandate) mandateBody { return bodyOfMandate("given", m) })
	body = append(body, resource.Mapped(received, func(m Mandate) mandateBody { return bodyOfMandate("received", m) })...)
	return resource.AnswerList(c, resource.Page{Limit: len(body)}, body, func(m mandateBody) string { return string(m.ID) })
}

type newMandateBody struct {
	Household HouseholdID       `json:"household"`
	Giver     accounts.PersonID `json:"giver"`
	Name      string            `json:"helper_name"`
	Language  string            `json:"language"`
	Scope     MandateScope      `json:"scope"`
	To        string            `json:"to"`
	Channel   string            `json:"channel"`

	mandate NewMandate
}

// Check reads the mandate.
func (b *newMandateBody) Check() []problem.Field {
	var wrong faults
	if b.Channel == "" {
		b.Channel = OnPage
	}
	wrong.oneOf("channel", b.Channel, []string{OnPage, OnPaper, ByTelephone})
	if b.Household != "" || b.Channel != OnPage {
		wrong.id("household", string(b.Household))
	}
	if b.Channel != OnPage {
		wrong.id("giver", string(b.Giver))
	} else if b.Giver != "" {
		wrong.add("giver", "field.fixed")
	}
	b.mandate = NewMandate{Household: b.Household, Giver: b.Giver, HelperName: b.Name, Language: b.Language, Scope: b.Scope,
		To: wrong.day("to", b.To), Channel: b.Channel}
	if b.To == "" {
		wrong.add("to", "field.missing")
	}
	return append(wrong, b.mandate.Faults()...)
}

// createMandate serves POST /mandates: in the sender's own name, or as staff
// write it down from paper or the telephone.
func (h *Handler) createMandate(c echo.Context) error {
	sent, err := resource.Decode[newMandateBody](c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	var m Mandate
	if sent.Channel == OnPage {
		m, err = h.store.CreateMandate(ctx, Viewer{staffOf(c), sent.Household}, sent.mandate, h.now())
	} else {
		m, err = h.store.RecordMandate(ctx, h.look(c, ChangedMandate, sent.Household), sent.mandate)
	}
	if err != nil {
		return err
	}
	c.Response().Header().Set("Location", "/api/v1/mandates/"+url.PathEscape(string(m.ID)))
	return resource.Answer(c, http.StatusCreated, m.Version, bodyOfMandate("given", m))
}

type mandateChangeBody struct {
	To      string `json:"to"`
	Revoked bool   `json:"revoked"`

	to civil.Date
}

// Check reads the day.
func (b *mandateChangeBody) Check() []problem.Field {
	var wrong faults
	b.to = wrong.day("to", b.To)
	if b.To == "" && !b.Revoked {
		wrong.add("to", "field.missing")
	}
	return wrong
}

// updateMandate serves PATCH /mandates/{id}: for members of the household, for
// the helper who gives up, and for staff who are asked to.
func (h *Handler) updateMandate(c echo.Context) error {
	version, err := resource.Version(c)
	if err != nil {
		return err
	}
	sent, err := resource.Decode[mandateChangeBody](c)
	if err != nil {
		return err
	}
	ctx, id := c.Request().Context(), MandateID(c.Param("id"))
	change := MandateChange{To: sent.to, Revoke: sent.Revoked, Version: version}
	err = h.store.ChangeMandate(ctx, Own(staffOf(c)), id, change, h.now())
	if err != nil && problem.Of(err).Kind == problem.NotFound && h.isPeopleStaff(c) {
		err = h.store.ChangeMandateFor(ctx, h.look(c, ChangedMandate, ""), id, change)
	}
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (h *Handler) isPeopleStaff(c echo.Context) bool {
	session, _ := accounts.Who(c)
	return slices.ContainsFunc([]accounts.Role{accounts.Advisor, accounts.Manager, accounts.Administrator},
		func(r accounts.Role) bool { return session.Has(r) })
}
