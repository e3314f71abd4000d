package tenant

import (
	"math"
	"time"

	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// bringTo brings what was used before to as cold days as those of [from, to), where
// the temperatures of both are known; ago is the first of the days before, which
// are as many. Rooms need heat by degree-days, base 18 °C.
func (t teller) bringTo(p *pair, from, to, ago civil.Date) {
	ratio, ok := t.weather.Ratio(from, to, ago, ago.AddDays(daysBetween(from, to)))
	if !ok {
		return
	}
	p.before, p.colder, p.corrected = metering.Amount(math.Round(float64(p.before)*ratio)), ratio-1, true
}

// weather says what the cold has to do with a comparison of heat.
func (p pair) weather(l web.Language) string {
	percent := int(math.Round(100 * math.Abs(p.colder)))
	switch {
	case !p.corrected:
		return l.T("change.weather")
	case percent == 0:
		return l.T("change.as_cold")
	case p.colder > 0:
		return l.T("change.colder", percent)
	default:
		return l.T("change.milder", percent)
	}
}

func daysBetween(from, to civil.Date) int {
	return int(to.Start(time.UTC).Sub(from.Start(time.UTC)) / (24 * time.Hour))
}

// yearBefore is the same date a year earlier; of 29 February it is 1 March.
func yearBefore(d civil.Date) civil.Date {
	d.Year--
	return d.AddDays(0)
}
