package metering

import "time"

// A Boundary is the index of a meter at the edge of a period. The index is
// continuous: it goes on over rollovers of the register.
type Boundary struct {
	Meter   MeterID   `json:"meter"`
	At      time.Time `json:"at"`
	Index   Amount    `json:"index"`
	Quality Quality   `json:"quality"`
}

// A Price is what one unit costs from a civil date on. The zero value means
// that no price is known.
type Price struct {
	MicroEUR int64  `json:"price_micro_eur"` // millionths of a euro per Per
	Per      string `json:"per"`             // "kWh" or "m3"
	From     string `json:"from"`            // YYYY-MM-DD
}

// A Part is what one meter counted between two of its boundaries. A period in
// which the meter was replaced has two parts.
type Part struct {
	From Boundary `json:"from"`
	To   Boundary `json:"to"`
}

// Used is the part's consumption in the unit of its meter.
func (p Part) Used() Amount { return p.To.Index - p.From.Index }

// An Explanation answers "Pourquoi ce chiffre ?" for one figure: the indexes it
// is the difference of, their instants and quality, and where the figure is
// money the price. It is the same on screen, in JSON and on paper.
type Explanation struct {
	Kind     Kind    `json:"kind"`
	Unit     Unit    `json:"unit"`
	Parts    []Part  `json:"parts"`
	Used     Amount  `json:"used"`     // the sum of the parts
	Quality  Quality `json:"quality"`  // the worst of the parts
	Coverage float64 `json:"coverage"` // share of the period that readings span, 0 to 1
	Price    *Price  `json:"price,omitempty"`
	// Cost is what it costs, where that is asked for and known; else NoCost says
	// why not. Both are nil where nobody asked.
	Cost   *Cost   `json:"cost,omitempty"`
	NoCost *NoCost `json:"no_cost,omitempty"`
}

// Explain sums parts, which are in order of time and do not overlap, into the
// explanation of the consumption of a meter of kind k during [from, to).
// Without parts the quality is [Missing].
func Explain(k Kind, from, to time.Time, parts []Part) Explanation {
	e := Explanation{Kind: k, Unit: k.IndexUnit(), Parts: parts}
	var spanned time.Duration
	for _, p := range parts {
		e.Used += p.Used()
		e.Quality = e.Quality.Worse(p.From.Quality).Worse(p.To.Quality)
		spanned += p.To.At.Sub(p.From.At)
	}
	if len(parts) == 0 || !to.After(from) {
		e.Quality = Missing
		return e
	}
	e.Coverage = min(1, float64(spanned)/float64(to.Sub(from)))
	return e
}
