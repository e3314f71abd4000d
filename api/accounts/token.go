package accounts

import (
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

// Limits of programs' tokens.
const (
	tokenPrefix   = "xnet_" // so that a token that went astray is recognised
	longestLabel  = 100
	mostTokens    = 20
	longestToken  = 400 * 24 * time.Hour
	touchTokenFor = 10 * time.Minute
)

// A TokenRow is what is known of a program's token: everything but its secret.
type TokenRow struct {
	ID      TokenID
	Person  PersonID
	Name    string // of the person
	Label   string // what the person calls it
	Scopes  []Scope
	Created time.Time // UTC
	Expires time.Time // UTC
	Used    time.Time // UTC, within ten minutes; zero for never
}

// ScopesFor lists the scopes that the session's person may give a program.
func ScopesFor(session Session) []Scope {
	if len(session.Roles) > 0 {
		return Scopes
	}
	return []Scope{ConsumptionRead}
}

const countTokens = `
SELECT COUNT(*), COUNT(CASE WHEN label = $2 THEN 1 END)
  FROM api_token
 WHERE person_id = $1`

const putToken = `
INSERT INTO api_token (id, person_id, label, hash, scopes, created_ms, expires_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7)`

// NewToken makes a token for a program that acts for the session's person, and
// returns its secret, which nobody can read again. The label must be new among
// the person's; a person has at most 20. It wants a fresh session.
func (s *Store) NewToken(ctx context.Context, session Session, label string, scopes []Scope, expires, now time.Time) (TokenRow, Token, error) {
	if !session.Fresh(now) {
		return TokenRow{}, "", errNotFresh
	}
	if err := problem.OfFields(checkToken(session, label, scopes, expires, now)); err != nil {
		return TokenRow{}, "", err
	}
	secret, err := newToken()
	if err != nil {
		return TokenRow{}, "", err
	}
	secret = tokenPrefix + secret
	row := TokenRow{ID: TokenID(newID()), Person: session.Person.ID, Name: session.Person.Name, Label: label,
		Scopes: scopes, Created: now.UTC(), Expires: expires.UTC()}
	err = s.inTx(ctx, "make a token of person "+string(row.Person), func(tx *sql.Tx) error {
		var all, same int
		if err := tx.QueryRowContext(ctx, countTokens, string(row.Person), label).Scan(&all, &same); err != nil {
			return err
		}
		switch {
		case same > 0:
			return &problem.Error{Kind: problem.Conflict, Message: "token.label_used"}
		case all >= mostTokens:
			return &problem.Error{Kind: problem.Conflict, Message: "token.too_many", Args: []any{mostTokens}}
		}
		_, err := tx.ExecContext(ctx, putToken, string(row.ID), string(row.Person), label, secret.hash(), joined(scopes),
			sqldb.Ms(now), sqldb.Ms(expires))
		return err
	})
	return row, secret, err
}

func checkToken(session Session, label string, scopes []Scope, expires, now time.Time) []problem.Field {
	var faults []problem.Field
	fault := func(name, message string, args ...any) {
		faults = append(faults, problem.Field{Name: name, Message: message, Args: args})
	}
	faults = append(faults, checkText("label", label, longestLabel)...)
	may := ScopesFor(session)
	if len(scopes) == 0 {
		fault("scopes", "field.missing")
	}
	for i, scope := range scopes {
		if !slices.Contains(may, scope) || slices.Contains(scopes[:i], scope) {
			fault("scopes", "field.not_one_of", strings.ReplaceAll(joined(may), " ", ", "))
			break
		}
	}
	if !expires.After(now) || expires.Sub(now) > longestToken {
		fault("expires", "token.expiry", int(longestToken.Hours()/24))
	}
	return faults
}

func joined(scopes []Scope) string {
	texts := make([]string, len(scopes))
	for i, scope := range scopes {
		texts[i] = string(scope)
	}
	return strings.Join(texts, " ")
}

func scopesIn(text string) []Scope {
	var scopes []Scope
	for _, one := range strings.Fields(text) {
		scopes = append(scopes, Scope(one))
	}
	return scopes
}

const findToken = `
SELECT api_token.id, api_token.scopes, api_token.expires_ms, COALESCE(api_token.used_ms, 0),
       person.id, person.name, person.language, person.version,
       COALESCE((SELECT string_agg(role, ' ')
                   FROM staff_role
                  WHERE staff_role.person_id = person.id), '')
  FROM api_token
  JOIN person ON person.id = api_token.person_id
 WHERE api_token.hash = $1
   AND api_token.expires_ms > $2`

const touchToken = `
UPDATE api_token
   SET used_ms = $2
 WHERE id = $1`

// TokenSession returns the session of a program's token; it fails with
// [ErrNoSession].
func (s *Store) TokenSession(ctx context.Context, token Token, now time.Time) (Session, error) {
	if !strings.HasPrefix(string(token), tokenPrefix) {
		return Session{}, ErrNoSession
	}
	var found Session
	var scopes, roles string
	var expiresMs, usedMs int64
	err := s.db.QueryRowContext(ctx, findToken, token.hash(), sqldb.Ms(now)).
		Scan(&found.Token, &scopes, &expiresMs, &usedMs,
			&found.Person.ID, &found.Person.Name, &found.Person.Language, &found.Person.Version, &roles)
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, ErrNoSession
	}
	if err != nil {
		return Session{}, fmt.Errorf("token: %w", err)
	}
	found.Scopes, found.Roles, found.Expires = scopesIn(scopes), rolesIn(roles), sqldb.Time(expiresMs)
	if now.Sub(sqldb.Time(usedMs)) >= touchTokenFor {
		s.touch("token "+string(found.Token), touchToken, string(found.Token), sqldb.Ms(now))
	}
	return found, nil
}

