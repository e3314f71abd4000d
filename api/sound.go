package main

import (
	"errors"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
)

// sound refuses addresses and forms that no database takes as text: a path that is
// not UTF-8 or bears a control sign names nothing (404), and such a query is at fault
// (422). Forms are held to be UTF-8 without NUL, which every browser sends: other
// signs are for the field's own check, which says its word beside the field.
func sound(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if path := c.Request().URL.Path; !utf8.ValidString(path) || strings.ContainsFunc(path, unicode.IsControl) {
			return &problem.Error{Kind: problem.NotFound, Message: "error.not_found", Err: errors.New("path is no readable text")}
		}
		if err := soundFields(c.QueryParams(), resource.Readable); err != nil {
			return err
		}
		kind := c.Request().Header.Get(echo.HeaderContentType)
		if c.Request().Method != http.MethodPost || !strings.HasPrefix(kind, echo.MIMEApplicationForm) {
			return next(c)
		}
		form, err := c.FormParams()
		if _, ok := errors.AsType[*echo.HTTPError](err); ok {
			return err
		}
		if err != nil {
			return &problem.Error{Kind: problem.Invalid, Message: "error.malformed", Err: err}
		}
		if err := soundFields(form, storable); err != nil {
			return err
		}
		return next(c)
	}
}

// storable reports whether a database takes a text at all.
func storable(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

// soundFields returns the problem of the fields that are not as they must be; one
// without a readable name is called "?".
func soundFields(fields map[string][]string, ok func(string) bool) error {
	var faults []problem.Field
	for name, texts := range fields {
		shown := name
		if !ok(name) {
			shown = "?"
		}
		if shown != name || !ok(strings.Join(texts, "")) {
			faults = append(faults, problem.Field{Name: shown, Message: "field.malformed"})
		}
	}
	return problem.OfFields(faults)
}
