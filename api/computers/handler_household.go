package computers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/metering"
)

func (h *Handler) reserve(c echo.Context) error {
	sent, err := resource.Decode[holdBody](c)
	if err != nil {
		return err
	}
	who, id := asked(c)
	err = h.Store.Reserve(c.Request().Context(), who, MachineID(id), sent.Household, sent.Until, h.Now())
	return h.changed(c, http.StatusOK, who, MachineID(id), err)
}

func (h *Handler) release(c echo.Context) error {
	who, id := asked(c)
	if err := h.Store.Release(c.Request().Context(), who, MachineID(id), h.Now()); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (h *Handler) sell(c echo.Context) error {
	sent, err := resource.Decode[saleBody](c)
	if err != nil {
		return err
	}
	who, id := asked(c)
	o := Offer{Household: sent.Household, Buyer: sent.Buyer, PriceCents: sent.PriceCents, Subsidised: sent.Subsidised, Payment: sent.Payment, SoldOn: day(sent.SoldOn)}
	_, err = h.Store.Sell(c.Request().Context(), who, MachineID(id), o, h.Now())
	return h.changed(c, http.StatusCreated, who, MachineID(id), err)
}

func (h *Handler) handOver(c echo.Context) error {
	sent, err := resource.Decode[handoverBody](c)
	if err != nil {
		return err
	}
	who, id := asked(c)
	err = h.Store.HandOver(c.Request().Context(), who, MachineID(id), Handover{day(sent.On), sent.Accessories, sent.SignedBy}, h.Now())
	return h.changed(c, http.StatusOK, who, MachineID(id), err)
}

func (h *Handler) takeBack(c echo.Context) error {
	sent, err := resource.Decode[returnBody](c)
	if err != nil {
		return err
	}
	who, id := asked(c)
	err = h.Store.TakeBack(c.Request().Context(), who, MachineID(id), Giveback{day(sent.On), sent.Reason, sent.RefundCents}, h.Now())
	return h.changed(c, http.StatusOK, who, MachineID(id), err)
}

// turned answers with the repair after a change.
func (h *Handler) turned(c echo.Context, status int, who accounts.PersonID, id TicketID, err error) error {
	if err != nil {
		return err
	}
	t, err := h.Store.Ticket(c.Request().Context(), who, id, h.Now())
	if err != nil {
		return err
	}
	return resource.Answer(c, status, t.Version, shapeTicket(t))
}

func (h *Handler) openTicket(c echo.Context) error {
	sent, err := resource.Decode[complaintBody](c)
	if err != nil {
		return err
	}
	who, id := asked(c)
	ticket, err := h.Store.OpenTicket(c.Request().Context(), who, MachineID(id), Complaint{Problem: sent.Problem, On: day(sent.On)}, h.Now())
	return h.turned(c, http.StatusCreated, who, ticket, err)
}

func (h *Handler) tickets(c echo.Context) error {
	who, _ := asked(c)
	all, err := h.Store.Tickets(c.Request().Context(), who, metering.SiteID(c.QueryParam("residence")), h.Now())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, resource.List[ticketJSON]{Items: resource.Mapped(all, shapeTicket)})
}

func (h *Handler) ticket(c echo.Context) error {
	who, id := asked(c)
	return h.turned(c, http.StatusOK, who, TicketID(id), nil)
}

func (h *Handler) moveTicket(c echo.Context) error {
	sent, err := resource.Decode[ticketMoveBody](c)
	if err != nil {
		return err
	}
	who, id := asked(c)
	m := TicketMove{To: sent.To, On: day(sent.On), Note: sent.Note, Replacement: sent.Replacement, SignedBy: sent.SignedBy}
	return h.turned(c, http.StatusOK, who, TicketID(id), h.Store.MoveTicket(c.Request().Context(), who, TicketID(id), m, h.Now()))
}

func viewer(c echo.Context) premises.Viewer {
	who, _ := asked(c)
	return premises.Viewer{Person: who, Household: premises.HouseholdID(c.QueryParam("household"))}
}

// ownMachines serves what the household has, for its members and helpers.
func (h *Handler) ownMachines(c echo.Context) error {
	all, err := h.Store.Own(c.Request().Context(), viewer(c), h.Now())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, resource.List[ownJSON]{Items: resource.Mapped(all, shapeOwn)})
}

func (h *Handler) openOwnTicket(c echo.Context) error {
	sent, err := resource.Decode[ownComplaintBody](c)
	if err != nil {
		return err
	}
	_, id := asked(c)
	ticket, err := h.Store.OpenOwnTicket(c.Request().Context(), viewer(c), MachineID(id), sent.Problem, h.Now())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, map[string]TicketID{"id": ticket})
}
