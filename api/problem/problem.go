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
	Internal    Kind = iota // our fault; shows nothing of its cause
	Invalid                 // what was sent cannot be understood
	SignedOut               // who asks is not known
	Forbidden               // a form without its token, or from another site
	NotFound                // there is no such thing, or it is somebody else's
	TooMany                 // try again later
	Unavailable             // a server we need does not answer
)

var statuses = [...]int{
	Internal:    http.StatusInternalServerError,
	Invalid:     http.StatusUnprocessableEntity,
	SignedOut:   http.StatusUnauthorized,
	Forbidden:   http.StatusForbidden,
	NotFound:    http.StatusNotFound,
	TooMany:     http.StatusTooManyRequests,
	Unavailable: http.StatusServiceUnavailable,
}

// Error is an error with a message for the person, beside its cause.
type Error struct {
	Kind    Kind
	Message string        // key in the language catalogue, e.g. "tenancy.none"
	Retry   time.Duration // when to try again, for TooMany; 0 where not known
	Err     error         // cause, for the log; may be nil
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
	case h.Code >= http.StatusInternalServerError:
		return &Error{Kind: Internal, Message: "error.internal", Err: h}
	default:
		return &Error{Kind: Invalid, Message: "error.malformed", Err: h}
	}
}

// document is the answer of RFC 9457, section 3.1. The member code is ours: the
// key, which programs can branch on whatever the language of detail.
type document struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Code   string `json:"code"`
}

// MediaType is that of a problem's document (RFC 9457, section 3).
const MediaType = "application/problem+json"

// Write answers with the problem's document; detail is its sentence in the
// reader's language.
func Write(c echo.Context, p *Error, detail string) error {
	SetRetry(c, p)
	body, err := json.Marshal(document{Type: "about:blank", Title: http.StatusText(p.StatusCode()),
		Status: p.StatusCode(), Detail: detail, Code: p.Message})
	if err != nil {
		return fmt.Errorf("write problem %s: %w", p.Message, err)
	}
	return c.Blob(p.StatusCode(), MediaType, body)
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
