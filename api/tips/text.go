package tips

import (
	"regexp"
	"strings"
)

// A Text is the same words in each language. Numbers stand in it by the name of
// a figure, as in "{watts} W"; see [Finding.Fill].
type Text struct {
	French  string `yaml:"fr"`
	English string `yaml:"en"`
}

// IsZero reports whether the text says nothing.
func (t Text) IsZero() bool { return t == Text{} }

// Fill puts figures into a text of the catalogue: say is asked for the words of
// each figure that stands in braces. A figure that is not among the finding's is
// left as it stands; the catalogue's loader refuses such a text.
func (f Finding) Fill(text string, say func(name string, number float64) string) string {
	var filled strings.Builder
	for {
		before, rest, open := strings.Cut(text, "{")
		name, after, closed := strings.Cut(rest, "}")
		filled.WriteString(before)
		if !open {
			return filled.String()
		}
		number, known := f.Figures[name]
		if !closed || !known {
			filled.WriteString("{" + rest)
			return filled.String()
		}
		filled.WriteString(say(name, number))
		text = after
	}
}

// placeholders are the figures that a text names.
func placeholders(text string) []string {
	var names []string
	for {
		_, rest, open := strings.Cut(text, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !open || !closed {
			return names
		}
		names, text = append(names, name), after
	}
}

// noBreak is a space at which a line does not end.
const noBreak = "\u00a0"

var (
	// french is where French sets a sign apart from its word.
	french = strings.NewReplacer(" ;", noBreak+";", " :", noBreak+":", " !", noBreak+"!", " ?", noBreak+"?",
		" %", noBreak+"%", "« ", "«"+noBreak, " »", noBreak+"»")
	// counted is a number, or a figure's name, before what it counts.
	counted = regexp.MustCompile(`([0-9}]) ([\p{L}°€%])`)
)

// bind keeps each sign with its word and each number with its unit, so that no
// line begins with one. The catalogue is written with plain spaces.
func (t Text) bind() Text {
	return Text{French: bindFrench(t.French), English: counted.ReplaceAllString(t.English, "$1"+noBreak+"$2")}
}

func bindFrench(words string) string {
	return counted.ReplaceAllString(french.Replace(words), "$1"+noBreak+"$2")
}

// mostWords is how many words a sentence of the catalogue may have: more are
// hard to read for many.
const mostWords = 15

// longSentence returns a sentence of more words than that, or "".
func longSentence(text string) string {
	for _, sentence := range strings.FieldsFunc(text, func(r rune) bool { return r == '.' || r == '!' || r == '?' }) {
		words := 0
		for _, word := range strings.Fields(sentence) {
			if strings.ContainsFunc(word, func(r rune) bool { return r > ';' || r >= '0' && r <= '9' }) { // not a sign alone
				words++
			}
		}
		if words > mostWords {
			return strings.TrimSpace(sentence)
		}
	}
	return ""
}
