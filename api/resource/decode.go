// Package resource is what every JSON resource of the API shares: reading what
// was sent strictly, answering lists by pages and as CSV, versions by ETag, and
// creations that may be sent twice.
package resource

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/problem"
)

// A Checked body says what is wrong with its fields, once it has been read.
type Checked interface {
	// Check returns a fault for each field that is out of bounds. It may also
	// bring fields into their normal form.
	Check() []problem.Field
}

// Decode reads the request's JSON body into a T. Unknown fields, wrong types, texts
// that are not [Readable] and whatever follows the object are faults of a field or of
// the whole; so is what T's Check finds. Any error is a [*problem.Error].
func Decode[T any, P interface {
	*T
	Checked
}](c echo.Context) (T, error) {
	var sent T
	kind, _, err := mime.ParseMediaType(c.Request().Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return sent, &problem.Error{Kind: problem.MediaType, Message: "error.media_type", Err: err}
	}
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return sent, malformed(err)
	}
	if err := readable(body); err != nil {
		return sent, err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&sent); err != nil {
		return sent, malformed(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return sent, &problem.Error{Kind: problem.Invalid, Message: "error.malformed", Err: errors.New("more follows the object")}
	}
	return sent, problem.OfFields(P(&sent).Check())
}

// Readable reports whether a text can be stored and shown: UTF-8, without control
// signs but tabs and ends of lines. PostgreSQL takes no text with a NUL in it.
func Readable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\n\r", r) })
}

// readable holds every text of a JSON document to be [Readable]. What is no JSON is
// for the decoder to say.
func readable(body []byte) error {
	if !utf8.Valid(body) {
		return &problem.Error{Kind: problem.Invalid, Message: "error.malformed", Err: errors.New("body is not UTF-8")}
	}
	var document any
	if json.NewDecoder(bytes.NewReader(body)).Decode(&document) != nil {
		return nil
	}
	if name, ok := unreadable("", document); ok {
		return problem.OfFields([]problem.Field{{Name: name, Message: "field.malformed"}})
	}
	return nil
}

// unreadable names the first part of a document that is not readable, as "prices.note".
func unreadable(name string, part any) (string, bool) {
	switch part := part.(type) {
	case string:
		return name, !Readable(part)
	case []any:
		for _, one := range part {
			if found, ok := unreadable(name, one); ok {
				return found, true
			}
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(part)) {
			if !Readable(key) {
				return name, true
			}
			if found, ok := unreadable(strings.TrimPrefix(name+"."+key, "."), part[key]); ok {
				return found, true
			}
		}
	}
	return "", false
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
