package alerts

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/notify"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// Kind is the kind of message by which a household is told of a case; the subject
// of the message is the case's id.
const Kind = "alert"

// An address is somebody of a household and how they are reached.
type address struct {
	person   accounts.PersonID
	language string
	own      string // e-mail whose owner answered; empty for none
	contact  string // of the household
	email    string // of the household
}

// Only who may see the case is told of it: not who joined later.
const addressesOf = `
SELECT person.id, person.language, COALESCE(way_in.email, ''), household.contact_by, household.email
  FROM membership
  JOIN person ON person.id = membership.person_id
  JOIN household ON household.id = membership.household_id
  LEFT JOIN way_in ON way_in.person_id = person.id
 WHERE membership.household_id = $1
   AND membership.from_date <= $2
   AND membership.from_date <= $3
   AND (membership.to_date IS NULL OR membership.to_date > $2)
 ORDER BY person.id`

func scanAddress(rows *sql.Rows) (a address, err error) {
	return a, rows.Scan(&a.person, &a.language, &a.own, &a.contact, &a.email)
}

// Tell keeps messages to the household of a case, in one transaction: to each member
// who gave an e-mail address, else to the household's, else one letter. They replace
// those that still wait, and within a week of others none are kept. That the household
// was told is noted once one of them left, see [Store.NoteTold] and [Writer.Print].
// Tell reports whether messages were kept, and fails with [resource.ErrStale] where
// the case was changed since it was read.
func (s *Store) Tell(ctx context.Context, k Kept, at time.Time) (told bool, err error) {
	err = sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		var recent int
		err := tx.QueryRowContext(ctx, keptLately, string(k.ID), sqldb.Ms(at.Add(-RemindEvery))).Scan(&recent)
		if err != nil || recent > 0 {
			return err
		}
		rows, err := tx.QueryContext(ctx, addressesOf, string(k.Household), k.today(at).String(), k.First.String())
		if err != nil {
			return err
		}
		all, err := sqldb.Collect(rows, scanAddress)
		if err != nil || len(all) == 0 {
			return err
		}
		if _, err := tx.ExecContext(ctx, supersede, string(k.ID), sqldb.Ms(at)); err != nil {
			return err
		}
		for _, m := range messagesTo(all, Kind, string(k.ID)) {
			if err := notify.Enqueue(ctx, tx, m, at); err != nil {
				return err
			}
		}
		told = true
		return update(ctx, tx, k) // of two programs one keeps messages
	})
	if err != nil {
		return false, fmt.Errorf("tell of case %s: %w", k.ID, err)
	}
	return told, nil
}

// What failed or left counts too: a household is not written to each day.
const keptLately = `
SELECT COUNT(*)
  FROM outbox
 WHERE subject = $1
   AND kind = 'alert'
   AND state <> 'dropped'
   AND created_ms > $2`

// Of a case the messages of one telling wait, the last.
const supersede = `
UPDATE outbox
   SET state = 'dropped',
       recipient = '',
       done_ms = $2
 WHERE subject = $1
   AND kind = 'alert'
   AND state = 'waiting'`

func messagesTo(all []address, kind, subject string) (messages []notify.Message) {
	message := func(a address, channel notify.Channel, recipient string) {
		messages = append(messages, notify.Message{Channel: channel, Kind: kind, Person: string(a.person), Subject: subject, Recipient: recipient})
	}
	for _, a := range all {
		if a.own != "" {
			message(a, notify.Email, a.own)
		}
	}
	first := all[0]
	switch {
	case len(messages) > 0:
	case first.contact == "e-mail" && first.email != "":
		message(first, notify.Email, first.email)
	default:
		message(first, notify.Letter, "")
	}
	return messages
}

// A Writer makes the text of what households are told.
type Writer struct {
	Store     *Store
	Site      string   // address of the pages
	Sender    []string // lines of the letterhead
	Advisor   string   // whom to call
	Telephone string
	Now       func() time.Time
	Say       func(language, key string, args ...any) string // text of the catalogue
	Date      func(language string, d civil.Date) string
}

// Composers are those of the outbox.
func (w *Writer) Composers() map[string]notify.Composer {
	return map[string]notify.Composer{Kind: w.Mail, AskKind: w.Mail}
}

