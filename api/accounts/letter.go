package accounts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/document"
	"github.com/xnetroseraie/xnet/api/notify"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// signInPath is the page that a letter's address leads to. The code is in
// neither the address nor the QR code: browsers remember addresses and proxies
// write them down, and the page runs no script that could read a fragment.
const signInPath = "/connexion"

// letter says what stands on an invitation's page.
func (k *Clerk) letter(ctx context.Context, i Invitation) (document.Invitation, error) {
	home, err := k.homeOf(ctx, i.Person.ID)
	if err != nil {
		return document.Invitation{}, err
	}
	zone, err := k.Store.Zone(ctx)
	if err != nil {
		return document.Invitation{}, err
	}
	words, err := k.wordingFor(ctx, i.Person.ID)
	if err != nil {
		return document.Invitation{}, err
	}
	say := func(key string, args ...any) string { return k.Say(i.Person.Language, key, args...) }
	address := k.Site + signInPath
	return document.Invitation{
		Language:  i.Person.Language,
		Sender:    k.Sender,
		Recipient: k.envelope(i.Person, home),
		Date:      say("letter.date", k.Date(i.Person.Language, civil.DateIn(k.Now(), zone))),
		Title:     say(words.title),
		Opening:   []string{say("letter.hello", i.Person.Name), say(words.lead), say(words.free)},
		StepsHead: say("letter.steps"),
		Steps:     []string{say("letter.step_open"), say("letter.step_code"), say("letter.step_enter")},
		Address:   shown(address),
		QR:        address,
		QRLabel:   say("letter.qr"),
		Code:      i.Code.String(),
		Notes: []string{say("letter.later", i.Name), say("letter.until", k.Date(i.Person.Language, civil.DateIn(i.Expires, zone))),
			say("letter.keep")},
		HelpHead:  say("letter.help", k.Advisor),
		Telephone: k.Dial,
	}, nil
}

// A wording is the keys of what an invitation says to one kind of reader.
type wording struct{ title, lead, free, subject, mailLead string }

func toTenant() wording {
	return wording{"letter.title", "letter.lead", "letter.free", "mail.invitation_subject", "mail.invitation_lead"}
}

func toStaff() wording {
	return wording{"letter.title_staff", "letter.lead_staff", "letter.free_staff", "mail.invitation_subject_staff", "mail.invitation_lead_staff"}
}

func toHelper() wording {
	return wording{"letter.title_helper", "letter.lead_helper", "letter.free_helper", "mail.invitation_subject_helper", "mail.invitation_lead_helper"}
}

const readsAs = `
SELECT (SELECT COUNT(*) FROM staff_role WHERE person_id = $1),
       (SELECT COUNT(*) FROM mandate WHERE helper_id = $1 AND revoked_ms IS NULL)`

// wordingFor tells staff and helpers from tenants. Who lives in one of the homes is
// a tenant, whatever else they do.
func (k *Clerk) wordingFor(ctx context.Context, person PersonID) (wording, error) {
	at, err := k.homeOf(ctx, person)
	if err != nil || at.residence != "" {
		return toTenant(), err
	}
	var roles, mandates int
	if err := k.Store.db.QueryRowContext(ctx, readsAs, string(person)).Scan(&roles, &mandates); err != nil {
		return wording{}, fmt.Errorf("roles of person %s: %w", person, err)
	}
	switch {
	case roles > 0:
		return toStaff(), nil
	case mandates > 0:
		return toHelper(), nil
	default:
		return toTenant(), nil
	}
}

// shown is an address as a person types it.
func shown(address string) string {
	return strings.TrimPrefix(strings.TrimPrefix(address, "https://"), "http://")
}

