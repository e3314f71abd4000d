// Package problem is what a person or a program may be told of an error: a kind
// that maps to an HTTP status, and a key of the language catalogue. What is not
// a problem is internal and shows nothing of its cause.
package problem

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// A Kind of problem. The zero value is Internal.
type Kind int

// The kinds.
const (
	Internal      Kind = iota // our fault; shows nothing of its cause
	Invalid                   // what was sent cannot be understood
	SignedOut                 // who asks is not known
	Forbidden                 // a form without its token, or from another site
	NotFound                  // there is no such thing, or it is somebody else's
	TooMany                   // try again later
	Unavailable               // a server we need does not answer
	Conflict                  // what was sent does not go with what is there
	Stale                     // what is to be changed has changed since it was read
	Unconditional             // a change that does not say which version it means
	TooLarge                  // more was sent than is read
	MediaType                 // sent in a form that is not read
)

var statuses = [...]int{
	Internal:    http.StatusInternalServerError,
	Invalid:     http.StatusUnprocessableEntity,
	SignedOut:   http.StatusUnauthorized,
	Forbidden:   http.StatusForbidden,
	NotFound:    http.StatusNotFound,
	TooMany:     http.StatusTooManyRequests,
	Unavailable: http.StatusServiceUnavailable,

	Conflict:      http.StatusConflict,
	Stale:         http.StatusPreconditionFailed,
	Unconditional: http.StatusPreconditionRequired,
	TooLarge:      http.StatusRequestEntityTooLarge,
	MediaType:     http.StatusUnsupportedMediaType,
}

// Error is an error with a message for the person, beside its cause.
type Error struct {
	Kind    Kind
	Message string        // key in the language catalogue, e.g. "tenancy.none"
	Args    []any         // what stands at the verbs of the message's text
	Fields  []Field       // what is wrong with each field of what was sent
	Retry   time.Duration // when to try again, for TooMany; 0 where not known
	Err     error         // cause, for the log; may be nil
}

// A Field is what is wrong with one field of what was sent.
type Field struct {
	Name    string // as sent, as in "moved_in" or "meters[2].serial"
	Message string // key in the language catalogue, e.g. "field.too_long"
	Args    []any  // what stands at the verbs of the message's text
}

// OfFields returns the problem of faulty fields, or nil where there is none.
func OfFields(faults []Field) error {
	if len(faults) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Message: "error.fields", Fields: faults}
}

// Error says the key and the cause, for the log.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return fmt.Sprintf("%s: %v", e.Message, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// StatusCode is the HTTP status of the error's kind.
func (e *Error) StatusCode() int { return statuses[e.Kind] }

// Of returns what may be told of err: the problem that it wraps, what echo says
// of a request that fits no route, or an internal one that hides it. Err must
// not be nil.
func Of(err error) *Error {
	if p, ok := errors.AsType[*Error](err); ok {
		return p
	}
	if h, ok := errors.AsType[*echo.HTTPError](err); ok {
		return ofHTTP(h)
	}
	return &Error{Kind: Internal, Message: "error.internal", Err: err}
}

func ofHTTP(h *echo.HTTPError) *Error {
	switch {
	case h.Code == http.StatusNotFound || h.Code == http.StatusMethodNotAllowed:
		return &Error{Kind: NotFound, Message: "error.not_found", Err: h}
	case h.Code == http.StatusForbidden:
		return &Error{Kind: Forbidden, Message: "error.forbidden", Err: h}
	case h.Code == http.StatusRequestEntityTooLarge:
		return &Error{Kind: TooLarge, Message: "error.too_large", Err: h}
	case h.Code == http.StatusUnsupportedMediaType:
		return &Error{Kind: MediaType, Message: "error.media_type", Err: h}
	case h.Code >= http.StatusInternalServerError:
		return &Error{Kind: Internal, Message: "error.internal", Err: h}
	default:
		return &Error{Kind: Invalid, Message: "error.malformed", Err: h}
	}
}

// document is the answer of RFC 9457, section 3.1. The members code and errors
// are ours: the keys, which programs can branch on whatever the language.
type document struct {
	Type   string       `json:"type"`
	Title  string       `json:"title"`
	Status int          `json:"status"`
	Detail string       `json:"detail,omitempty"`
	Code   string       `json:"code"`
	Errors []fieldFault `json:"errors,omitempty"`
}

type fieldFault struct {
	Field  string `json:"field"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// MediaTypeJSON is that of a problem's document (RFC 9457, section 3).
const MediaTypeJSON = "application/problem+json"

// Write answers with the problem's document. say returns the text of a key in
// the reader's language.
func Write(c echo.Context, p *Error, say func(key string, args ...any) string) error {
	SetRetry(c, p)
	d := document{Type: "about:blank", Title: http.StatusText(p.StatusCode()),
		Status: p.StatusCode(), Detail: say(p.Message, p.Args...), Code: p.Message}
	if p.Retry > 0 {
		d.Detail = say(p.Message, Seconds(p.Retry))
	}
	for _, f := range p.Fields {
		d.Errors = append(d.Errors, fieldFault{f.Name, f.Message, say(f.Message, f.Args...)})
	}
	body, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("write problem %s: %w", p.Message, err)
	}
	return c.Blob(p.StatusCode(), MediaTypeJSON, body)
}

// SetRetry sets Retry-After where the problem knows when to try again.
func SetRetry(c echo.Context, p *Error) {
	if p.Retry > 0 {
		c.Response().Header().Set("Retry-After", fmt.Sprint(Seconds(p.Retry)))
	}
}

// Seconds rounds a wait up to whole seconds, at least one.
func Seconds(wait time.Duration) int64 {
	return max(1, int64((wait+time.Second-1)/time.Second))
}
