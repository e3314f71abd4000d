package accounts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/document"
	"github.com/xnetroseraie/xnet/api/notify"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// Kinds of messages that the clerk writes.
const (
	kindInvitation = "invitation"
	kindCode       = "email_code"
	kindChanged    = "access_changed"
)

// A Clerk invites persons and writes what they are sent.
//
// The code of a letter exists in clear only while its letter is made: the letter
// is printed at the moment of inviting, and cannot be printed again. Who lost it
// is invited anew. A letter to be printed later waits in the outbox without a
// code, which is drawn when it is printed.
type Clerk struct {
	Store   *Store
	Outbox  *notify.Outbox
	Site    string   // address of the pages, as in "https://roseraie.example"
	Sender  []string // the landlord's name and address, for letters; at most 5 lines
	Advisor string   // whom to call
	Dial    string   // the advisor's telephone, as written
	Code    time.Duration
	Now     func() time.Time
	Say     func(language, key string, args ...any) string // text of the catalogue
	Date    func(language string, d civil.Date) string     // as in "mercredi 31 décembre 2025"
}

// An Invitation is a code that was just drawn, for the one answer that shows it.
type Invitation struct {
	Person  Person
	Name    string // to sign in with, once there is a password
	Code    Code
	Expires time.Time // UTC
}

// InviteByLetter invites a person on behalf of somebody of the staff and returns
// the code, which [Clerk.Print] writes. It fails with [ErrNoPerson] where the
// staff may not invite the person, as [Store.MayInvite] says. It also ends the
// ways in of before; see [Store.Invite].
func (k *Clerk) InviteByLetter(ctx context.Context, by, person PersonID) (Invitation, error) {
	if err := k.Store.MayInvite(ctx, by, person, k.today()); err != nil {
		return Invitation{}, err
	}
	return k.invite(ctx, person, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, dropWaitingLetters, string(person)); err != nil {
			return err
		}
		return notify.Note(ctx, tx, invitationOf(person, notify.Letter, ""), k.Now())
	})
}

// A letter that is printed now need not be printed later.
const dropWaitingLetters = `
DELETE FROM outbox
 WHERE person_id = $1
   AND channel = 'letter'
   AND kind = 'invitation'
   AND state = 'waiting'`

func (k *Clerk) invite(ctx context.Context, person PersonID, also func(*sql.Tx) error) (Invitation, error) {
	expires := k.Now().Add(k.Code).UTC().Truncate(time.Second)
	code, err := k.Store.inviteBy(ctx, person, "", expires, also)
	if err != nil {
		return Invitation{}, err
	}
	return k.invitation(ctx, person, code, expires)
}

func (k *Clerk) invitation(ctx context.Context, person PersonID, code Code, expires time.Time) (Invitation, error) {
	p, err := k.Store.ByID(ctx, person)
	if err != nil {
		return Invitation{}, err
	}
	access, err := k.Store.Access(ctx, person, k.Now())
	return Invitation{Person: p, Name: access.Name, Code: code, Expires: expires}, err
}

// errMailOff is for a site without a mail server.
var errMailOff = &problem.Error{Kind: problem.Conflict, Message: "email.off"}

// InviteByEmail invites a person on behalf of somebody of the staff: soon an
// e-mail with a code leaves. The ways in of before end when it does. It fails as
// [Clerk.InviteByLetter], and with a problem Conflict where no mail server is
// configured.
func (k *Clerk) InviteByEmail(ctx context.Context, by, person PersonID, typed string) error {
	address, faults := ParseEmail("email", typed)
	if err := problem.OfFields(faults); err != nil {
		return err
	}
	if !k.Outbox.Sends() {
		return errMailOff
	}
	if err := k.Store.MayInvite(ctx, by, person, k.today()); err != nil {
		return err
	}
	err := k.Store.inTx(ctx, "invite person "+string(person), func(tx *sql.Tx) error {
		return notify.Enqueue(ctx, tx, invitationOf(person, notify.Email, address), k.Now())
	})
	k.Outbox.Wake()
	return err
}

// AskLetter lets a letter with an invitation wait until somebody of the staff
// prints it, within the caller's transaction. It needs no staff: a tenant asks so
// for a helper. Nothing changes for the person before the letter is printed.
func AskLetter(ctx context.Context, tx *sql.Tx, person PersonID, now time.Time) error {
	if _, err := tx.ExecContext(ctx, dropWaitingLetters, string(person)); err != nil {
		return fmt.Errorf("ask for a letter to person %s: %w", person, err)
	}
	return notify.Enqueue(ctx, tx, invitationOf(person, notify.Letter, ""), now)
}

func invitationOf(person PersonID, channel notify.Channel, address string) notify.Message {
	return notify.Message{Channel: channel, Kind: kindInvitation, Person: string(person), Subject: string(person), Recipient: address}
}

// today is the day at the residences.
func (k *Clerk) today() civil.Date { return civil.DateIn(k.Now(), time.UTC) }

const firstZone = `
SELECT zone
  FROM residence
 ORDER BY id
 LIMIT 1`

// Zone returns the zone in which times are shown to persons whose home does not
// matter: that of the first residence, UTC where there is none.
func (s *Store) Zone(ctx context.Context) (*time.Location, error) {
	var name string
	err := s.db.QueryRowContext(ctx, firstZone).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return time.UTC, nil
	}
	if err != nil {
		return nil, fmt.Errorf("zone of the residences: %w", err)
	}
	return time.LoadLocation(name)
}

// The home where the person lives now, else the one to come.
const homeOf = `
SELECT residence.name, residence.street, residence.postcode, residence.town,
       dwelling.building, dwelling.staircase, dwelling.label
  FROM membership
  JOIN tenancy ON tenancy.household_id = membership.household_id
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
 WHERE membership.person_id = $1
   AND (membership.to_date IS NULL OR membership.to_date > $2)
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $2)
 ORDER BY CASE WHEN tenancy.moved_in <= $2 THEN 0 ELSE 1 END, tenancy.moved_in, tenancy.id
 LIMIT 1`

// A home is what an envelope needs of one; the zero value is none.
type home struct{ residence, street, postcode, town, building, staircase, label string }

func (k *Clerk) homeOf(ctx context.Context, person PersonID) (h home, err error) {
	err = k.Store.db.QueryRowContext(ctx, homeOf, string(person), k.today().String()).
		Scan(&h.residence, &h.street, &h.postcode, &h.town, &h.building, &h.staircase, &h.label)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return home{}, fmt.Errorf("home of person %s: %w", person, err)
	}
	return h, nil
}

// Print writes the letters of invitations, a page each, as one PDF.
func (k *Clerk) Print(ctx context.Context, invitations ...Invitation) ([]byte, error) {
	letters := make([]document.Invitation, 0, len(invitations))
	for _, i := range invitations {
		letter, err := k.letter(ctx, i)
		if err != nil {
			return nil, err
		}
		letters = append(letters, letter)
	}
	return document.Invitations(letters)
}
