package accounts

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/xnetroseraie/xnet/api/problem"
)

// Limits of a password (OWASP ASVS 5, 6.2): characters at least, and bytes at
// most, so that nobody makes us hash a book. Which characters is free.
const (
	shortestPassword = 8
	longestPassword  = 512
)

//go:embed common.txt
var commonText string

// common are words that guessers try first, written as [core] leaves them.
var common = sync.OnceValue(func() map[string]bool {
	words := map[string]bool{}
	for word := range strings.FieldsSeq(commonText) {
		words[core(word)] = true
	}
	return words
})

// unleet undoes what people put for letters.
var unleet = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "8", "b", "@", "a", "$", "s", "!", "i", "€", "e")

// core is what a guesser sees in a password: small letters without accents, with
// neither digits nor signs around them, and letters for what looks like them.
func core(password string) string {
	word := strings.TrimFunc(fold(password), func(r rune) bool { return !unicode.IsLetter(r) })
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, unleet.Replace(word))
}

// CheckPassword returns what is wrong with a new password, as a fault of the
// field: too short, too long, or so common that guessers begin with it. Own are
// words that stand near the person: name, sign-in name, e-mail address.
func CheckPassword(field, password string, own ...string) []problem.Field {
	fault := func(message string, args ...any) []problem.Field {
		return []problem.Field{{Name: field, Message: message, Args: args}}
	}
	switch {
	case password == "":
		return fault("field.missing")
	case utf8.RuneCountInString(password) < shortestPassword:
		return fault("password.too_short", shortestPassword)
	case len(password) > longestPassword:
		return fault("field.too_long", longestPassword)
	case !utf8.ValidString(password) || strings.ContainsFunc(password, unicode.IsControl):
		return fault("field.malformed")
	case isCommon(password, own):
		return fault("password.common")
	}
	return nil
}

func isCommon(password string, own []string) bool {
	c := core(password)
	if common()[c] || common()[half(c)] || isNumber(password, c) || isRun(fold(password)) {
		return true
	}
	for _, word := range strings.FieldsFunc(strings.Join(own, " "), func(r rune) bool { return !unicode.IsLetter(r) }) {
		if w := core(word); utf8.RuneCountInString(w) >= 4 && (c == w || half(c) == w) {
			return true
		}
	}
	return false
}

// isNumber reports whether a short password is a date, a telephone number or a
// run of digits with a letter or two.
func isNumber(password, core string) bool {
	digits := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, password)
	other := len(password) - len(digits)
	return other == 0 && len(digits) < 15 || len(core) < 3 && len(digits) >= 4 && isRun(digits)
}

// half returns the word that text is twice, as in "soleilsoleil", or "".
func half(text string) string {
	if n := len(text) / 2; n > 0 && text[:n] == text[n:] {
		return text[:n]
	}
	return ""
}

// rows are what fingers run along.
var rows = []string{"abcdefghijklmnopqrstuvwxyz", "01234567890", "azertyuiop", "qsdfghjklm", "wxcvbn", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop"}

// isRun reports whether text is one character, a row of keys or the alphabet,
// forwards, backwards or several times over.
func isRun(text string) bool {
	if strings.Count(text, text[:1]) == len(text) {
		return true
	}
	for _, row := range rows {
		for _, way := range []string{row, reversed(row)} {
			if pieces(text, way) <= 1+len(text)/6 {
				return true
			}
		}
	}
	return false
}

// pieces counts into how many stretches of row the text falls; a character that
// is not in the row counts as many.
func pieces(text, row string) int {
	n := 1
	for i := range len(text) {
		at := strings.IndexByte(row, text[i])
		switch {
		case at < 0:
			return len(text)
		case i > 0 && at != strings.IndexByte(row, text[i-1])+1:
			n++
		}
	}
	return n
}

func reversed(text string) string {
	b := []byte(text)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}