const tokenColumns = `
SELECT api_token.id, api_token.person_id, person.name, api_token.label, api_token.scopes,
       api_token.created_ms, api_token.expires_ms, COALESCE(api_token.used_ms, 0)
  FROM api_token
  JOIN person ON person.id = api_token.person_id`

const ownTokens = tokenColumns + `
 WHERE api_token.person_id = $1
 ORDER BY api_token.id`

// Tokens lists a person's own tokens, the oldest first; at most 20.
func (s *Store) Tokens(ctx context.Context, person PersonID) ([]TokenRow, error) {
	return s.tokens(ctx, ownTokens, string(person))
}

// Below an administrator stand the staff all of whose roles the administrator
// may give; $1 is the administrator.
const staffTokens = tokenColumns + `
 WHERE ` + isBelow + `
   AND api_token.id > $2
 ORDER BY api_token.id
 LIMIT $3`

// StaffTokens lists at most limit tokens of the staff below an administrator,
// after the one with id after.
func (s *Store) StaffTokens(ctx context.Context, by PersonID, after TokenID, limit int) ([]TokenRow, error) {
	return s.tokens(ctx, staffTokens, string(by), string(after), limit)
}

func (s *Store) tokens(ctx context.Context, query string, args ...any) ([]TokenRow, error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	return sqldb.Collect(rows, func(rows *sql.Rows) (t TokenRow, err error) {
		var scopes string
		var createdMs, expiresMs, usedMs int64
		err = rows.Scan(&t.ID, &t.Person, &t.Name, &t.Label, &scopes, &createdMs, &expiresMs, &usedMs)
		t.Scopes, t.Created, t.Expires = scopesIn(scopes), sqldb.Time(createdMs), sqldb.Time(expiresMs)
		if usedMs > 0 {
			t.Used = sqldb.Time(usedMs)
		}
		return t, err
	})
}

const dropToken = `
DELETE FROM api_token
 WHERE person_id = $1
   AND id = $2`

const dropStaffToken = `
DELETE FROM api_token
 WHERE id = $2
   AND EXISTS (SELECT 1
                 FROM person
                WHERE person.id = api_token.person_id
                  AND ` + isBelow + `)`

var errNoToken = &problem.Error{Kind: problem.NotFound, Message: "token.none"}

// DropToken ends one of the person's own tokens, at once; another's is a problem
// NotFound.
func (s *Store) DropToken(ctx context.Context, person PersonID, token TokenID) error {
	return s.dropToken(ctx, dropToken, person, token)
}

// DropStaffToken ends a token of somebody of the staff below an administrator.
func (s *Store) DropStaffToken(ctx context.Context, by PersonID, token TokenID) error {
	return s.dropToken(ctx, dropStaffToken, by, token)
}

func (s *Store) dropToken(ctx context.Context, drop string, who PersonID, token TokenID) error {
	done, err := s.db.ExecContext(ctx, drop, string(who), string(token))
	if err != nil {
		return fmt.Errorf("end token %s: %w", token, err)
	}
	return one(done, errNoToken)
}
