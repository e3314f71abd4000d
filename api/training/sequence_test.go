package training_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/api/training"
)

// A walk does random things in random order, by anybody, and never reaches a
// state that must not be.
type walk struct {
	*school
	t        *testing.T
	sessions []training.Session
}

// anybody is who acts: those who may, those who may not, and strangers.
var anybody = []string{"P-adv", "P-adv", "P-adv", "P-tra", "P-tr2", "P-man", "P-tec", "P-ad2", "P-1", "P-out"}

// act does one thing; what is refused must be a problem, never a fault of ours.
func (w *walk) act(r *rapid.T) {
	ctx := w.t.Context()
	who := personID(rapid.SampledFrom(anybody).Draw(r, "who"))
	duty := rapid.SampledFrom(w.duties).Draw(r, "duty")
	session := rapid.SampledFrom(w.sessions).Draw(r, "session").ID
	var err error
	switch what := rapid.IntRange(0, 10).Draw(r, "what"); what {
	case 0:
		err = w.store.Invite(ctx, who, duty, "", w.now)
	case 1:
		err = w.store.Invite(ctx, who, duty, session, w.now)
	case 2, 3, 4:
		err = w.store.Enrol(ctx, who, duty, session, what == 4, w.now)
	case 5:
		err = w.store.Excuse(ctx, who, duty, "malade", w.now)
	case 6:
		err = w.store.AskAnotherDate(ctx, premises.Own("P-1"), w.duties[0], "le mardi", w.now)
	case 7:
		if rapid.Bool().Draw(r, "back") {
			err = w.store.Reopen(ctx, who, duty, w.now)
		} else {
			err = w.store.Exempt(ctx, who, duty, "sait faire", w.now)
		}
	case 8:
		err = w.attend(r, who, session)
	case 9:
		if rapid.IntRange(0, 4).Draw(r, "rarely") == 0 {
			err = w.store.CallOff(ctx, who, session, w.now)
		}
	case 10:
		w.now = w.now.Add(time.Duration(rapid.IntRange(1, 96).Draw(r, "hours")) * hour)
		_, err = w.store.Remind(ctx, w.now)
	}
	if err != nil && problem.Of(err).Kind == problem.Internal {
		r.Fatalf("a fault of ours: %v", err)
	}
}

func (w *walk) attend(r *rapid.T, who accounts.PersonID, session training.SessionID) error {
	_, rows, err := w.store.Sheet(w.t.Context(), "P-adv", session)
	if err != nil || len(rows) == 0 {
		return err
	}
	var marks []training.Mark
	for _, row := range rows {
		marks = append(marks, training.Mark{Enrolment: row.ID, Present: rapid.Bool().Draw(r, "present")})
	}
	return w.store.Record(w.t.Context(), who, session, marks, w.now)
}

// rules are what must never be: each query counts offences.
var rules = map[string]string{
	"more people than places": `SELECT COUNT(*) FROM training_session WHERE (SELECT COUNT(*) FROM training_enrolment WHERE session_id = training_session.id AND seat IS NOT NULL) >
		(SELECT COUNT(*) FROM training_seat WHERE session_id = training_session.id)`,
	"more people waiting than may": `SELECT COUNT(*) FROM training_session WHERE (SELECT COUNT(*) FROM training_enrolment WHERE session_id = training_session.id AND state = 'waiting') > waiting`,
	"done without attendance": `SELECT COUNT(*) FROM training_duty WHERE (state = 'done') <>
		EXISTS (SELECT 1 FROM training_enrolment WHERE duty_id = training_duty.id AND state = 'attended')`,
	"on a way without a duty": `SELECT COUNT(*) FROM training_duty WHERE state <> 'open' AND
		EXISTS (SELECT 1 FROM training_enrolment WHERE duty_id = training_duty.id AND state IN ('invited', 'waiting', 'enrolled', 'reminded'))`,
	"a step that was lost": `SELECT COUNT(*) FROM training_enrolment WHERE state <> (SELECT state FROM training_step WHERE enrolment_id = training_enrolment.id ORDER BY number DESC LIMIT 1)`,
	"an absence without a proposal": `SELECT COUNT(*) FROM training_enrolment AS gone JOIN training_duty ON training_duty.id = gone.duty_id WHERE gone.state = 'absent' AND training_duty.state = 'open'
		AND NOT EXISTS (SELECT 1 FROM training_enrolment AS later WHERE later.duty_id = gone.duty_id AND later.created_ms >= gone.created_ms AND later.id <> gone.id)`,
	"a place in a session that was called off": `SELECT COUNT(*) FROM training_enrolment JOIN training_session ON training_session.id = session_id
		WHERE called_off_ms IS NOT NULL AND state IN ('invited', 'waiting', 'enrolled', 'reminded')`,
	"somebody waits beside a free place": `SELECT COUNT(*) FROM training_session WHERE called_off_ms IS NULL AND starts_ms > $1
		AND (SELECT COUNT(*) FROM training_enrolment WHERE session_id = training_session.id AND state = 'waiting') > 0
		AND (SELECT COUNT(*) FROM training_enrolment WHERE session_id = training_session.id AND seat IS NOT NULL) < (SELECT COUNT(*) FROM training_seat WHERE session_id = training_session.id)`,
	"a follow-up of who was not there": `SELECT COUNT(*) FROM training_follow_up JOIN training_enrolment ON training_enrolment.id = enrolment_id WHERE state <> 'attended'`,
	"a letter about what is no more": `SELECT COUNT(*) FROM outbox JOIN training_enrolment ON training_enrolment.id = subject WHERE outbox.state = 'waiting'
		AND training_enrolment.state NOT IN ('invited', 'waiting', 'enrolled', 'reminded')`,
}