// envelope is the block in the window: who lives at no known place gets the
// letter by hand.
func (k *Clerk) envelope(p Person, h home) []string {
	lines := []string{p.Name}
	var door []string
	for _, part := range []struct{ key, text string }{
		{"letter.building", h.building}, {"letter.staircase", h.staircase}, {"letter.dwelling", h.label},
	} {
		if part.text != "" {
			door = append(door, k.Say(p.Language, part.key, part.text))
		}
	}
	for _, line := range []string{strings.Join(door, ", "), h.residence, h.street, strings.TrimSpace(h.postcode + " " + h.town)} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// A WaitingLetter is one that was asked for and that nobody has printed.
type WaitingLetter struct {
	ID     string
	Person Person
	Asked  time.Time // UTC
}

const listInvitations = `
SELECT outbox.id, outbox.created_ms, person.id, person.name, person.language, person.version
  FROM outbox
  JOIN person ON person.id = outbox.person_id
 WHERE outbox.channel = $5
   AND outbox.state = $6
   AND outbox.kind = 'invitation'
   AND outbox.id > $3
   AND ` + invitable + `
 ORDER BY outbox.id
 LIMIT $4`

// WaitingLetters lists at most limit letters that somebody of the staff may
// print, after the one with id after, the oldest first.
func (k *Clerk) WaitingLetters(ctx context.Context, by PersonID, after string, limit int) ([]WaitingLetter, error) {
	return k.invitations(ctx, by, notify.Letter, notify.Waiting, after, limit)
}

// FailedMails lists at most limit invitations by e-mail of the last 30 days that
// did not leave, or perhaps did not, of persons whom somebody of the staff may
// invite again.
func (k *Clerk) FailedMails(ctx context.Context, by PersonID, limit int) ([]WaitingLetter, error) {
	return k.invitations(ctx, by, notify.Email, notify.Failed, "", limit)
}

func (k *Clerk) invitations(ctx context.Context, by PersonID, channel notify.Channel, state notify.State, after string, limit int) ([]WaitingLetter, error) {
	rows, err := k.Store.db.QueryContext(ctx, listInvitations, string(by), k.today().String(), after, limit, string(channel), string(state))
	if err != nil {
		return nil, fmt.Errorf("invitations by %s that are %s: %w", channel, state, err)
	}
	return sqldb.Collect(rows, func(rows *sql.Rows) (l WaitingLetter, err error) {
		var askedMs int64
		err = rows.Scan(&l.ID, &askedMs, &l.Person.ID, &l.Person.Name, &l.Person.Language, &l.Person.Version)
		l.Asked = sqldb.Time(askedMs)
		return l, err
	})
}

const whoseLetter = `
SELECT person.id
  FROM outbox
  JOIN person ON person.id = outbox.person_id
 WHERE outbox.channel = 'letter'
   AND outbox.kind = 'invitation'
   AND outbox.state = 'waiting'
   AND outbox.id = $3
   AND ` + invitable

// mostLetters is how many letters are printed at once.
const mostLetters = 50

var errNoLetter = &problem.Error{Kind: problem.NotFound, Message: "letter.none"}

// PrintWaiting draws the codes of at most 50 waiting letters and returns them as
// one PDF. Letters that the staff may not print, or that somebody else prints,
// are a problem NotFound, and none is printed. Where drawing fails on the way,
// those that were drawn are printed and the others wait on.
func (k *Clerk) PrintWaiting(ctx context.Context, by PersonID, letters []string) ([]byte, error) {
	if len(letters) == 0 || len(letters) > mostLetters {
		return nil, problem.OfFields([]problem.Field{{Name: "letters", Message: "field.out_of_range", Args: []any{1, mostLetters}}})
	}
	persons := make([]PersonID, len(letters))
	for i, letter := range letters {
		err := k.Store.db.QueryRowContext(ctx, whoseLetter, string(by), k.today().String(), letter).Scan(&persons[i])
		if errors.Is(err, sql.ErrNoRows) {
			return nil, errNoLetter
		}
		if err != nil {
			return nil, fmt.Errorf("letter %s: %w", letter, err)
		}
	}
	var drawn []Invitation
	for i, letter := range letters {
		invitation, err := k.invite(ctx, persons[i], func(tx *sql.Tx) error {
			waited, err := notify.Printed(ctx, tx, letter, k.Now())
			if err == nil && !waited {
				return errNoLetter
			}
			return err
		})
		if err != nil && len(drawn) == 0 {
			return nil, err
		}
		if err != nil {
			break
		}
		drawn = append(drawn, invitation)
	}
	return k.Print(ctx, drawn...)
}

// Composers writes the e-mails of accounts, by kind of message.
func (k *Clerk) Composers() map[string]notify.Composer {
	return map[string]notify.Composer{
		kindInvitation: k.invitationMail,
		kindCode:       k.codeMail,
		kindChanged:    k.changedMail,
	}
}

// invitationMail draws a code for the person whom the message names.
func (k *Clerk) invitationMail(ctx context.Context, m notify.Message) (notify.Mail, error) {
	person, expires := PersonID(m.Subject), k.Now().Add(k.Code).UTC().Truncate(time.Second)
	code, err := k.Store.inviteBy(ctx, person, m.Recipient, expires, func(*sql.Tx) error { return nil })
	if errors.Is(err, ErrNoPerson) {
		return notify.Mail{}, notify.ErrNothing
	}
	if err != nil {
		return notify.Mail{}, err
	}
	words, err := k.wordingFor(ctx, person)
	if err != nil {
		return notify.Mail{}, err
	}
	return k.mail(ctx, person, words.subject,
		said{words.mailLead, nil}, said{"mail.open", []any{k.Site + signInPath}}, said{"mail.code", []any{code.String()}}, said{"mail.once", nil})
}

// codeMail draws the code that somebody asked for on a page.
func (k *Clerk) codeMail(ctx context.Context, m notify.Message) (notify.Mail, error) {
	person, code, err := k.Store.drawEmailCode(ctx, m.Subject, k.Now())
	if err != nil {
		return notify.Mail{}, err
	}
	return k.mail(ctx, person, "mail.code_subject",
		said{"mail.code", []any{code.String()}}, said{"mail.where", nil}, said{"mail.minutes", []any{int(emailCodeFor.Minutes())}}, said{"mail.not_you", nil})
}

// changedMail tells that a way in has changed.
func (k *Clerk) changedMail(ctx context.Context, m notify.Message) (notify.Mail, error) {
	return k.mail(ctx, PersonID(m.Subject), "mail.changed_subject", said{"mail.changed_lead", nil}, said{"mail.changed_not_you", nil})
}

// A said is a text of the catalogue and what stands at its verbs.
type said struct {
	key  string
	args []any
}

// mail writes paragraphs in the person's language, with whom to call below.
func (k *Clerk) mail(ctx context.Context, person PersonID, subject string, paragraphs ...said) (notify.Mail, error) {
	p, err := k.Store.ByID(ctx, person)
	if errors.Is(err, ErrNoPerson) {
		return notify.Mail{}, notify.ErrNothing
	}
	if err != nil {
		return notify.Mail{}, err
	}
	lines := []string{k.Say(p.Language, "letter.hello", p.Name)}
	for _, one := range paragraphs {
		lines = append(lines, k.Say(p.Language, one.key, one.args...))
	}
	lines = append(lines, k.Say(p.Language, "letter.help", k.Advisor)+" "+k.Dial)
	return notify.Mail{Subject: k.Say(p.Language, subject), Text: strings.Join(lines, "\n\n") + "\n"}, nil
}
