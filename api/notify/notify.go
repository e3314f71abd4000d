// Package notify keeps what is to be sent to persons until it has left: e-mails,
// which it sends itself, and letters, which somebody prints. It knows no area:
// what a message says is made by its kind's composer at the moment it leaves, so
// that no code ever lies about in clear.
package notify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/xnetroseraie/xnet/api/sqldb"
)

// A Channel is how a message travels.
type Channel string

// The channels.
const (
	Email  Channel = "email"
	Letter Channel = "letter"
)

// A State is how far a message has come.
type State string

// The states. A message that is leaving has been handed to nobody yet, or to a
// mail server that has not said yes; one of unknown outcome ends as failed, and
// is not sent again unless somebody decides so.
const (
	Waiting State = "waiting"
	Leaving State = "leaving"
	Sent    State = "sent"
	Dropped State = "dropped" // there was nothing to say after all
	Failed  State = "failed"  // refused for good, doubtful, or tried for too long
)

// A Message is what is to be sent. It bears no text.
type Message struct {
	ID        string // made by Enqueue where it is empty
	Channel   Channel
	Kind      string // names the composer; 1 to 40 characters
	Person    string // whom it concerns, who is erased with it; may be empty
	Subject   string // what it is about, for the composer: an id of at most 64 characters
	Recipient string // e-mail address; empty for a letter, and once it has left
	State     State
	Attempts  int       // how often it was tried, this time included
	Created   time.Time // UTC
}

// A Mail is the text of an e-mail.
type Mail struct {
	Subject string
	Text    string // plain, UTF-8, lines of at most 998 bytes
}

// ErrNothing is what a composer returns where there is nothing to say any more,
// or never was: the message is dropped.
var ErrNothing = errors.New("nothing to say")

// A Composer makes the text of a message at the moment it is sent. It is asked
// again where the message did not leave, and must then make what was made before
// worthless. It fails with [ErrNothing] where the message is to be dropped; any
// other error lets it wait.
type Composer func(ctx context.Context, m Message) (Mail, error)

const putMessage = `
INSERT INTO outbox (id, channel, kind, person_id, subject, recipient, state, attempts, created_ms, next_ms, done_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $8, $9)`

// Enqueue keeps a message within the transaction of what it speaks of: both are
// stored or neither. The outbox sends it soon after.
func Enqueue(ctx context.Context, tx *sql.Tx, m Message, now time.Time) error {
	return put(ctx, tx, m, Waiting, now)
}

// Note keeps that a message has left already, as a letter does that is printed
// when it is asked for.
func Note(ctx context.Context, tx *sql.Tx, m Message, now time.Time) error {
	return put(ctx, tx, m, Sent, now)
}

func put(ctx context.Context, tx *sql.Tx, m Message, state State, now time.Time) error {
	if m.ID == "" {
		m.ID = uuid.Must(uuid.NewV7()).String()
	}
	done := sql.NullInt64{Int64: sqldb.Ms(now), Valid: state != Waiting}
	person := sql.NullString{String: m.Person, Valid: m.Person != ""}
	_, err := tx.ExecContext(ctx, putMessage, m.ID, string(m.Channel), m.Kind, person, m.Subject, m.Recipient,
		string(state), sqldb.Ms(now), done)
	if err != nil {
		return fmt.Errorf("keep message %s of kind %s: %w", m.ID, m.Kind, err)
	}
	return nil
}

// columns are those that scan reads.
const columns = `id, channel, kind, COALESCE(person_id, ''), subject, recipient, state, attempts, created_ms`

func scan(row interface{ Scan(...any) error }) (m Message, err error) {
	var createdMs int64
	err = row.Scan(&m.ID, &m.Channel, &m.Kind, &m.Person, &m.Subject, &m.Recipient, &m.State, &m.Attempts, &createdMs)
	m.Created = sqldb.Time(createdMs)
	return m, err
}
