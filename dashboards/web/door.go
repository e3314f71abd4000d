package web

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// wordLetters is how many letters a word of a label has at least: "Studio", not
// "A12".
const wordLetters = 3

// Door writes where a dwelling is, as its door does: "Logement 12, bâtiment A,
// escalier 1". A label that begins with a word of its own stands as it is, so
// that nobody reads "Logement Appartement 12". An empty building or staircase is
// left out.
func (l Language) Door(label, building, staircase string) string {
	parts := []string{label}
	if !namesItself(label) {
		parts[0] = l.T("home.place", label)
	}
	if building != "" {
		parts = append(parts, l.T("home.building", building))
	}
	if staircase != "" {
		parts = append(parts, l.T("home.staircase", staircase))
	}
	return strings.Join(parts, ", ")
}

// namesItself reports whether a label begins with a word rather than a number or
// a letter.
func namesItself(label string) bool {
	word, _, _ := strings.Cut(label, " ")
	return utf8.RuneCountInString(word) >= wordLetters &&
		strings.IndexFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && r != '.' }) < 0
}
