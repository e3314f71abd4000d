package admin

import (
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// roleName says a role in the reader's language.
func roleName(l web.Language, r accounts.Role) string { return l.T("role." + string(r)) }

// fillStaff lists those whose roles the reader may take, and what may be given.
func (h *Handler) fillStaff(c echo.Context, v *view) error {
	session, _ := accounts.Who(c)
	ctx := c.Request().Context()
	places, everywhere, err := h.door.Store.Places(ctx, session.Person.ID)
	if err != nil {
		return err
	}
	names := map[string]string{"": v.T("staff.everywhere")}
	v.Everywhere = everywhere
	for _, p := range places {
		names[p.ID] = p.Name
		v.Places = append(v.Places, choice{p.ID, p.Name})
	}
	for _, r := range accounts.Roles {
		v.Roles = append(v.Roles, choice{string(r), roleName(v.Language, r)})
	}
	rows, err := h.door.Store.Staff(ctx, session.Person.ID, c.QueryParam("apres"), pageOfStaff+1)
	if err != nil {
		return err
	}
	if len(rows) > pageOfStaff {
		rows = rows[:pageOfStaff]
		v.Next = path + "?apres=" + url.QueryEscape(rows[pageOfStaff-1].Key())
	}
	for _, row := range rows {
		v.add(row, names)
	}
	return nil
}

// add puts a post beside the others of the same person.
func (v *view) add(row accounts.Member, names map[string]string) {
	p := post{row.Post.Role, row.Post.Residence, roleName(v.Language, row.Post.Role), names[row.Post.Residence]}
	if last := len(v.Members) - 1; last >= 0 && v.Members[last].ID == row.Person.ID {
		v.Members[last].Posts = append(v.Members[last].Posts, p)
		return
	}
	ways := v.T("staff.never")
	if row.Name != "" {
		ways = v.T("staff.sign_in", row.Name)
	}
	v.Members = append(v.Members, member{row.Person.ID, row.Person.Name, ways, []post{p}})
}

// fillTokens lists the keys of the programs of those below the reader.
func (h *Handler) fillTokens(c echo.Context, v *view) error {
	session, _ := accounts.Who(c)
	ctx, now := c.Request().Context(), h.now()
	rows, err := h.door.Store.StaffTokens(ctx, session.Person.ID, "", pageOfTokens)
	if err != nil {
		return err
	}
	zone, err := h.door.Store.Zone(ctx)
	if err != nil {
		return err
	}
	for _, row := range rows {
		scopes := make([]string, len(row.Scopes))
		for i, s := range row.Scopes {
			scopes[i] = string(s)
		}
		t := token{ID: row.ID, Person: row.Name, Label: row.Label, Scopes: strings.Join(scopes, ", "), Used: v.T("access.token_unused"),
			Until: v.T("access.token_until", v.Date(civil.DateIn(row.Expires, zone), civil.DateIn(now, zone)))}
		if !row.Used.IsZero() {
			t.Used = v.T("access.token_used", v.Moment(row.Used, now, zone))
		}
		v.Tokens = append(v.Tokens, t)
	}
	return nil
}

// fillLetters lists the letters that wait to be printed, and the e-mails that did
// not leave.
func (h *Handler) fillLetters(c echo.Context, v *view) error {
	session, _ := accounts.Who(c)
	ctx, now := c.Request().Context(), h.now()
	waiting, err := h.clerk.WaitingLetters(ctx, session.Person.ID, "", pageOfLetters)
	if err != nil {
		return err
	}
	zone, err := h.door.Store.Zone(ctx)
	if err != nil {
		return err
	}
	for _, l := range waiting {
		v.Letters = append(v.Letters, letter{l.ID, l.Person.Name, v.T("staff.asked", v.Moment(l.Asked, now, zone))})
	}
	told, err := h.told.Letters(ctx, session.Person.ID)
	if err != nil {
		return err
	}
	for _, l := range told {
		v.Alerts = append(v.Alerts, letter{l.ID, l.Name, v.T("staff.asked", v.Moment(l.Asked, now, zone))})
	}
	failed, err := h.clerk.FailedMails(ctx, session.Person.ID, pageOfLetters)
	for _, l := range failed {
		v.Failed = append(v.Failed, letter{l.ID, l.Person.Name, v.T("staff.asked", v.Moment(l.Asked, now, zone))})
	}
	return err
}
