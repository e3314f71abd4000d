package alerts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
)

// Of one telling, in which each member has a message, the first that left counts.
const leftUntold = `
SELECT outbox.subject, MIN(outbox.done_ms), MIN(outbox.channel)
  FROM outbox
  JOIN alert_case ON alert_case.id = outbox.subject
 WHERE outbox.kind = 'alert'
   AND outbox.state = 'sent'
   AND outbox.created_ms > COALESCE(alert_case.told_ms, 0)
   AND alert_case.ended_ms IS NULL
 GROUP BY outbox.subject
 ORDER BY outbox.subject`

// A departure is of the first message about a case that left.
type departure struct {
	id      CaseID
	at      time.Time
	channel string
}

// NoteTold adds the step "told" to the open cases of which a message has left since:
// an e-mail that the mail server took, a letter that was printed. Before that nobody
// was told. Again changes nothing; a case that somebody changes just now is left to
// the next time.
func (s *Store) NoteTold(ctx context.Context) error {
	if err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error { return noteTold(ctx, tx) }); err != nil {
		return fmt.Errorf("note who was told: %w", err)
	}
	return nil
}

func noteTold(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, leftUntold)
	if err != nil {
		return err
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (d departure, err error) {
		var doneMs int64
		err = rows.Scan(&d.id, &doneMs, &d.channel)
		d.at = sqldb.Time(doneMs)
		return d, err
	})
	if err != nil {
		return err
	}
	for _, d := range all {
		if err := d.note(ctx, tx); err != nil {
			return fmt.Errorf("case %s: %w", d.id, err)
		}
	}
	return nil
}

// note tells the case by whom its household was told. One whose finding cannot be
// read is left as it is.
func (d departure) note(ctx context.Context, tx *sql.Tx) error {
	found, err := kept(ctx, tx, "", caseOf, string(d.id))
	if _, is := errors.AsType[*unreadableError](err); is {
		return nil
	}
	if err != nil || len(found) == 0 || found[0].State.Over() {
		return err
	}
	k := found[0]
	if n := len(k.Steps); n > 0 {
		d.at = later(d.at, k.Steps[n-1].At)
	}
	if k.Case, err = k.Case.Tell(d.at, d.channel); err != nil {
		return err
	}
	if err := update(ctx, tx, k); !errors.Is(err, resource.ErrStale) {
		return err
	}
	return nil
}
