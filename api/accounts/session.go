package accounts

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
)

const isStaff = `
SELECT COUNT(*)
  FROM staff_role
 WHERE person_id = $1`

const putSession = `
INSERT INTO session (id, token_hash, person_id, way, browser, created_ms, seen_ms, expires_ms, form_token)
VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8)`

// mostSessions is how many a person has at once; a new one ends the one that was
// not used for longest.
const mostSessions = 20

const dropEnded = `
DELETE FROM session
 WHERE expires_ms <= $2
    OR person_id = $1
   AND id NOT IN (SELECT id
                    FROM session
                   WHERE person_id = $1
                   ORDER BY seen_ms DESC, id DESC
                   LIMIT $3)`

// open opens a session within the transaction of a sign-in.
func open(ctx context.Context, tx *sql.Tx, person PersonID, way Way, a Arrival) (Entry, error) {
	var roles int
	if err := tx.QueryRowContext(ctx, isStaff, string(person)).Scan(&roles); err != nil {
		return Entry{}, err
	}
	token, err := newToken()
	if err != nil {
		return Entry{}, err
	}
	form, err := newToken()
	if err != nil {
		return Entry{}, err
	}
	length, _ := a.Terms.of(roles > 0)
	if _, err := tx.ExecContext(ctx, dropEnded, string(person), sqldb.Ms(a.At), mostSessions-1); err != nil {
		return Entry{}, fmt.Errorf("drop ended sessions: %w", err)
	}
	_, err = tx.ExecContext(ctx, putSession, newID(), token.hash(), string(person), string(way), a.Browser,
		sqldb.Ms(a.At), sqldb.Ms(a.At.Add(length)), string(form))
	if err != nil {
		return Entry{}, fmt.Errorf("open a session: %w", err)
	}
	return Entry{token, person, way, length}, nil
}

// One statement, because every request asks it.
const findSession = `
SELECT session.id, session.way, session.created_ms, session.seen_ms, session.expires_ms, session.form_token,
       person.id, person.name, person.language, person.version,
       COALESCE((SELECT string_agg(role, ' ')
                   FROM staff_role
                  WHERE staff_role.person_id = person.id), ''),
       CASE WHEN EXISTS (SELECT 1 FROM membership WHERE membership.person_id = person.id)
              OR EXISTS (SELECT 1 FROM mandate WHERE mandate.helper_id = person.id) THEN 1
            ELSE 0 END
  FROM session
  JOIN person ON person.id = session.person_id
 WHERE session.token_hash = $1
   AND session.expires_ms > $2`

// Session returns the session of a token; it fails with [ErrNoSession] where
// there is none, or where it has not been used for too long.
func (s *Store) Session(ctx context.Context, token Token, now time.Time, terms Terms) (Session, error) {
	var found Session
	var openedMs, seenMs, expiresMs int64
	var roles string
	var home int
	err := s.db.QueryRowContext(ctx, findSession, token.hash(), sqldb.Ms(now)).
		Scan(&found.ID, &found.Way, &openedMs, &seenMs, &expiresMs, &found.FormToken,
			&found.Person.ID, &found.Person.Name, &found.Person.Language, &found.Person.Version, &roles, &home)
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, ErrNoSession
	}
	if err != nil {
		return Session{}, fmt.Errorf("session: %w", err)
	}
	found.Opened, found.Expires, found.Roles = sqldb.Time(openedMs), sqldb.Time(expiresMs), rolesIn(roles)
	found.Home = home == 1
	_, idle := terms.of(len(found.Roles) > 0)
	unused := now.Sub(sqldb.Time(seenMs))
	if idle > 0 && unused >= idle {
		return Session{}, ErrNoSession
	}
	if unused >= touchEvery {
		s.touch("session "+string(found.ID), touchSession, string(found.ID), sqldb.Ms(now))
	}
	return found, nil
}

// rolesIn reads roles that are separated by spaces; a person may have one in
// several residences.
func rolesIn(text string) []Role {
	var roles []Role
	for _, role := range strings.Fields(text) {
		roles = append(roles, Role(role))
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

const touchSession = `
UPDATE session
   SET seen_ms = $2
 WHERE id = $1
   AND seen_ms < $2`

// How exactly the last use is known, and how long writing it may take.
const (
	touchEvery = time.Minute
	touchWait  = 10 * time.Second
	// How many last uses are written at once: while a long import holds the writer,
	// they must not take all connections from those who only look.
	mostTouching = 8
)

// touch notes the last use, beside the request: a long import holds the one
// writer of SQLite, and nobody's page should wait for it. A use that could not
// be noted is noted with the next.
func (s *Store) touch(name, statement string, args ...any) {
	if _, busy := s.touching.LoadOrStore(name, true); busy {
		return
	}
	select {
	case s.pens <- struct{}{}:
	default:
		s.touching.Delete(name)
		return
	}
	go func() {
		defer func() { <-s.pens }()
		defer s.touching.Delete(name)
		ctx, cancel := context.WithTimeout(context.Background(), touchWait)
		defer cancel()
		_, _ = s.db.ExecContext(ctx, statement, args...)
	}()
}

// SignOut ends the session of a token, at once and on the server.
func (s *Store) SignOut(ctx context.Context, token Token) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM session WHERE token_hash = $1`, token.hash()); err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	return nil
}

// A Visit is a session as its person sees it in a list.
type Visit struct {
	ID      SessionID
	Way     Way
	Browser string    // roughly; empty where not known
	Opened  time.Time // UTC
	Seen    time.Time // UTC; within a minute
}

const listSessions = `
SELECT id, way, browser, created_ms, seen_ms
  FROM session
 WHERE person_id = $1
   AND expires_ms > $2`

// Visits lists the person's open sessions, the last used first.
func (s *Store) Visits(ctx context.Context, session Session, now time.Time, terms Terms) ([]Visit, error) {
	rows, err := s.db.QueryContext(ctx, listSessions, string(session.Person.ID), sqldb.Ms(now))
	if err != nil {
		return nil, fmt.Errorf("sessions of person %s: %w", session.Person.ID, err)
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (v Visit, err error) {
		var openedMs, seenMs int64
		err = rows.Scan(&v.ID, &v.Way, &v.Browser, &openedMs, &seenMs)
		v.Opened, v.Seen = sqldb.Time(openedMs), sqldb.Time(seenMs)
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("sessions of person %s: %w", session.Person.ID, err)
	}
	_, idle := terms.of(len(session.Roles) > 0)
	all = slices.DeleteFunc(all, func(v Visit) bool { return idle > 0 && now.Sub(v.Seen) >= idle })
	slices.SortFunc(all, func(a, b Visit) int {
		return cmp.Or(b.Seen.Compare(a.Seen), b.Opened.Compare(a.Opened), cmp.Compare(b.ID, a.ID))
	})
	return all, nil
}

const endSession = `
DELETE FROM session
 WHERE person_id = $1
   AND id = $2`

// EndSession ends one of the person's sessions; another's is a problem NotFound.
func (s *Store) EndSession(ctx context.Context, person PersonID, session SessionID) error {
	done, err := s.db.ExecContext(ctx, endSession, string(person), string(session))
	if err != nil {
		return fmt.Errorf("end session %s: %w", session, err)
	}
	return one(done, &problem.Error{Kind: problem.NotFound, Message: "session.unknown"})
}

// EndSessions ends all of the person's sessions: sign-out everywhere.
func (s *Store) EndSessions(ctx context.Context, person PersonID) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM session WHERE person_id = $1`, string(person)); err != nil {
		return fmt.Errorf("end the sessions of person %s: %w", person, err)
	}
	return nil
}
