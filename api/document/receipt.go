package document

// A Receipt is what who buys a machine is given. The mention of the legal
// guarantee is not left to the writer's choice: a receipt without one is refused
// (décret 2021-609: for computers its existence and its length stand on the
// receipt since 1 July 2021).
type Receipt struct {
	Head
	Lines         []ReceiptLine
	Total         ReceiptLine
	Paid          string // when and how
	GuaranteeHead string
	Guarantee     []string // the legal mention, and what the programme adds
	Signatures    []string // who signs; none for a receipt that is not signed
	Notes         []string
	Help          Help
}

// A ReceiptLine is something bought: what, what tells it from others, and its
// price as it is read.
type ReceiptLine struct {
	What    string
	Details []string
	Price   string
}

const priceWide = 34.0

// ReceiptPage writes a receipt. An error is [ErrMention] or [ErrTooLong].
func ReceiptPage(r Receipt) ([]byte, error) {
	if len(r.Guarantee) == 0 || r.GuaranteeHead == "" {
		return nil, ErrMention
	}
	p, err := newPaper(r.Head)
	if err != nil {
		return nil, err
	}
	for _, line := range r.Lines {
		p.bought(line, "")
	}
	p.bought(r.Total, bold)
	p.skip(1)
	p.paragraph(paperType, "", r.Paid)
	p.framed(40, func() {
		p.paragraph(paperType+1.5, bold, r.GuaranteeHead)
		for _, words := range r.Guarantee {
			p.skip(1)
			p.paragraph(paperType, "", words)
		}
	})
	for _, words := range r.Notes {
		p.paragraph(smallType, "", words)
	}
	p.signatures(r.Signatures)
	p.help(r.Help)
	return p.finished()
}

// bought sets a line with its price at the right edge.
func (p *paper) bought(line ReceiptLine, style string) {
	p.skip(1.5)
	p.room(14)
	p.SetDrawColor(120, 120, 120)
	p.SetLineWidth(0.2)
	p.Line(margin, p.y, paperWidth-margin, p.y)
	p.skip(1)
	p.SetFont(text, bold, paperType+1)
	price := printable(line.Price)
	baseline := p.y + (paperType+1)*pointMM*paperLead*0.75
	p.Text(paperWidth-margin-p.GetStringWidth(price), baseline, price)
	p.column(margin, most-priceWide, paperType+1, style, line.What)
	for _, words := range line.Details {
		p.column(margin, most-priceWide, smallType, "", words)
	}
}