func (w *walk) check(r *rapid.T) {
	for name, rule := range rules {
		var args []any
		if name == "somebody waits beside a free place" {
			args = append(args, sqldb.Ms(w.now))
		}
		var offences int
		if err := w.db.QueryRowContext(w.t.Context(), rule, args...).Scan(&offences); err != nil {
			r.Fatalf("%s: %v", name, err)
		}
		if offences > 0 {
			r.Fatalf("%s: %d", name, offences)
		}
	}
}

// No sequence of actions, by whomever, in whatever order, reaches what must not
// be.
func TestNoSequenceBreaksARule(t *testing.T) {
	folder, walks := t.TempDir(), 0
	empty := migrated(t, filepath.Join(folder, "empty.db"))
	rapid.Check(t, func(r *rapid.T) {
		walks++
		path := filepath.Join(folder, fmt.Sprint(walks, ".db"))
		if err := os.WriteFile(path, empty, 0o600); err != nil {
			r.Fatal(err)
		}
		db, err := sqldb.Open(t.Context(), path)
		if err != nil {
			r.Fatal(err)
		}
		defer closing(t, db)
		w := &walk{school: newSchool(t, db, 4), t: t}
		for i, capacity := range []int{1, 2, 1} {
			w.sessions = append(w.sessions, w.session(t, time.Duration(3+4*i)*24*hour, capacity, i))
		}
		for range rapid.IntRange(5, 40).Draw(r, "actions") {
			w.act(r)
			w.check(r)
		}
	})
}

// migrated is the file of an empty database.
func migrated(t *testing.T, path string) []byte {
	t.Helper()
	db, err := sqldb.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	closing(t, db)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func closing(t *testing.T, db *sql.DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func TestReminders(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := newSchool(t, db, 4)
		ctx := t.Context()
		at := s.session(t, 10*24*hour, 4, 0)
		sqldbtest.Exec(t, db, `UPDATE household SET contact_by = 'telephone' WHERE id = 'F-1'`)
		sqldbtest.Exec(t, db, `UPDATE household SET contact_by = 'e-mail', email = 'b@example.org' WHERE id = 'F-2'`)
		sqldbtest.Exec(t, db, `UPDATE household SET telephone = '' WHERE id = 'F-3'`)
		for i := range 4 {
			good(t, "enrol", s.store.Enrol(ctx, "P-adv", s.duties[i], at.ID, false, s.now))
		}
		remind := func(name string, days int, want training.Reminders) {
			t.Helper()
			s.now = at.Starts.Add(-time.Duration(days)*24*hour - time.Minute)
			for _, wanted := range []training.Reminders{want, {}} {
				if got, err := s.store.Remind(ctx, s.now); err != nil || got != wanted {
					t.Errorf("%s: %+v, %v, want %+v", name, got, err, wanted)
				}
			}
		}
		remind("eight days before", 8, training.Reminders{})
		remind("seven days before", 7, training.Reminders{Letters: 2, Mails: 1, Calls: 1})
		remind("three days before", 3, training.Reminders{})
		remind("the day before", 1, training.Reminders{Letters: 1, Mails: 1, Calls: 2})
		calls, err := s.store.Calls(ctx, "P-adv", s.now)
		if err != nil || len(calls) != 3 {
			t.Errorf("%d calls, %v", len(calls), err)
		}
		for range 2 {
			good(t, "called", s.store.Called(ctx, "P-adv", calls[0].Enrolment, calls[0].Days, s.now))
		}
		want(t, "another residence", s.store.Called(ctx, "P-ad2", calls[1].Enrolment, calls[1].Days, s.now), training.ErrNoReminder)
		if calls, err = s.store.Calls(ctx, "P-adv", s.now); err != nil || len(calls) != 2 {
			t.Errorf("after one: %d calls, %v", len(calls), err)
		}
	})
}
