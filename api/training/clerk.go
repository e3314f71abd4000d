package training

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/document"
	"github.com/xnetroseraie/xnet/api/notify"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A Clerk writes what buyers are told, and the papers of a training.
type Clerk struct {
	Store   *Store
	Sender  []string // the landlord's name and address, for letters; at most 5 lines
	Advisor string   // whom to call
	Dial    string   // the advisor's telephone, as written
	Now     func() time.Time
	Say     func(language, key string, args ...any) string                    // text of the catalogue
	Date    func(language string, d civil.Date) string                        // as in "mercredi 31 décembre 2025"
	Door    func(language, label, building, staircase string) (onDoor string) // as in "Logement 12, bâtiment A"
}

// A topic is the keys of what one kind of message says.
type topic struct {
	title string
	lead  string
	none  string // in place of lead, where no session is proposed
	close []string
}

// topics are the kinds of messages.
func topics() map[string]topic {
	return map[string]topic{
		kindProposal:  {"training.letter_proposal", "training.letter_proposal_lead", "training.letter_none_lead", []string{"training.letter_answer"}},
		kindMissed:    {"training.letter_missed", "training.letter_missed_lead", "training.letter_missed_none", []string{"training.letter_answer"}},
		kindCalledOff: {"training.letter_off", "training.letter_off_lead", "training.letter_off_none", []string{"training.letter_answer"}},
		kindPlace:     {"training.letter_place", "training.letter_place_lead", "", []string{"training.letter_bring", "training.letter_cannot"}},
		kindReminder:  {"training.letter_reminder", "training.letter_reminder_lead", "", []string{"training.letter_bring", "training.letter_cannot"}},
	}
}

// An addressee is who is on a way, with the address.
type addressee struct {
	way                               EnrolmentID
	name, language                    string
	building, staircase, label        string
	residence, street, postcode, town string
	session                           SessionID
	zone                              *time.Location
}

const findAddressee = `
SELECT training_enrolment.id, person.name, person.language,
       COALESCE(home.building, ''), COALESCE(home.staircase, ''), COALESCE(home.label, ''),
       residence.name, residence.street, residence.postcode, residence.town,
       COALESCE(training_enrolment.session_id, ''), residence.zone
  FROM training_enrolment
  JOIN training_duty ON training_duty.id = training_enrolment.duty_id
  JOIN person ON person.id = training_duty.person_id
  LEFT JOIN tenancy AS stay ON stay.id = (SELECT last.id
                                            FROM tenancy AS last
                                           WHERE last.household_id = training_duty.household_id
                                           ORDER BY last.moved_in DESC, last.id DESC
                                           LIMIT 1)
  LEFT JOIN dwelling AS home ON home.id = stay.dwelling_id
  JOIN residence ON residence.id = COALESCE(home.residence_id, training_duty.residence_id)
 WHERE training_enrolment.id = $1`

func (k *Clerk) addressee(ctx context.Context, way EnrolmentID) (a addressee, err error) {
	var zone string
	err = k.Store.db.QueryRowContext(ctx, findAddressee, string(way)).Scan(&a.way, &a.name, &a.language, &a.building, &a.staircase, &a.label,
		&a.residence, &a.street, &a.postcode, &a.town, &a.session, &zone)
	if err != nil {
		return addressee{}, fmt.Errorf("who is on way %s: %w", way, err)
	}
	a.zone, err = time.LoadLocation(zone)
	return a, err
}

// A message is what is told, before it is a letter or an e-mail.
type message struct {
	addressee
	title, lead string
	facts       []document.Fact
	close       []string
}

// compose makes the text of a message. It fails with [notify.ErrNothing] where
// the way is no more.
func (k *Clerk) compose(ctx context.Context, kind string, way EnrolmentID) (message, error) {
	words, ok := topics()[kind]
	if !ok {
		return message{}, fmt.Errorf("no words for messages of kind %q", kind)
	}
	a, err := k.addressee(ctx, way)
	if errors.Is(err, sql.ErrNoRows) {
		return message{}, notify.ErrNothing
	}
	if err != nil {
		return message{}, err
	}
	m := message{addressee: a, title: k.Say(a.language, words.title), lead: k.Say(a.language, words.lead)}
	session, there, err := k.Store.SessionOf(ctx, Way{Session: a.session})
	if err != nil {
		return message{}, err
	}
	if there {
		m.facts = k.facts(a.language, session)
	} else if words.none != "" {
		m.lead = k.Say(a.language, words.none)
	}
	for _, key := range words.close {
		m.close = append(m.close, k.Say(a.language, key))
	}
	return m, nil
}

// facts are what holds of a session, in a language.
func (k *Clerk) facts(language string, s Session) []document.Fact {
	from, to := s.Starts.In(s.Zone).Format(hours), s.Ends.In(s.Zone).Format(hours)
	all := []document.Fact{
		{Name: k.Say(language, "training.fact_course"), Text: s.Course.Title},
		{Name: k.Say(language, "training.fact_date"), Text: k.Date(language, s.Day())},
		{Name: k.Say(language, "training.fact_hours"), Text: k.Say(language, "training.from_to", from, to)},
		{Name: k.Say(language, "training.fact_place"), Text: s.Place},
	}
	for _, more := range []struct{ key, text string }{{"training.fact_partner", s.Partner}, {"training.fact_trainer", s.TrainerName},
		{"training.fact_childcare", s.Childcare}, {"training.fact_transport", s.Transport}} {
		if more.text != "" {
			all = append(all, document.Fact{Name: k.Say(language, more.key), Text: more.text})
		}
	}
	return all
}

