package resource

import "strings"

// guard stands before a text that a spreadsheet would compute.
const guard = '\''

// A French spreadsheet cuts a line at semicolons, whatever the file's own separator:
// what follows one is a cell to it, as is what follows a tab or the end of a line.
func beginsCell(r rune) bool { return strings.ContainsRune(";\t\r\n", r) }

// A formula begins with one of these; the wide ones are those of East Asian keyboards.
func beginsFormula(r rune) bool { return strings.ContainsRune("=+-@＝＋－＠", r) }

// Spaces and quotation marks before a formula do not keep it from being one.
func skipped(r rune) bool { return strings.ContainsRune(" \"\u00a0\u202f", r) }

// Guarded puts an apostrophe before each part of a text that a spreadsheet would take
// for a formula: at its beginning, and after a semicolon, a tab or the end of a line.
// A tab or an end of a line at the beginning gets one too. What has apostrophes there
// already gets one more, so that [Unguarded] gives the text back.
func Guarded(text string) string {
	made, begin := strings.Builder{}, true
	for i, r := range text {
		if begin && dangerous(text[i:], i == 0) {
			made.WriteRune(guard)
		}
		made.WriteRune(r)
		begin = beginsCell(r)
	}
	return made.String()
}

// Unguarded takes away what [Guarded] put into a text; other texts stay as they are.
func Unguarded(text string) string {
	made, begin := strings.Builder{}, true
	for i, r := range text {
		if begin && r == guard && dangerous(text[i+1:], i == 0) {
			begin = false
			continue
		}
		made.WriteRune(r)
		begin = beginsCell(r)
	}
	return made.String()
}

// dangerous reports whether what begins a cell is a formula behind spaces, quotation
// marks and apostrophes, or, at the beginning of the text, the end of a line or tab.
func dangerous(rest string, first bool) bool {
	rest = strings.TrimLeft(rest, string(guard))
	rest = strings.TrimLeftFunc(rest, skipped)
	for _, r := range rest {
		return beginsFormula(r) || first && (r == '\t' || r == '\r')
	}
	return false
}
