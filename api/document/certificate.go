package document

import "fmt"

// A Certificate says that a person followed a training. It is one page, made to
// be kept and shown.
type Certificate struct {
	Head                // without a recipient
	Opening    string   // before the name
	Name       string   // large
	Sentence   string   // what the person did
	Themes     []string // of the course, at most 8
	ThemesHead string
	Facts      []Fact // when, where, how long
	Signatures []string
}

const nameType = 26.0

// CertificatePage writes a certificate. An error is [ErrTooLong] where it does
// not fit on one page.
func CertificatePage(c Certificate) ([]byte, error) {
	if len(c.Recipient) > 0 || len(c.Themes) > 8 {
		return nil, ErrTooLong
	}
	p, err := newPaper(Head{Language: c.Language, Sender: c.Sender, Date: c.Date, Title: c.Title, Number: c.Number})
	if err != nil {
		return nil, err
	}
	p.SetDrawColor(0, 0, 0)
	p.SetLineWidth(1)
	p.Rect(10, 10, paperWidth-20, paperHeight-20, "D")
	p.skip(12)
	p.paragraph(bodyType, "", c.Opening)
	p.skip(4)
	p.fit(margin, p.y+nameType*pointMM, most, nameType, text, bold, c.Name)
	p.skip(nameType*pointMM*paperLead + 4)
	p.paragraph(bodyType, "", c.Sentence)
	p.skip(4)
	p.facts(c.Facts)
	if len(c.Themes) > 0 {
		p.heading(c.ThemesHead)
		for _, words := range c.Themes {
			p.column(margin+indent, most-indent, bodyType-1, "", "– "+words)
		}
	}
	p.skip(6)
	p.signatures(c.Signatures)
	if n := p.PageCount(); n > 1 {
		return nil, fmt.Errorf("%w: a certificate of %d pages", ErrTooLong, n)
	}
	return p.finished()
}