func (k *Clerk) letter(m message) document.Letter {
	recipient := []string{m.name}
	for _, line := range []string{k.Door(m.language, m.label, m.building, m.staircase), m.residence, m.street, strings.TrimSpace(m.postcode + " " + m.town)} {
		if line != "" {
			recipient = append(recipient, line)
		}
	}
	return document.Letter{
		Head: document.Head{Language: m.language, Sender: k.Sender, Recipient: recipient,
			Date: k.Say(m.language, "letter.date", k.Date(m.language, civil.DateIn(k.Now(), m.zone))), Title: m.title},
		Opening: []string{k.Say(m.language, "letter.hello", m.name), m.lead},
		Facts:   m.facts,
		Closing: m.close,
		Help:    document.Help{Sentence: k.Say(m.language, "letter.help", k.Advisor), Telephone: k.Dial},
	}
}

// Composers writes the e-mails of trainings, by kind of message.
func (k *Clerk) Composers() map[string]notify.Composer {
	all := map[string]notify.Composer{}
	for kind := range topics() {
		all[kind] = func(ctx context.Context, m notify.Message) (notify.Mail, error) {
			said, err := k.compose(ctx, kind, EnrolmentID(m.Subject))
			if err != nil {
				return notify.Mail{}, err
			}
			return k.mail(said), nil
		}
	}
	return all
}

func (k *Clerk) mail(m message) notify.Mail {
	lines := []string{k.Say(m.language, "letter.hello", m.name), m.lead}
	for _, f := range m.facts {
		lines = append(lines, k.Say(m.language, "training.mail_fact", f.Name, f.Text))
	}
	lines = append(append(lines, m.close...), k.Say(m.language, "letter.help", k.Advisor)+" "+k.Dial)
	return notify.Mail{Subject: m.title, Text: strings.Join(lines, "\n\n") + "\n"}
}

// A Letter is one that waits to be printed.
type Letter struct {
	ID    string
	Kind  string // as in "training_place"
	Duty  DutyID
	Name  string
	Asked time.Time

	way EnrolmentID
}

const waitingLetters = `
SELECT outbox.id, outbox.kind, training_duty.id, person.name, outbox.created_ms, training_enrolment.id
  FROM outbox
  JOIN training_enrolment ON training_enrolment.id = outbox.subject
  JOIN training_duty ON training_duty.id = training_enrolment.duty_id
  JOIN person ON person.id = training_duty.person_id
 WHERE outbox.channel = 'letter'
   AND outbox.state = 'waiting'
   AND outbox.kind LIKE 'training~_%' ESCAPE '~'
   AND ($3 = '' OR outbox.id = $3)
   AND` + mayWork + `
 ORDER BY outbox.id
 LIMIT $4`

// mostLetters is how many letters are printed at once.
const mostLetters = 50

// Letters lists the letters that wait to be printed, the oldest first and at most
// 50: when those are printed, the next ones show.
func (k *Clerk) Letters(ctx context.Context, staff accounts.PersonID) ([]Letter, error) {
	return k.letters(ctx, k.Store.db, staff, "")
}

func (k *Clerk) letters(ctx context.Context, q sqldb.Querier, staff accounts.PersonID, id string) ([]Letter, error) {
	rows, err := q.QueryContext(ctx, waitingLetters, string(staff), today(k.Now()), id, mostLetters)
	if err != nil {
		return nil, fmt.Errorf("letters about trainings: %w", err)
	}
	return sqldb.Collect(rows, func(rows *sql.Rows) (l Letter, err error) {
		var askedMs int64
		err = rows.Scan(&l.ID, &l.Kind, &l.Duty, &l.Name, &askedMs, &l.way)
		l.Asked = sqldb.Time(askedMs)
		return l, err
	})
}

// Print returns letters that wait as one PDF, and they wait no more. A letter
// that staff may not print, or that somebody printed, fails with [ErrNoLetter],
// and none is printed.
func (k *Clerk) Print(ctx context.Context, staff accounts.PersonID, ids []string) ([]byte, error) {
	if len(ids) == 0 || len(ids) > mostLetters {
		return nil, problem.OfFields([]problem.Field{{Name: "letters", Message: "field.out_of_range", Args: []any{1, mostLetters}}})
	}
	var pages []document.Letter
	for _, id := range ids {
		found, err := k.letters(ctx, k.Store.db, staff, id)
		one, err := only(found, err, ErrNoLetter)
		if err != nil {
			return nil, err
		}
		m, err := k.compose(ctx, one.Kind, one.way)
		if err != nil {
			return nil, err
		}
		pages = append(pages, k.letter(m))
	}
	file, err := document.Letters(pages)
	if err != nil {
		return nil, err
	}
	return file, k.Store.change(ctx, func(tx *sql.Tx) error {
		for _, id := range ids {
			if waited, err := notify.Printed(ctx, tx, id, k.Now()); err != nil || !waited {
				return orElse(err, ErrNoLetter)
			}
		}
		return nil
	})
}
