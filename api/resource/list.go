package resource

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/problem"
)

// Sizes of a page of a list.
const (
	pageDefault = 100
	pageMost    = 1000
)

// A Page is which part of a list is asked for: at most Limit items after the one
// whose key is After, from the first where After is empty.
type Page struct {
	After string
	Limit int
}

// PageOf reads ?after= and ?limit=, 1 to 1000, by default 100.
func PageOf(c echo.Context) (Page, error) {
	p := Page{After: c.QueryParam("after"), Limit: pageDefault}
	if len(p.After) > 200 {
		return Page{}, problem.OfFields([]problem.Field{{Name: "after", Message: "field.too_long", Args: []any{200}}})
	}
	if text := c.QueryParam("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > pageMost {
			return Page{}, problem.OfFields([]problem.Field{{Name: "limit", Message: "field.out_of_range", Args: []any{1, pageMost}}})
		}
		p.Limit = limit
	}
	return p, nil
}

// A List is one page of a list in JSON.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"` // what to ask ?after= for; empty at the end
}

// AnswerPage reads which part of a list is asked for and answers with it as
// [AnswerList] does. Fetch returns one item more than p.Limit where the list goes
// on; shape makes of an item what is sent, and key names that for the next page.
func AnswerPage[T, J any](c echo.Context, fetch func(ctx context.Context, p Page) ([]T, error), shape func(T) J, key func(J) string) error {
	page, err := PageOf(c)
	if err != nil {
		return err
	}
	all, err := fetch(c.Request().Context(), page)
	if err != nil {
		return err
	}
	return AnswerList(c, page, Mapped(all, shape), key)
}

// Mapped returns what to makes of each.
func Mapped[A, B any](all []A, to func(A) B) []B {
	made := make([]B, len(all))
	for i, a := range all {
		made[i] = to(a)
	}
	return made
}

// AnswerList answers with a page of a list, as JSON or, where the sender accepts
// text/csv before it, as CSV with a header. A store returns one item more than
// p.Limit where the list goes on; key names an item for the next page. The
// fields of T are columns by their JSON names; structs embedded count as T's.
func AnswerList[T any](c echo.Context, p Page, items []T, key func(T) string) error {
	list := List[T]{Items: items}
	if len(items) > p.Limit {
		list.Items = items[:p.Limit]
		list.Next = key(items[p.Limit-1])
		next := *c.Request().URL
		query := next.Query()
		query.Set("after", list.Next)
		next.RawQuery = query.Encode()
		c.Response().Header().Set("Link", fmt.Sprintf(`<%s>; rel="next"`, next.RequestURI()))
	}
	c.Response().Header().Add("Vary", "Accept")
	if !wantsCSV(c.Request().Header.Get("Accept")) {
		if list.Items == nil {
			list.Items = []T{}
		}
		return c.JSON(http.StatusOK, list)
	}
	text, err := CSV(list.Items)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "text/csv; charset=utf-8; header=present", text)
}

// wantsCSV reports whether text/csv stands first among the kinds we know.
func wantsCSV(accept string) bool {
	for one := range strings.SplitSeq(accept, ",") {
		switch kind, _, _ := mime.ParseMediaType(one); kind {
		case "text/csv":
			return true
		case "application/json", "*/*", "application/*":
			return false
		}
	}
	return false
}

// byteOrderMark tells spreadsheets that a file is UTF-8, so that accents are read.
const byteOrderMark = "\ufeff"

// CSV writes items as RFC 4180 has it, behind a byte order mark, with the JSON names
// of their fields as header. Texts are [Guarded].
func CSV[T any](items []T) ([]byte, error) {
	var text bytes.Buffer
	text.WriteString(byteOrderMark)
	w := csv.NewWriter(&text)
	w.UseCRLF = true
	fields := columns(reflect.TypeFor[T]())
	header := make([]string, len(fields))
	for i, f := range fields {
		header[i], _, _ = strings.Cut(f.Tag.Get("json"), ",")
	}
	rows := [][]string{header}
	for _, item := range items {
		row := make([]string, len(fields))
		for i, f := range fields {
			row[i] = cell(reflect.ValueOf(item).FieldByIndex(f.Index))
		}
		rows = append(rows, row)
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("write CSV: %w", err)
	}
	return text.Bytes(), nil
}

func columns(t reflect.Type) []reflect.StructField {
	var fields []reflect.StructField
	for _, f := range reflect.VisibleFields(t) {
		if tag := f.Tag.Get("json"); f.IsExported() && tag != "" && tag != "-" {
			fields = append(fields, f)
		}
	}
	return fields
}

func cell(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	text := fmt.Sprint(v.Interface())
	if v.CanInt() || v.CanUint() || v.CanFloat() || v.Kind() == reflect.Bool {
		return text
	}
	return Guarded(text)
}
