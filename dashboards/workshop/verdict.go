package workshop

import (
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A verdict is the answer of the registration check: in a word, a colour and a
// sign, so that none of the three is needed for it.
type verdict struct {
	Word, Class, Sign string
	Lines             []string
}

// The four answers, and the fifth of who asks about something that is no machine.
func covered(l web.Language, until string) verdict {
	return verdict{Word: l.T("workshop.is_covered", until), Class: "is-covered", Sign: "✓"}
}

func over(l web.Language) verdict {
	return verdict{Word: l.T("workshop.is_over"), Class: "is-over", Sign: "◑"}
}

func unsold(l web.Language) verdict {
	return verdict{Word: l.T("workshop.is_unsold"), Class: "is-unsold", Sign: "○"}
}

func unknown(l web.Language) verdict {
	return verdict{Word: l.T("workshop.is_unknown"), Class: "is-unknown", Sign: "✗"}
}

// verdictOf says it of a machine on a day, with both guarantees.
func verdictOf(l web.Language, state computers.State, sale *computers.Sale, today civil.Date) verdict {
	if sale == nil || !sale.Ended.IsZero() {
		return unsold(l)
	}
	g := sale.Guarantee
	v := over(l)
	if g.Covers(today) {
		v = covered(l, l.Date(g.Until(), civil.Date{}))
	}
	v.Lines = append(v.Lines, l.T("workshop.sold_line", l.Date(sale.SoldOn, today)))
	if !g.Programme.IsZero() {
		v.Lines = append(v.Lines, l.T("workshop.programme_line", l.Date(g.Programme, civil.Date{})))
	}
	if g.Legal.IsZero() {
		return v.and(l.T("workshop.legal_waits"))
	}
	return v.and(l.T("workshop.legal_line", l.Date(g.Legal, civil.Date{})))
}

func (v verdict) and(line string) verdict {
	v.Lines = append(v.Lines, line)
	return v
}
