package document

// A Statement is what the workshop did in a month, for the landlord who pays
// for it (fr. relevé de prestations).
type Statement struct {
	Head
	Lead       string
	Sections   []StatementSection // at least one
	TotalName  string
	Total      string
	Notes      []string
	Signatures []string
	Help       Help
}

// A StatementSection is a part of a statement: a table with what comes before it.
// Where the table is empty, Empty stands in its place.
type StatementSection struct {
	Title string
	Facts []Fact
	Table Table
	Empty string
}

// StatementPages writes a statement, on as many pages as it takes. An error is
// [ErrTooLong].
func StatementPages(s Statement) ([]byte, error) {
	p, err := newPaper(s.Head)
	if err != nil {
		return nil, err
	}
	p.paragraph(paperType, "", s.Lead)
	for i, section := range s.Sections {
		p.heading(section.Title)
		p.facts(section.Facts)
		switch {
		case len(section.Table.Rows) > 0:
			p.table(section.Table)
		case section.Empty != "":
			p.paragraph(paperType, "", section.Empty)
		}
		if i == 0 && s.Total != "" { // of the services, which come first
			p.bought(ReceiptLine{What: s.TotalName, Price: s.Total}, bold)
		}
	}
	p.skip(3)
	for _, words := range s.Notes {
		p.paragraph(smallType, "", words)
	}
	p.signatures(s.Signatures)
	p.help(s.Help)
	return p.finished()
}
