package document

import "strconv"

// An AttendanceSheet is signed by those who come to a session (fr. feuille
// d'émargement). It names people and nothing else of them.
type AttendanceSheet struct {
	Head
	Session    []Fact
	NameColumn string
	SignColumn string
	NoteColumn string
	Names      []string // of those enrolled, in the order of the sheet
	Spare      int      // free lines for who comes without, at most 40
	Notes      []string
	Signatures []string // of who gives the session
}

const mostSpare = 40

// AttendancePages writes the sheet, on as many pages as names take. An error is
// [ErrTooLong].
func AttendancePages(a AttendanceSheet) ([]byte, error) {
	if a.Spare < 0 || a.Spare > mostSpare {
		return nil, ErrTooLong
	}
	p, err := newPaper(a.Head)
	if err != nil {
		return nil, err
	}
	p.facts(a.Session)
	p.skip(2)
	t := Table{Tall: 12, Columns: []Column{{Name: "", Wide: 8, Right: true}, {Name: a.NameColumn, Wide: 70}, {Name: a.SignColumn, Wide: 62}, {Name: a.NoteColumn, Wide: 30}}}
	for i, name := range a.Names {
		t.Rows = append(t.Rows, []string{strconv.Itoa(i + 1), name, "", ""})
	}
	for i := range a.Spare {
		t.Rows = append(t.Rows, []string{strconv.Itoa(len(a.Names) + i + 1), "", "", ""})
	}
	p.table(t)
	for _, words := range a.Notes {
		p.paragraph(smallType, "", words)
	}
	p.signatures(a.Signatures)
	return p.finished()
}
