package workshop

import (
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

// A look is how a field is shown.
type look string

// The looks.
const (
	line     look = "text"
	day      look = "date"
	area     look = "area"
	choose   look = "select" // one of many, folded
	oneOf    look = "radio"  // one of a few, all seen
	tick     look = "checkbox"
	aFile    look = "file"
	longLine      = 200 // letters that a field takes where nothing else is said
)

// A field is one question of a form. Of is its name in the area's problems, where
// that is another than Name.
type field struct {
	Name, Of    string
	Label, Hint string
	Look        look
	Typed       string
	Options     []option
	Needed      bool
	Most        int    // letters
	Mode        string // keyboard of a tablet: numeric, decimal or empty
	Last        string // latest day of a date
	Fault       string
	Focus       bool
}

// An option is one answer of a field.
type option struct {
	ID, Name string
	Chosen   bool
}

// ID is the field's own on a page with several forms.
func (f field) id(form string) string { return form + "-" + f.Name }

// A form is what can be done with one press of a button.
type form struct {
	Slug, Path, Token string
	Title, Lead       string
	Fields            []field
	Hidden            []option // ID is the name, Name what is sent
	Button            string
	Fault             string // of the whole
	Multipart         bool
	Open              bool
}

// A shownField is a field with its ids, as the template wants them.
type shownField struct {
	field
	ID string
}

// Shown lists the fields with ids that no other form of the page has.
func (f form) Shown() []shownField {
	shown := make([]shownField, len(f.Fields))
	for i, one := range f.Fields {
		shown[i] = shownField{one, one.id(f.Slug)}
	}
	return shown
}

// typed puts what was sent back into the form, and words beside each field that
// was refused; what concerns no field stands above them.
func (f *form) refused(c echo.Context, l web.Language, p *problem.Error) {
	f.Open = true
	for i := range f.Fields {
		f.Fields[i].take(c)
	}
	if p == nil {
		return
	}
	var rest []string
	for _, fault := range p.Fields {
		words := l.T(fault.Message, fault.Args...)
		at := slices.IndexFunc(f.Fields, func(one field) bool { return one.Of == fault.Name || one.Of == "" && one.Name == fault.Name })
		if at < 0 {
			rest = append(rest, words)
			continue
		}
		f.Fields[at].Fault = words
	}
	if len(p.Fields) == 0 {
		rest = []string{web.Sentence(l, p)}
	}
	f.Fault = strings.Join(rest, " ")
	f.focus()
}

// focus leads to the first field that was refused.
func (f *form) focus() {
	at := slices.IndexFunc(f.Fields, func(one field) bool { return one.Fault != "" })
	for i := range f.Fields {
		f.Fields[i].Focus = i == at
	}
}

// take reads what was typed into a field; a file must be chosen again.
func (f *field) take(c echo.Context) {
	if f.Look == aFile {
		return
	}
	f.Typed = c.FormValue(f.Name)
	for i := range f.Options {
		f.Options[i].Chosen = f.Options[i].ID == f.Typed
	}
}

// chosen marks the option that stands at first.
func (f field) chosen(id string) field {
	f.Typed = id
	f.Options = slices.Clone(f.Options)
	for i := range f.Options {
		f.Options[i].Chosen = f.Options[i].ID == id
	}
	return f
}

// said is what was typed into a field, without spaces around.
func said(c echo.Context, name string) string {
	return strings.Join(strings.Fields(c.FormValue(name)), " ")
}

// token is what the forms of the session prove themselves with.
func token(c echo.Context) string {
	session, _ := accounts.Who(c)
	return session.FormToken
}

// fault is the problem of one field.
func fault(name, key string, args ...any) error {
	return problem.OfFields([]problem.Field{{Name: name, Message: key, Args: args}})
}
