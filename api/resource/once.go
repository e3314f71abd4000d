package resource

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
)

// Once lets a creation be sent twice: a request with the header Idempotency-Key
// that was answered well before gets the same answer again, for a day. A key
// that comes with another request is a conflict.
type Once struct {
	db  *sql.DB
	now func() time.Time
	who func(echo.Context) string // the sender's person
}

// Times of a key: how long its answer is kept, and how long a request that never
// ended holds it.
const (
	keptFor    = 24 * time.Hour
	patienceOf = time.Minute
	longestKey = 100
)

// NewOnce returns the middleware's state on a migrated database; who names the
// person who sends a request.
func NewOnce(db *sql.DB, now func() time.Time, who func(echo.Context) string) *Once {
	return &Once{db: db, now: now, who: who}
}

// A request is one that bears a key.
type request struct{ person, key, hash string }

// Middleware stands before handlers of POST, behind the guard of the route.
func (o *Once) Middleware(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		key := c.Request().Header.Get("Idempotency-Key")
		if key == "" || c.Request().Method != http.MethodPost {
			return next(c)
		}
		if len(key) > longestKey {
			return problem.OfFields([]problem.Field{{Name: "Idempotency-Key", Message: "field.too_long", Args: []any{longestKey}}})
		}
		if !Readable(key) {
			return problem.OfFields([]problem.Field{{Name: "Idempotency-Key", Message: "field.malformed"}})
		}
		hash, err := hashOf(c.Request())
		if err != nil {
			return err
		}
		return o.serve(c, next, request{o.who(c), key, hash})
	}
}

// hashOf reads the body and puts it back.
func hashOf(r *http.Request) (string, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "", err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%s\n", r.URL.RequestURI(), r.Header.Get("Content-Type"))
	sum.Write(body)
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func (o *Once) serve(c echo.Context, next echo.HandlerFunc, r request) error {
	ctx := c.Request().Context()
	fresh, err := o.claim(ctx, r)
	if err != nil {
		return err
	}
	if !fresh {
		return o.replay(c, r)
	}
	kept := &recorder{ResponseWriter: c.Response().Writer}
	c.Response().Writer = kept
	if err := next(c); err != nil {
		return errors.Join(err, o.forget(ctx, r)) // it changed nothing; it may be tried again
	}
	return o.keep(ctx, r, c.Response(), kept.body.String())
}

const dropOldKeys = `
DELETE FROM idempotency
 WHERE created_ms < $1
    OR (status = 0 AND created_ms < $2)`

const claimKey = `
INSERT INTO idempotency (person_id, request_key, request_hash, status, media_type, body, created_ms)
VALUES ($1, $2, $3, 0, '', '', $4)
    ON CONFLICT (person_id, request_key) DO NOTHING`

func (o *Once) claim(ctx context.Context, r request) (fresh bool, err error) {
	now := o.now()
	if _, err := o.db.ExecContext(ctx, dropOldKeys, sqldb.Ms(now.Add(-keptFor)), sqldb.Ms(now.Add(-patienceOf))); err != nil {
		return false, fmt.Errorf("drop old idempotency keys: %w", err)
	}
	done, err := o.db.ExecContext(ctx, claimKey, r.person, r.key, r.hash, sqldb.Ms(now))
	if err != nil {
		return false, fmt.Errorf("claim an idempotency key: %w", err)
	}
	n, err := done.RowsAffected()
	return n == 1, err
}

const findKey = `
SELECT request_hash, status, media_type, body
  FROM idempotency
 WHERE person_id = $1
   AND request_key = $2`

func (o *Once) replay(c echo.Context, r request) error {
	var hash, mediaType, body string
	var status int
	err := o.db.QueryRowContext(c.Request().Context(), findKey, r.person, r.key).Scan(&hash, &status, &mediaType, &body)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && status == 0 && hash == r.hash:
		return &problem.Error{Kind: problem.Conflict, Message: "error.in_progress"}
	case err != nil:
		return fmt.Errorf("find an idempotency key: %w", err)
	case hash != r.hash:
		return &problem.Error{Kind: problem.Conflict, Message: "error.key_used"}
	}
	c.Response().Header().Set("Idempotency-Replayed", "true")
	return c.Blob(status, mediaType, []byte(body))
}

const keepAnswer = `
UPDATE idempotency
   SET status = $3,
       media_type = $4,
       body = $5
 WHERE person_id = $1
   AND request_key = $2`

// keep survives a sender that has left: the creation is done.
func (o *Once) keep(ctx context.Context, r request, answered *echo.Response, body string) error {
	_, err := o.db.ExecContext(context.WithoutCancel(ctx), keepAnswer, r.person, r.key, answered.Status,
		answered.Header().Get("Content-Type"), body)
	if err != nil {
		return fmt.Errorf("keep the answer of an idempotency key: %w", err)
	}
	return nil
}

func (o *Once) forget(ctx context.Context, r request) error {
	_, err := o.db.ExecContext(context.WithoutCancel(ctx),
		`DELETE FROM idempotency WHERE person_id = $1 AND request_key = $2`, r.person, r.key)
	return err
}

// A recorder keeps what is answered.
type recorder struct {
	http.ResponseWriter
	body bytes.Buffer
}

// Write answers and keeps.
func (r *recorder) Write(b []byte) (int, error) {
	r.body.Write(b)
	return r.ResponseWriter.Write(b)
}
