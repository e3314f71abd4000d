package consent

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
)

// A paper is a consent that staff write down for a household.
type paper struct {
	Purpose     Purpose `json:"purpose"`
	TextVersion int     `json:"text_version"`
	Language    string  `json:"language"`
	Channel     Channel `json:"channel"`
	GivenBy     string  `json:"given_by"` // person of the household; empty where not known
	Reason      string  `json:"reason"`   // for the household to read
}

// Check returns the faults of the fields.
func (p *paper) Check() []problem.Field {
	y := yes{Purpose: p.Purpose, TextVersion: p.TextVersion, Language: p.Language}
	faults := append(y.Check(), checkChannel(p.Channel)...)
	if len(p.GivenBy) > longestID {
		faults = append(faults, problem.Field{Name: "given_by", Message: "field.too_long", Args: []any{longestID}})
	}
	return append(faults, checkReason(p.Reason)...)
}

const longestReason = 200

func checkReason(text string) []problem.Field {
	if len([]rune(text)) > longestReason {
		return []problem.Field{{Name: "reason", Message: "field.too_long", Args: []any{longestReason}}}
	}
	return nil
}

func checkChannel(c Channel) []problem.Field {
	if c == OnPaper || c == ByTelephone {
		return nil
	}
	return []problem.Field{{Name: "channel", Message: "field.not_one_of", Args: []any{"paper, telephone"}}}
}

const memberNow = `
SELECT COUNT(*)
  FROM membership
 WHERE person_id = $1
   AND household_id = $2
   AND (to_date IS NULL OR to_date > $3)`

// Record writes down a consent, or that it was taken back, which reached staff on
// paper or by telephone, and the look at the household with it. It fails with the
// problem NotFound where the household lives in none of the person's residences.
func (h *Handler) Record(ctx context.Context, l premises.Look, d Decision, agrees bool) error {
	homes, err := h.Store.StaffHomes(ctx, l.Staff, l.Household, l.At)
	if err != nil {
		return err
	}
	if d.By != "" {
		var members int
		day := l.At.In(homes[0].Zone).Format(time.DateOnly)
		if err := h.Store.db.QueryRowContext(ctx, memberNow, string(d.By), string(l.Household), day).Scan(&members); err != nil {
			return fmt.Errorf("members of household %s: %w", l.Household, err)
		}
		if members == 0 {
			return problem.OfFields([]problem.Field{{Name: "given_by", Message: "field.no_member"}})
		}
	}
	if agrees && d.TextVersion != d.Purpose.TextVersion() {
		return ErrOtherText
	}
	if err := h.Homes.Look(ctx, l); err != nil {
		return err
	}
	d.CollectedBy, d.At = l.Staff, l.At
	if agrees {
		return h.Store.Give(ctx, homes, d)
	}
	return h.Store.Withdraw(ctx, homes, d)
}

func (h *Handler) look(c echo.Context, what premises.What, reason string) premises.Look {
	session, _ := accounts.Who(c)
	return premises.Look{At: h.Now(), Staff: session.Person.ID, Household: premises.HouseholdID(c.Param("id")), What: what, Reason: reason}
}

// record serves POST /households/{id}/consents.
func (h *Handler) record(c echo.Context) error {
	sent, err := resource.Decode[paper](c)
	if err != nil {
		return err
	}
	d := Decision{Purpose: sent.Purpose, TextVersion: sent.TextVersion, Language: sent.Language, Channel: sent.Channel,
		By: accounts.PersonID(sent.GivenBy)}
	if err := h.Record(c.Request().Context(), h.look(c, premises.RecordedConsent, sent.Reason), d, true); err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, map[string]any{"purpose": d.Purpose, "holds": true})
}

// recordWithdrawal serves DELETE /households/{id}/consents/{purpose}?channel=.
func (h *Handler) recordWithdrawal(c echo.Context) error {
	purpose, channel, reason := Purpose(c.Param("purpose")), Channel(c.QueryParam("channel")), c.QueryParam("reason")
	if !slices.Contains(Purposes, purpose) {
		return ErrNone
	}
	if err := problem.OfFields(append(checkChannel(channel), checkReason(reason)...)); err != nil {
		return err
	}
	d := Decision{Purpose: purpose, Channel: channel}
	if err := h.Record(c.Request().Context(), h.look(c, premises.RecordedConsent, reason), d, false); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// An order is what staff send to have a household's things erased, or written out.
type order struct {
	Reason string `json:"reason"`
}

// Check returns the faults of the fields; an erasure or an archive without a
// reason is none: the household reads it in its log.
func (o *order) Check() []problem.Field {
	if o.Reason == "" {
		return []problem.Field{{Name: "reason", Message: "field.missing"}}
	}
	return checkReason(o.Reason)
}

// Somebody who has the role ($3), or sets up, in the residence in which the
// household lives, or lived last.
const mayErase = `
SELECT COUNT(*)
  FROM tenancy
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
  JOIN staff_role ON staff_role.person_id = $1
 WHERE tenancy.household_id = $2
   AND staff_role.role IN ($3, 'administrator')
   AND (staff_role.residence_id IS NULL OR staff_role.residence_id = dwelling.residence_id)
   AND NOT EXISTS (SELECT 1
                     FROM tenancy AS later
                    WHERE later.household_id = tenancy.household_id
                      AND later.moved_in > tenancy.moved_in)`

func (h *Handler) check(ctx context.Context, l premises.Look, role accounts.Role) error {
	var may int
	if err := h.Store.db.QueryRowContext(ctx, mayErase, string(l.Staff), string(l.Household), string(role)).Scan(&may); err != nil {
		return fmt.Errorf("staff of household %s: %w", l.Household, err)
	}
	if may == 0 {
		return errNoHome()
	}
	return h.Homes.Look(ctx, l)
}

// eraseFor serves POST /households/{id}/erasures: all that the charges do not
// need, on the household's request; its people too where it has left.
func (h *Handler) eraseFor(c echo.Context) error {
	sent, err := resource.Decode[order](c)
	if err != nil {
		return err
	}
	ctx, l := c.Request().Context(), h.look(c, premises.ErasedForHousehold, sent.Reason)
	if err := h.check(ctx, l, accounts.Manager); err != nil {
		return err
	}
	forgotten, err := h.Store.EraseAll(ctx, l.Household, ByRequest, l.Staff, l.At)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusAccepted, map[string]any{"what": All, "forgotten": forgotten})
}

// exportFor serves GET /households/{id}/export?reason=: the archive, for a
// household that asked for it on paper.
func (h *Handler) exportFor(c echo.Context) error {
	ctx, l := c.Request().Context(), h.look(c, premises.ExportedHousehold, c.QueryParam("reason"))
	if err := problem.OfFields((&order{l.Reason}).Check()); err != nil {
		return err
	}
	if err := h.check(ctx, l, accounts.Administrator); err != nil {
		return err
	}
	subject, err := h.Exporter.SubjectFor(ctx, l.Household, l.At)
	if err != nil {
		return err
	}
	return h.send(c, subject)
}
