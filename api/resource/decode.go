// Package resource is what every JSON resource of the API shares: reading what
// was sent strictly, answering lists by pages and as CSV, versions by ETag, and
// creations that may be sent twice.
package resource

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/problem"
)

// A Checked body says what is wrong with its fields, once it has been read.
type Checked interface {
	// Check returns a fault for each field that is out of bounds. It may also
	// bring fields into their normal form.
	Check() []problem.Field
}

// Decode reads the request's JSON body into a T. Unknown fields, wrong types and
// whatever follows the object are faults of a field or of the whole; so is what
// T's Check finds. Any error is a [*problem.Error].
func Decode[T any, P interface {
	*T
	Checked
}](c echo.Context) (T, error) {
	var sent T
	kind, _, err := mime.ParseMediaType(c.Request().Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return sent, &problem.Error{Kind: problem.MediaType, Message: "error.media_type", Err: err}
	}
	decoder := json.NewDecoder(c.Request().Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&sent); err != nil {
		return sent, malformed(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return sent, &problem.Error{Kind: problem.Invalid, Message: "error.malformed", Err: errors.New("more follows the object")}
	}
	return sent, problem.OfFields(P(&sent).Check())
}

// malformed names the field, where the decoder does.
func malformed(err error) error {
	if h, ok := errors.AsType[*echo.HTTPError](err); ok && h.Code == http.StatusRequestEntityTooLarge {
		return h
	}
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && t.Field != "" {
		return problem.OfFields([]problem.Field{{Name: t.Field, Message: "field.type"}})
	}
	// The decoder has no error of its own for this one.
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return problem.OfFields([]problem.Field{{Name: strings.Trim(name, `"`), Message: "field.unknown"}})
	}
	return &problem.Error{Kind: problem.Invalid, Message: "error.malformed", Err: fmt.Errorf("decode: %w", err)}
}
