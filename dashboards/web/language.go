package web

import (
	"fmt"
	"io/fs"
	"maps"

	"github.com/goccy/go-yaml"
	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
)

// A Language translates keys of the catalogue and writes numbers, dates and
// times. Its zero value knows no word.
type Language struct {
	code   string
	texts  map[string]string
	format format
}

var (
	french    = mustLanguage("fr", frenchFormat)
	english   = mustLanguage("en", englishFormat)
	languages = []Language{french, english}
)

// mustLanguage joins the files of a language, one for each part of the pages. A
// key that stands in two of them is a mistake.
func mustLanguage(code string, f format) Language {
	l := Language{code: code, texts: map[string]string{}, format: f}
	names, err := fs.Glob(files, "language/"+code+"/*.yaml")
	if err != nil || len(names) == 0 {
		panic(fmt.Sprintf("language %s: no files, %v", code, err))
	}
	for _, name := range names {
		if err := l.read(name); err != nil {
			panic(err)
		}
	}
	return l
}

func (l Language) read(name string) error {
	text, err := files.ReadFile(name)
	if err != nil {
		return err
	}
	texts := map[string]string{}
	if err := yaml.UnmarshalWithOptions(text, &texts, yaml.Strict()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for key := range texts {
		if _, twice := l.texts[key]; twice {
			return fmt.Errorf("%s: %s stands in another file too", name, key)
		}
	}
	if l.format.spaced != nil {
		for key, text := range texts {
			texts[key] = l.format.spaced.Replace(text)
		}
	}
	maps.Copy(l.texts, texts)
	return nil
}

// French is the language shown to who has not chosen.
func French() Language { return french }

// ParseLanguage returns the language of that code, or false.
func ParseLanguage(code string) (Language, bool) {
	for _, l := range languages {
		if l.code == code {
			return l, true
		}
	}
	return Language{}, false
}

// LanguageOf returns what the sender chose, else the person's own, else French.
func LanguageOf(c echo.Context) Language {
	if cookie, err := c.Cookie(languageCookie); err == nil {
		if l, ok := ParseLanguage(cookie.Value); ok {
			return l
		}
	}
	if session, ok := accounts.Who(c); ok {
		if l, ok := ParseLanguage(session.Person.Language); ok {
			return l
		}
	}
	return french
}

// Code is the language's code, as in "fr".
func (l Language) Code() string { return l.code }

// Keys lists the catalogue's keys, in no order.
func (l Language) Keys() []string {
	keys := make([]string, 0, len(l.texts))
	for key := range l.texts {
		keys = append(keys, key)
	}
	return keys
}

// T returns the text of a key with args in the places of its verbs. A key that
// is not in the catalogue is returned as it is; a test finds it.
func (l Language) T(key string, args ...any) string {
	text, ok := l.texts[key]
	switch {
	case !ok:
		return key
	case len(args) == 0:
		return text
	default:
		return fmt.Sprintf(text, args...)
	}
}
