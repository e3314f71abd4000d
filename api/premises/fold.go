package premises

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold writes text without case and accents, for searches and comparisons: the
// store's two databases would each do it in their own way.
func Fold(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			b.WriteRune(unicode.ToLower(rune(c)))
			i++
			continue
		}
		end := i
		for end < len(text) && text[end] >= utf8.RuneSelf {
			end++
		}
		foldSigns(&b, text[i:end])
		i = end
	}
	return b.String()
}

// foldSigns folds what is not ASCII.
func foldSigns(b *strings.Builder, text string) {
	for _, r := range norm.NFD.String(text) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'œ' || r == 'Œ':
			b.WriteString("oe")
		case r == 'æ' || r == 'Æ':
			b.WriteString("ae")
		case r == '’':
			b.WriteByte('\'')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
}

// folded returns the words of a search.
func folded(search string) []string { return strings.Fields(Fold(search)) }

// fits reports whether every word stands in text.
func fits(text string, words []string) bool {
	if len(words) == 0 {
		return true
	}
	text = Fold(text)
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}
