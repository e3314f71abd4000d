package accounts

import (
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
)

// registerStaff adds the routes by which staff give roles and invite.
func (h *Handler) registerStaff(g *echo.Group) {
	administrators := Staff(NoScope, Administrator)
	g.GET("/staff", h.staff, administrators)
	g.POST("/staff", h.addMember, administrators, h.once.Middleware)
	g.PUT("/staff/:person/roles/:role", h.giveRole, administrators)
	g.DELETE("/staff/:person/roles/:role", h.takeRole, administrators)
	g.GET("/staff/tokens", h.staffTokens, administrators)
	g.DELETE("/staff/tokens/:id", h.dropStaffToken, administrators)
	inviters := Staff(NoScope, Inviters...)
	g.POST("/people/:id/invitation", h.invite, inviters)
	g.GET("/letters", h.letters, inviters)
	g.POST("/letters/print", h.printLetters, inviters)
}

// Inviters are the roles that invite persons, each where it holds.
var Inviters = []Role{Advisor, Manager, Administrator}

type memberAnswer struct {
	Person    PersonID `json:"person"`
	Name      string   `json:"name"`
	Language  string   `json:"language"`
	Role      Role     `json:"role"`
	Residence *string  `json:"residence"`
	SignIn    *string  `json:"sign_in_name"`
}

func memberOf(m Member) memberAnswer {
	return memberAnswer{m.Person.ID, m.Person.Name, m.Person.Language, m.Post.Role,
		orNil(m.Post.Residence, m.Post.Residence == ""), orNil(m.Name, m.Name == "")}
}

// staff serves GET /staff: an item for each role that the caller may take.
func (h *Handler) staff(c echo.Context) error {
	page, err := resource.PageOf(c)
	if err != nil {
		return err
	}
	session, _ := Who(c)
	members, err := h.door.Store.Staff(c.Request().Context(), session.Person.ID, page.After, page.Limit+1)
	if err != nil {
		return err
	}
	answers := make([]memberAnswer, len(members))
	for i, m := range members {
		answers[i] = memberOf(m)
	}
	return resource.AnswerList(c, page, answers, func(m memberAnswer) string {
		post := Post{Role: m.Role}
		if m.Residence != nil {
			post.Residence = *m.Residence
		}
		return Member{Person: Person{ID: m.Person}, Post: post}.Key()
	})
}

type memberBody struct {
	Name      string `json:"name"`
	Language  string `json:"language"`
	Role      Role   `json:"role"`
	Residence string `json:"residence"`
}

// Check leaves the rest to who knows the caller's rights.
func (b *memberBody) Check() []problem.Field { return tooLong("residence", b.Residence, 64) }

// addMember serves POST /staff: 201 and the new person, who is to be invited.
func (h *Handler) addMember(c echo.Context) error {
	sent, err := resource.Decode[memberBody](c)
	if err != nil {
		return err
	}
	session, _ := Who(c)
	post := Post{Role: sent.Role, Residence: sent.Residence}
	p, err := h.door.Store.AddMember(c.Request().Context(), session.Person.ID, sent.Name, sent.Language, post)
	if err != nil {
		return err
	}
	h.door.Log.Info("staff added", "by", string(session.Person.ID), "person", string(p.ID), "role", string(post.Role))
	return c.JSON(http.StatusCreated, memberOf(Member{Person: p, Post: post}))
}

// giveRole serves PUT /staff/:person/roles/:role?residence=.
func (h *Handler) giveRole(c echo.Context) error {
	return none(c, h.door.GiveRole(c, PersonID(c.Param("person")), postOf(c)))
}

// takeRole serves DELETE /staff/:person/roles/:role?residence=.
func (h *Handler) takeRole(c echo.Context) error {
	return none(c, h.door.TakeRole(c, PersonID(c.Param("person")), postOf(c)))
}

func postOf(c echo.Context) Post {
	return Post{Role: Role(c.Param("role")), Residence: c.QueryParam("residence")}
}

// GiveRole gives a role on behalf of the sender; see [Store.GiveRole].
func (d *Door) GiveRole(c echo.Context, person PersonID, post Post) error {
	session, _ := Who(c)
	err := d.Store.GiveRole(c.Request().Context(), session.Person.ID, person, post)
	if err == nil {
		d.Log.Info("role given", "by", string(session.Person.ID), "person", string(person), "role", string(post.Role), "residence", post.Residence)
	}
	return err
}

// TakeRole takes a role on behalf of the sender; see [Store.TakeRole].
func (d *Door) TakeRole(c echo.Context, person PersonID, post Post) error {
	session, _ := Who(c)
	err := d.Store.TakeRole(c.Request().Context(), session.Person.ID, person, post)
	if err == nil {
		d.Log.Info("role taken", "by", string(session.Person.ID), "person", string(person), "role", string(post.Role), "residence", post.Residence)
	}
	return err
}

type inviteBody struct {
	By    string `json:"by"`
	Email string `json:"email"`
}

// The ways an invitation travels.
const (
	byLetter = "letter"
	byEmail  = "email"
)

