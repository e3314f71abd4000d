package premises

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

type tenancyBody struct {
	ID        string      `json:"id"`
	Household HouseholdID `json:"household"`
	Dwelling  DwellingID  `json:"dwelling"`
	MovedIn   civil.Date  `json:"moved_in"`
	MovedOut  *civil.Date `json:"moved_out,omitempty"`
	Version   int64       `json:"version"`
}

func bodyOfTenancy(t Tenancy) tenancyBody {
	return tenancyBody{t.ID, t.Household, t.Dwelling, t.MovedIn, orNone(t.MovedOut), t.Version}
}

// tenancies serves GET /dwellings/{id}/tenancies, the last first.
func (h *Handler) tenancies(c echo.Context) error {
	ctx, id := c.Request().Context(), DwellingID(c.Param("id"))
	if _, err := h.store.Dwelling(ctx, staffOf(c), id); err != nil {
		return err
	}
	all, err := h.store.Tenancies(ctx, staffOf(c), id)
	if err != nil {
		return err
	}
	body := resource.Mapped(all, bodyOfTenancy)
	return resource.AnswerList(c, resource.Page{Limit: len(body)}, body, func(t tenancyBody) string { return t.ID })
}

// names are written with semicolons in CSV.
type names []string

// String joins the names.
func (n names) String() string { return strings.Join(n, "; ") }

type homeBody struct {
	ID        HouseholdID     `json:"id"`
	Tenancy   string          `json:"tenancy"`
	Residence metering.SiteID `json:"residence"`
	Dwelling  DwellingID      `json:"dwelling"`
	Building  string          `json:"building"`
	Staircase string          `json:"staircase"`
	Label     string          `json:"label"`
	MovedIn   civil.Date      `json:"moved_in"`
	MovedOut  *civil.Date     `json:"moved_out,omitempty"`
	Occupants int             `json:"occupants"`
	Language  string          `json:"language"`
	Names     names           `json:"names"`
}

func bodyOfHome(h Home) homeBody {
	d := h.Dwelling
	return homeBody{h.Household.ID, h.Tenancy.ID, d.Residence, d.ID, d.Building, d.Staircase, d.Label, h.Tenancy.MovedIn,
		orNone(h.Tenancy.MovedOut), h.Household.Occupants, h.Household.Language, append(names{}, h.Names...)}
}

// households serves GET /households.
func (h *Handler) households(c echo.Context) error {
	f, err := filterOf(c)
	if err != nil {
		return err
	}
	all, err := h.store.Homes(c.Request().Context(), staffOf(c), f, h.now())
	if err != nil {
		return err
	}
	return resource.AnswerList(c, f.Page, resource.Mapped(all, bodyOfHome), func(h homeBody) string { return h.Tenancy })
}

type memberBody struct {
	Person   accounts.PersonID `json:"person"`
	Name     string            `json:"name"`
	Language string            `json:"language"`
	From     civil.Date        `json:"from"`
	To       *civil.Date       `json:"to,omitempty"`
	Invited  bool              `json:"invited"`
	Version  int64             `json:"version"`
}

type sheetBody struct {
	ID        HouseholdID   `json:"id"`
	Occupants int           `json:"occupants"`
	Language  string        `json:"language"`
	ContactBy Channel       `json:"contact_by"`
	Telephone string        `json:"telephone"`
	Email     string        `json:"email"`
	Version   int64         `json:"version"`
	Tenancies []tenancyBody `json:"tenancies"`
	Members   []memberBody  `json:"members"`
	Mandates  []mandateBody `json:"mandates"`
}

func bodyOfSheet(s Sheet) sheetBody {
	h := s.Household
	return sheetBody{h.ID, h.Occupants, h.Language, h.Contact.By, h.Contact.Telephone, h.Contact.Email, h.Version,
		resource.Mapped(s.Stays, func(t Stayed) tenancyBody { return bodyOfTenancy(t.Tenancy) }),
		resource.Mapped(s.Members, func(m Member) memberBody {
			return memberBody{m.ID, m.Name, m.Language, m.From, orNone(m.To), m.Invited, m.Membership.Version}
		}),
		resource.Mapped(s.Mandates, func(m Mandate) mandateBody { return bodyOfMandate("given", m) })}
}

// household serves GET /households/{id}, which is written down.
func (h *Handler) household(c echo.Context) error {
	sheet, err := h.store.Sheet(c.Request().Context(), h.look(c, LookedAtSheet, HouseholdID(c.Param("id"))))
	if err != nil {
		return err
	}
	return resource.Answer(c, http.StatusOK, sheet.Household.Version, bodyOfSheet(sheet))
}

type householdChange struct {
	Occupants *int     `json:"occupants"`
	Language  *string  `json:"language"`
	ContactBy *Channel `json:"contact_by"`
	Telephone *string  `json:"telephone"`
	Email     *string  `json:"email"`
}

// Check leaves the bounds to the household.
func (*householdChange) Check() []problem.Field { return nil }

func (n *householdChange) apply(h *Household) []problem.Field {
	put(&h.Occupants, n.Occupants)
	put(&h.Language, n.Language)
	put(&h.Contact.By, n.ContactBy)
	put(&h.Contact.Telephone, n.Telephone)
	put(&h.Contact.Email, n.Email)
	return h.Faults()
}

// updateHousehold serves PATCH /households/{id}. An advisor changes the contact
// only.
func (h *Handler) updateHousehold(c echo.Context) error {
	version, err := resource.Version(c)
	if err != nil {
		return err
	}
	sent, err := resource.Decode[householdChange](c)
	if err != nil {
		return err
	}
	ctx, now := c.Request().Context(), h.now()
	changed, err := h.store.Household(ctx, staffOf(c), HouseholdID(c.Param("id")), now)
	if err != nil {
		return err
	}
	if err := problem.OfFields(sent.apply(&changed)); err != nil {
		return err
	}
	changed.Version = version
	if sent.Occupants == nil && sent.Language == nil {
		err = h.store.UpdateContact(ctx, h.look(c, ChangedContact, changed.ID), changed)
	} else {
		err = h.store.UpdateHousehold(ctx, h.look(c, ChangedHousehold, changed.ID), changed)
	}
	if err != nil {
		return err
	}
	sheet, err := h.store.Sheet(ctx, h.look(c, LookedAtSheet, changed.ID))
	if err != nil {
		return err
	}
	return resource.Answer(c, http.StatusOK, sheet.Household.Version, bodyOfSheet(sheet))
}