// Mail writes the e-mail of a message. It fails with [notify.ErrNothing] where the
// case is over meanwhile, or the person is no more told.
func (w *Writer) Mail(ctx context.Context, m notify.Message) (notify.Mail, error) {
	subject, lines, err := w.lines(ctx, m)
	if err != nil {
		return notify.Mail{}, err
	}
	return notify.Mail{Subject: subject, Text: strings.Join(lines, "\n\n") + "\n"}, nil
}

// Who left meanwhile is not told, nor anybody of a household that moved out.
const whomIsTold = `
SELECT person.name, person.language
  FROM person
  JOIN membership ON membership.person_id = person.id
  JOIN tenancy ON tenancy.household_id = membership.household_id
  JOIN point ON point.dwelling_id = tenancy.dwelling_id
 WHERE person.id = $1
   AND membership.household_id = $2
   AND membership.from_date <= $3
   AND membership.from_date <= $4
   AND (membership.to_date IS NULL OR membership.to_date > $3)
   AND point.id = $5
   AND tenancy.moved_in <= $3
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $3)`

func (w *Writer) lines(ctx context.Context, m notify.Message) (subject string, lines []string, err error) {
	read := w.openCase
	if m.Kind == AskKind {
		read = w.asking
	}
	k, err := read(ctx, m)
	if err != nil {
		return "", nil, err
	}
	var name, language string
	err = w.Store.db.QueryRowContext(ctx, whomIsTold, m.Person, string(k.Household), k.today(w.Now()).String(), k.First.String(),
		string(k.Cause.Point)).Scan(&name, &language)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil, notify.ErrNothing
	}
	if err != nil {
		return "", nil, fmt.Errorf("person %s: %w", m.Person, err)
	}
	subject, lines = w.words(k, name, language)
	return subject, lines, nil
}

// openCase is the case that a message tells of; it fails with [notify.ErrNothing]
// where it is over meanwhile.
func (w *Writer) openCase(ctx context.Context, m notify.Message) (Kept, error) {
	all, err := kept(ctx, w.Store.db, "", caseOf, m.Subject)
	if err != nil {
		return Kept{}, fmt.Errorf("case %s: %w", m.Subject, err)
	}
	if len(all) == 0 || all[0].State.Over() || all[0].State == Repaired {
		return Kept{}, notify.ErrNothing
	}
	return all[0], nil
}

// words say what was seen, since when, what to do and whom to call. They name no
// flat and no figure of the household's days: an e-mail travels far.
func (w *Writer) words(k Kept, name, language string) (subject string, lines []string) {
	say := func(key string, args ...any) string { return w.Say(language, key, args...) }
	since := w.Date(language, civil.DateIn(k.Finding.Since.Latest, cmp.Or(k.Zone, time.UTC)))
	lines = []string{say("letter.hello", name)}
	switch {
	case k.ID == "": // a question
		subject = say("alerts.ask_subject")
		lines = append(lines, say("alerts.ask_seen", since), say("alerts.ask_fine"), say("alerts.ask_do"))
	case k.Cause.Subject == Cold:
		subject = say("alerts.cold_subject")
		lines = append(lines, say("alerts.cold_seen", since), say("alerts.cold_do"), say("alerts.cold_health"))
	case k.Finding.Class == Burst:
		subject = say("alerts.burst_subject")
		lines = append(lines, say("alerts.burst_seen", since), say("alerts.burst_do"))
	default:
		litres := int((k.Finding.Flow.Likely*24 + 500) / 1000)
		subject = say("alerts.leak_subject")
		lines = append(lines, say("alerts.leak_seen", since, litres), say(doFor[k.Finding.Class]), say("alerts.leak_check"))
	}
	return subject, append(lines, say("alerts.page", w.Site+"/alertes"), say("letter.help", w.Advisor)+" "+w.Telephone)
}

// doFor is the key of what to look at, by class of leak.
var doFor = map[Class]string{
	Drip:           "alerts.leak_drip",
	RunningCistern: "alerts.leak_running_cistern",
	OpenTap:        "alerts.leak_open_tap",
}