// Check wants an address where one is needed, and only there.
func (b *inviteBody) Check() []problem.Field {
	switch {
	case b.By != byLetter && b.By != byEmail:
		return []problem.Field{{Name: "by", Message: "field.not_one_of", Args: []any{byLetter + ", " + byEmail}}}
	case b.By == byLetter && b.Email != "":
		return []problem.Field{{Name: "email", Message: "field.unknown"}}
	}
	return tooLong("email", b.Email, longestTyped)
}

type invitationAnswer struct {
	Person  PersonID  `json:"person"`
	SignIn  string    `json:"sign_in_name"`
	Code    string    `json:"code"`
	Expires time.Time `json:"expires"`
}

// invite serves POST /people/:id/invitation {by, email}. By letter it answers
// 201 with the code, this once: as JSON, or as the letter where the sender
// accepts application/pdf. By e-mail it answers 202, and the code leaves.
func (h *Handler) invite(c echo.Context) error {
	sent, err := resource.Decode[inviteBody](c)
	if err != nil {
		return err
	}
	person := PersonID(c.Param("id"))
	if sent.By == byEmail {
		if err := h.clerk.Mail(c, person, sent.Email); err != nil {
			return err
		}
		return c.NoContent(http.StatusAccepted)
	}
	c.Response().Header().Add(echo.HeaderVary, echo.HeaderAccept)
	if wantsPDF(c) {
		return h.clerk.Letter(c, person, http.StatusCreated)
	}
	session, _ := Who(c)
	i, err := h.clerk.InviteByLetter(c.Request().Context(), session.Person.ID, person)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, invitationAnswer{person, i.Name, i.Code.String(), i.Expires})
}

func wantsPDF(c echo.Context) bool {
	for one := range strings.SplitSeq(c.Request().Header.Get(echo.HeaderAccept), ",") {
		if kind, _, _ := mime.ParseMediaType(one); kind == "application/pdf" {
			return true
		}
	}
	return false
}

// Mail invites a person by e-mail on behalf of the sender; see
// [Clerk.InviteByEmail].
func (k *Clerk) Mail(c echo.Context, person PersonID, email string) error {
	session, _ := Who(c)
	return k.InviteByEmail(c.Request().Context(), session.Person.ID, person, email)
}

// Letter invites a person on behalf of the sender and answers with the letter as
// PDF, which is shown this once: pages and JSON share it. The caller has checked
// the form and notes the access in the household's log.
func (k *Clerk) Letter(c echo.Context, person PersonID, status int) error {
	session, _ := Who(c)
	i, err := k.InviteByLetter(c.Request().Context(), session.Person.ID, person)
	if err != nil {
		return err
	}
	pdf, err := k.Print(c.Request().Context(), i)
	if err != nil {
		return err
	}
	return answerPDF(c, status, "lettre.pdf", pdf)
}

func answerPDF(c echo.Context, status int, name string, pdf []byte) error {
	c.Response().Header().Set(echo.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="%s"`, name))
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.Blob(status, "application/pdf", pdf)
}

type letterAnswer struct {
	ID     string    `json:"id"`
	Person PersonID  `json:"person"`
	Name   string    `json:"name"`
	Asked  time.Time `json:"asked"`
}

// letters serves GET /letters: what waits to be printed.
func (h *Handler) letters(c echo.Context) error {
	page, err := resource.PageOf(c)
	if err != nil {
		return err
	}
	session, _ := Who(c)
	waiting, err := h.clerk.WaitingLetters(c.Request().Context(), session.Person.ID, page.After, page.Limit+1)
	if err != nil {
		return err
	}
	answers := make([]letterAnswer, len(waiting))
	for i, l := range waiting {
		answers[i] = letterAnswer{l.ID, l.Person.ID, l.Person.Name, l.Asked}
	}
	return resource.AnswerList(c, page, answers, func(l letterAnswer) string { return l.ID })
}

type printBody struct {
	Letters []string `json:"letters"`
}

// Check bounds the list.
func (b *printBody) Check() []problem.Field {
	if len(b.Letters) == 0 || len(b.Letters) > mostLetters {
		return []problem.Field{{Name: "letters", Message: "field.out_of_range", Args: []any{1, mostLetters}}}
	}
	return nil
}

// printLetters serves POST /letters/print {letters}: the codes are drawn and the
// letters answered as one PDF, this once.
func (h *Handler) printLetters(c echo.Context) error {
	sent, err := resource.Decode[printBody](c)
	if err != nil {
		return err
	}
	return h.clerk.PrintLetters(c, sent.Letters)
}

// PrintLetters answers with waiting letters as one PDF; see [Clerk.PrintWaiting].
func (k *Clerk) PrintLetters(c echo.Context, letters []string) error {
	session, _ := Who(c)
	pdf, err := k.PrintWaiting(c.Request().Context(), session.Person.ID, letters)
	if err != nil {
		return err
	}
	return answerPDF(c, http.StatusOK, "lettres.pdf", pdf)
}
