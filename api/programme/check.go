package programme

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// faults are what is wrong with the fields of a record.
type faults []problem.Field

func (f *faults) add(name, message string, args ...any) {
	*f = append(*f, problem.Field{Name: name, Message: message, Args: args})
}

// text joins the words of a text and holds its length, in characters.
func (f *faults) text(name string, text *string, least, most int) {
	*text = strings.Join(strings.Fields(*text), " ")
	switch n := len([]rune(*text)); {
	case n < least:
		f.add(name, "field.missing")
	case n > most:
		f.add(name, "field.too_long", most)
	case strings.ContainsFunc(*text, hidden):
		f.add(name, "field.malformed")
	}
}

// hidden are characters that a text shown beside others must not bear: controls,
// and signs that turn the direction of writing.
func hidden(r rune) bool {
	return r < ' ' || r == 0x7f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfffd
}

// oneOf holds that something is one of what is known.
func oneOf[T ~string](f *faults, name string, got T, known []T) {
	if !slices.Contains(known, got) {
		f.add(name, "field.not_one_of", strings.Trim(fmt.Sprint(known), "[]"))
	}
}

func (f *faults) number(name string, n, least, most int64) {
	if n < least || n > most {
		f.add(name, "field.out_of_range", least, most)
	}
}

// Bounds of the days that a record may speak of: dates are compared as texts.
const (
	firstYear = 1990
	lastYear  = 2199
)

func (f *faults) date(name string, d civil.Date) {
	if d.Year < firstYear || d.Year > lastYear {
		f.add(name, "field.no_date")
	}
}

// span holds that [from, until) has a day; until may be nil for no end.
func (f *faults) span(from civil.Date, until *civil.Date) {
	f.date("from", from)
	switch {
	case until == nil:
	case until.Year < firstYear || until.Year > lastYear:
		f.add("until", "field.no_date")
	case !from.Before(*until):
		f.add("until", "programme.before_start")
	}
}
