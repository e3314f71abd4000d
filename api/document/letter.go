package document

import "fmt"

// A Letter is a page in an envelope with a window: what it says, what holds, and
// whom to call.
type Letter struct {
	Head             // with a recipient
	Opening []string // paragraphs
	Facts   []Fact   // may be none
	Closing []string // paragraphs
	Help    Help
}

// Letters writes letters, a page each. An error is [ErrTooLong].
func Letters(all []Letter) ([]byte, error) {
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: there is none", ErrTooLong)
	}
	p := &paper{sheet: newDocument(all[0].Language, all[0].Title)}
	for i, l := range all {
		if len(l.Sender) > 5 || len(l.Recipient) > 6 {
			return nil, fmt.Errorf("letter %d: %w: its head has %d and %d lines", i+1, ErrTooLong, len(l.Sender), len(l.Recipient))
		}
		p.AddPage()
		p.letter(l)
		if p.PageCount() > i+1 {
			return nil, fmt.Errorf("letter %d: %w", i+1, ErrTooLong)
		}
	}
	return p.bytes()
}

func (p *paper) letter(l Letter) {
	p.head(Invitation{Sender: l.Sender, Recipient: l.Recipient, Date: l.Date})
	p.y = foldAt + 3
	p.paragraph(titleType, bold, l.Title)
	p.skip(2)
	for _, words := range l.Opening {
		p.paragraph(bodyType, "", words)
		p.skip(1.5)
	}
	if len(l.Facts) > 0 {
		p.framed(40, func() { p.facts(l.Facts) })
	}
	for _, words := range l.Closing {
		p.paragraph(bodyType, "", words)
		p.skip(1.5)
	}
	p.help(l.Help)
}
