package computers

import (
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
)

// Months of the legal guarantee of conformity, which a seller owes on used goods
// as on new ones from the day of handover (code de la consommation, L.217-3), and
// by how many a repair under it prolongs it (L.217-13).
const (
	legalMonths  = 24
	repairMonths = 6
)

// A Guarantee is how long a machine is covered. Dates are last days: a guarantee
// of a day of March ends with the same day of another year.
type Guarantee struct {
	// Programme and Legal are the last days of each; zero where there is none, or
	// none yet: the legal one runs from handover.
	Programme, Legal civil.Date
	Repairs          int // under the legal guarantee, of six months each
}

// Until is the last day that is covered: the later of the two. Zero for none.
func (g Guarantee) Until() civil.Date {
	if g.Programme.Before(g.Legal) || g.Programme.IsZero() {
		return g.Legal
	}
	return g.Programme
}

// Covers reports whether something asked for on a day is covered.
func (g Guarantee) Covers(on civil.Date) bool {
	until := g.Until()
	return !until.IsZero() && !until.Before(on)
}

// CoverOn says by which guarantee a repair that is asked for on a day is owed: the
// legal one where it holds, because it gives more.
func (g Guarantee) CoverOn(on civil.Date) Cover {
	switch {
	case !g.Legal.IsZero() && !g.Legal.Before(on):
		return ByLaw
	case !g.Programme.IsZero() && !g.Programme.Before(on):
		return ByProgramme
	}
	return NotCovered
}

// GuaranteeOf works out the guarantee from the day of purchase, so many months of
// the programme, the day of handover, zero where it has not been, and the repairs
// under the legal guarantee.
func GuaranteeOf(sold civil.Date, programmeMonths int, handed civil.Date, repairs int) Guarantee {
	g := Guarantee{Repairs: repairs}
	if programmeMonths > 0 {
		g.Programme = addMonths(sold, programmeMonths)
	}
	if !handed.IsZero() {
		g.Legal = addMonths(handed, legalMonths+repairMonths*repairs)
	}
	return g
}

// addMonths returns the day with the same number, or the last of a month that has
// no such day (code de procédure civile, 641). Months are counted from the first
// day at once: from 29 February, 24 months end on the 28th, 30 on a 29th.
func addMonths(from civil.Date, months int) civil.Date {
	m := civil.DateOf(time.Date(from.Year, from.Month+time.Month(months), 1, 0, 0, 0, 0, time.UTC)).MonthOf()
	return civil.Date{Year: m.Year, Month: m.Month, Day: min(from.Day, m.Days())}
}
