package notify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb"
)

// An Outbox sends the e-mails that were kept, each once: it claims a message,
// hands it to the mail server, and notes what the server said. Where it cannot
// know whether the server took it (the program or the line broke at that very
// moment) it does not send again, and the message is seen as failed.
type Outbox struct {
	db        *sql.DB
	sender    *Sender // nil where no mail server is configured
	composers map[string]Composer
	now       func() time.Time
	log       *slog.Logger
	wake      chan struct{}
	tidied    time.Time // by Run only
}

// Times of the outbox.
const (
	lookEvery  = 5 * time.Second  // for messages that another program kept
	firstPause = 30 * time.Second // after a refusal for now; doubles
	mostPause  = time.Hour        // between two tries
	triedFor   = 48 * time.Hour   // then a message has failed
	doubtAfter = 15 * time.Minute // a message that has been leaving for so long was left behind
	tidyEvery  = time.Minute
	keptFor    = 30 * 24 * time.Hour // what is done
)

// NewOutbox returns an outbox on a migrated database. Composers make the text by
// kind of message; sender is nil where no mail server is configured, and e-mails
// wait then.
func NewOutbox(db *sql.DB, sender *Sender, composers map[string]Composer, now func() time.Time, log *slog.Logger) *Outbox {
	return &Outbox{db: db, sender: sender, composers: composers, now: now, log: log, wake: make(chan struct{}, 1)}
}

// Sends reports whether e-mails leave at all.
func (o *Outbox) Sends() bool { return o.sender != nil }

// Wake makes Run look at once, after a transaction that kept a message.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Run sends until ctx ends. Several programs may run on one database.
func (o *Outbox) Run(ctx context.Context) {
	for {
		if err := o.turn(ctx); err != nil && ctx.Err() == nil {
			o.log.Error("outbox stopped", "error", err, "again_in", lookEvery.String())
		}
		select {
		case <-ctx.Done():
			return
		case <-o.wake:
		case <-time.After(lookEvery):
		}
	}
}

// turn sends all that is due.
func (o *Outbox) turn(ctx context.Context) error {
	if now := o.now(); now.Sub(o.tidied) >= tidyEvery {
		if err := o.tidy(ctx); err != nil {
			return err
		}
		o.tidied = now
	}
	for o.sender != nil {
		m, ok, err := o.claim(ctx)
		if err != nil || !ok {
			return err
		}
		if err := o.send(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

const giveUpDoubtful = `
UPDATE outbox
   SET state = 'failed',
       done_ms = $1
 WHERE state = 'leaving'
   AND next_ms < $2`

const dropOld = `
DELETE FROM outbox
 WHERE done_ms < $1`

// tidy ends messages whose sender broke off, and forgets old ones.
func (o *Outbox) tidy(ctx context.Context) error {
	now := o.now()
	done, err := o.db.ExecContext(ctx, giveUpDoubtful, sqldb.Ms(now), sqldb.Ms(now.Add(-doubtAfter)))
	if err != nil {
		return fmt.Errorf("end doubtful messages: %w", err)
	}
	if n, err := done.RowsAffected(); err == nil && n > 0 {
		o.log.Warn("messages may have left or not: they are not sent again", "messages", n)
	}
	if _, err := o.db.ExecContext(ctx, dropOld, sqldb.Ms(now.Add(-keptFor))); err != nil {
		return fmt.Errorf("forget old messages: %w", err)
	}
	return nil
}

const findDue = `
SELECT id
  FROM outbox
 WHERE state = 'waiting'
   AND channel = 'email'
   AND next_ms <= $1
 ORDER BY next_ms, id
 LIMIT 1`

// The state is looked at again, so that of two programs one gets the message.
const claimMessage = `
UPDATE outbox
   SET state = 'leaving',
       attempts = attempts + 1,
       next_ms = $2
 WHERE id = $1
   AND state = 'waiting'
RETURNING ` + columns

// claim returns a message that is due, or false where there is none. It writes
// only where there is one.
func (o *Outbox) claim(ctx context.Context) (m Message, ok bool, err error) {
	now := sqldb.Ms(o.now())
	var id string
	err = o.db.QueryRowContext(ctx, findDue, now).Scan(&id)
	if err == nil {
		m, err = scan(o.db.QueryRowContext(ctx, claimMessage, id, now))
	}
	if errors.Is(err, sql.ErrNoRows) {
		return Message{}, false, nil
	}
	if err != nil {
		return Message{}, false, fmt.Errorf("claim a message: %w", err)
	}
	return m, true, nil
}

// send composes a claimed message, hands it over and notes the outcome, which
// must be noted even where the program is told to end meanwhile.
func (o *Outbox) send(ctx context.Context, m Message) error {
	mail, err := o.compose(ctx, m)
	switch {
	case errors.Is(err, ErrNothing):
		return o.finish(ctx, m, Dropped)
	case err != nil:
		o.log.Warn("message not composed", "message", m.ID, "kind", m.Kind, "error", err)
		return o.later(ctx, m)
	}
	err = o.sender.send(ctx, m.ID, m.Recipient, mail)
	var refusal *Refusal
	switch {
	case err == nil:
		o.log.Info("message sent", "message", m.ID, "kind", m.Kind)
		return o.finish(ctx, m, Sent)
	case errors.As(err, &refusal) && refusal.Again:
		o.log.Warn("message not sent", "message", m.ID, "kind", m.Kind, "attempts", m.Attempts, "error", err)
		return o.later(ctx, m)
	default:
		o.log.Error("message failed", "message", m.ID, "kind", m.Kind, "attempts", m.Attempts, "error", err)
		return o.finish(ctx, m, Failed)
	}
}

func (o *Outbox) compose(ctx context.Context, m Message) (Mail, error) {
	composer, ok := o.composers[m.Kind]
	if !ok {
		return Mail{}, fmt.Errorf("no composer for messages of kind %q", m.Kind)
	}
	return composer(ctx, m)
}

const finishMessage = `
UPDATE outbox
   SET state = $2,
       recipient = '',
       done_ms = $3
 WHERE id = $1
   AND state = 'leaving'`

func (o *Outbox) finish(ctx context.Context, m Message, state State) error {
	_, err := o.db.ExecContext(context.WithoutCancel(ctx), finishMessage, m.ID, string(state), sqldb.Ms(o.now()))
	if err != nil {
		return fmt.Errorf("note that message %s is %s: %w", m.ID, state, err)
	}
	return nil
}

const waitMessage = `
UPDATE outbox
   SET state = 'waiting',
       next_ms = $2
 WHERE id = $1
   AND state = 'leaving'`

// later lets the message wait, each time longer, or ends it after two days.
func (o *Outbox) later(ctx context.Context, m Message) error {
	now := o.now()
	if now.Sub(m.Created) >= triedFor {
		return o.finish(ctx, m, Failed)
	}
	pause := min(mostPause, firstPause<<min(m.Attempts-1, 10))
	_, err := o.db.ExecContext(context.WithoutCancel(ctx), waitMessage, m.ID, sqldb.Ms(now.Add(pause)))
	if err != nil {
		return fmt.Errorf("let message %s wait: %w", m.ID, err)
	}
	return nil
}
