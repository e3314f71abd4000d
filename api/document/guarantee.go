package document

import (
	"errors"
	"strconv"
)

// ErrMention is a sheet of a sale that does not say what the law guarantees.
var ErrMention = errors.New("the legal mention of the guarantee is missing")

// A GuaranteeSheet says to who has bought a machine until when it is repaired
// free of charge, and how to ask for that. Both guarantees stand on it, and the
// later end first.
type GuaranteeSheet struct {
	Head
	UntilHead     string
	Until         string // the later of the two ends, large
	Machine       []Fact
	GuaranteeHead string
	Guarantees    []Guarantee // of the programme and of the law: at least the latter
	RepairsHead   string
	Repairs       []string // what was repaired, and what that did to the end
	HowHead       string
	How           []string // steps
	Mention       []string // what the law says of it
	Signatures    []string
	Help          Help
}

// A Guarantee is one of those that a machine has.
type Guarantee struct {
	Name        string
	Start, End  string
	Explanation string
}

// GuaranteePage writes the sheet. An error is [ErrMention] where it names no
// guarantee or no mention, or [ErrTooLong].
func GuaranteePage(g GuaranteeSheet) ([]byte, error) {
	if len(g.Guarantees) == 0 || len(g.Mention) == 0 {
		return nil, ErrMention
	}
	p, err := newPaper(g.Head)
	if err != nil {
		return nil, err
	}
	p.framed(22, func() {
		p.paragraph(paperType+1, "", g.UntilHead)
		p.paragraph(figureType, bold, g.Until)
	})
	p.facts(g.Machine)
	p.heading(g.GuaranteeHead)
	for _, one := range g.Guarantees {
		p.facts([]Fact{{one.Name, one.Start + " " + one.End}})
		p.column(margin+factColumn, most-factColumn, smallType, "", one.Explanation)
		p.skip(1.5)
	}
	if len(g.Repairs) > 0 {
		p.heading(g.RepairsHead)
		for _, words := range g.Repairs {
			p.paragraph(paperType, "", words)
		}
	}
	p.heading(g.HowHead)
	p.numbered(g.How)
	p.skip(2)
	for _, words := range g.Mention {
		p.paragraph(smallType, "", words)
	}
	p.signatures(g.Signatures)
	p.help(g.Help)
	return p.finished()
}

// numbered sets steps.
func (p *paper) numbered(steps []string) {
	for i, words := range steps {
		p.room(2 * paperType * pointMM * paperLead)
		top := p.y
		p.column(margin, indent, paperType, bold, strconv.Itoa(i+1)+".")
		p.y = top
		p.column(margin+indent, most-indent, paperType, "", words)
	}
}
