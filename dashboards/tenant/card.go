package tenant

import (
	"time"

	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A card is what a page says of one kind.
type card struct {
	Kind   metering.Kind
	Title  string
	Big    string // the figure; empty where there is none
	Second string // the same in litres
	When   string // the time of the figure
	Mark   string // that the figure is estimated; empty where it is measured
	None   string // why there is no figure
	Lines  []string
	Notes  []string // what the reader should know before believing a figure
	Cost   *cost
	Why    *why
	Chart  *chart
	Fresh  string
	Agree  string // the way to agree to this meter being read; empty where there is none to show
	Change *change
	More   string // link to the kind's own page; empty on it
	MoreOf string // what that link says
	// doubtful says that nobody knows yet whether the meter is this home's, or counts
	// right: its figure compares with nothing.
	doubtful bool
	end      time.Time // of what the figure counts; zero where there is none
	// fresh is what Fresh says, or would say where a note tells that no reading comes
	// any more; freshAt is the time of it, zero where it is empty.
	fresh   string
	freshAt time.Time
}

// chart is the drawing, its key and the table of the same numbers.
type chart struct {
	web.Chart
	Table                                      []row
	Measured, Estimated, Open, Unknown, Before string
	See, DayHead, UsedHead                     string
	EstimatedCount, MissingCount               string // sentences; empty for none
	HasColumn                                  bool   // whether any line of the table has a figure of the year before
	Running                                    string // that the hour that runs is in the figure and not in the table; empty else
}

// A row is a line of the table. Link leads to what explains it; empty for none.
type row struct{ Name, Used, Note, Before, Link string }

// why is the answer to "Pourquoi ce chiffre ?", with the words around it.
type why struct {
	Sentence             string
	From, To, Difference string
	Parts                []whyPart
	Cost                 *whyCost // nil where there is no amount
}

// A whyPart is one meter's two indexes. Reference is what the installer calls the
// meter, for who telephones.
type whyPart struct{ Name, Reference, FromDay, FromIndex, ToDay, ToIndex, Used string }

// A teller says what a home used, in one language.
type teller struct {
	web.Language
	home   consumption.Home
	priced charges.PricedHome
	now    time.Time
	helped bool // the reader is a helper
	// weather is known for homes with a meter of heat, where temperatures are.
	weather consumption.Weather
}

// off says why there is no figure: a helper cannot agree in the home's place.
func (t teller) off() string {
	if t.helped {
		return t.T("helped.off")
	}
	return t.T("home.off")
}

// setOff says that a meter is not read, and how that changes.
func (t teller) setOff(c *card) {
	c.None = t.off()
	if !t.helped {
		c.Lines, c.Agree = []string{t.T("home.off_how")}, t.T("home.off_agree")
	}
}

// setFigure fills the figure of the days [from, to), or what to say instead.
func (t teller) setFigure(c *card, s consumption.Series, from, to civil.Date, when, none string) {
	e := t.priced.Cost(s, from, to)
	if len(e.Parts) == 0 {
		c.None = none
		return
	}
	t.setTotal(c, e, when)
}

// setTotal fills a figure, what it costs and what it is made of.
func (t teller) setTotal(c *card, e metering.Explanation, when string) {
	c.Big, c.Second = t.OfMonth(c.Kind, e.Used)
	c.When, c.Mark = when, t.mark(e.Quality)
	if len(e.Parts) > 0 {
		_, c.end = spanned(e.Parts)
	}
	c.Cost = t.cost(e, when)
	c.Why = t.why(e)
	c.doubtful = doubtful(e)
}

// mark is the word beside a figure that is estimated; empty for one that is measured.
func (t teller) mark(q metering.Quality) string {
	if q == metering.Estimated {
		return t.T("note.estimated")
	}
	return ""
}

// doubtful reports whether an explained figure may be another home's, or wrong.
func doubtful(e metering.Explanation) bool {
	return e.NoCost != nil && (e.NoCost.Reason == metering.NotVerified || e.NoCost.Reason == metering.NotPlausible)
}

func (t teller) why(e metering.Explanation) *why {
	w := &why{Sentence: t.T("why.sentence"), From: t.T("why.from"), To: t.T("why.to"), Difference: t.T("why.used")}
	if e.Quality == metering.Estimated {
		w.Sentence += " " + t.T("why.estimated")
	} else {
		w.Sentence += " " + t.T("why.measured")
	}
	w.Cost = t.whyCost(e)
	for i, p := range e.Parts {
		name := t.T("why.meter_of", t.T("kind."+string(e.Kind)))
		if len(e.Parts) > 1 {
			name = t.T("why.part_of", t.T("kind."+string(e.Kind)), i+1)
		}
		w.Parts = append(w.Parts, whyPart{Name: name, Reference: t.T("why.reference", p.From.Meter),
			FromDay: t.boundary(p.From.At), FromIndex: t.DialExact(e.Kind, p.From.Index),
			ToDay: t.boundary(p.To.At), ToIndex: t.DialExact(e.Kind, p.To.Index), Used: t.DialExact(e.Kind, p.Used())})
	}
	return w
}

func (t teller) boundary(at time.Time) string {
	local := at.In(t.home.Zone)
	return t.Date(civil.DateOf(local), t.home.Today) + ", " + t.Clock(local)
}

// linked gives the address of the page that explains a slot, or nothing.
type linked func(slot) string

func noLink(slot) string { return "" }

// draw makes the chart and the table of slots, or nil where none is known.
func (t teller) draw(k metering.Kind, slots []slot, say words, link linked) *chart {
	var bars []web.Bar
	c := &chart{Measured: t.T("chart.measured"), Estimated: t.T("chart.estimated"), Open: t.T(say.open),
		Unknown: t.T("chart.unknown"), Before: t.T(say.before), See: t.T("chart.table"), UsedHead: t.T("chart.used")}
	if say.measure == euros {
		c.Measured, c.Estimated, c.Unknown = t.T("chart.cost_measured"), t.T("chart.cost_estimated"), t.T("chart.cost_unknown")
		c.UsedHead = t.T("why.cost")
	}
	var top slot
	var known, estimated, missing int
	for _, one := range slots {
		bar := t.bar(k, one, say)
		bars = append(bars, bar)
		if !one.coming || one.beforeKnown { // a line for each bar that can be seen
			c.Table = append(c.Table, t.line(k, one, bar, say, link(one)))
			c.HasColumn = c.HasColumn || one.beforeKnown
		}
		switch {
		case one.known:
			known++
			if known == 1 || one.used > top.used {
				top = one
			}
		case !one.coming:
			missing++
		}
		if one.estimated && !one.partial {
			estimated++
		}
	}
	if known == 0 {
		return nil
	}
	title := t.T(say.title, t.T("kind."+string(k)))
	desc := t.T("chart.desc", slots[0].name, slots[len(slots)-1].name, top.name, t.ofSlot(k, top, say))
	scale := web.Scale{Unit: t.T(say.unit), Number: func(a metering.Amount) string { return t.onScale(k, a, say) }}
	c.Chart = web.NewChart("chart-"+string(k), string(k), title, desc, bars, scale)
	c.DayHead = t.T(say.column)
	c.EstimatedCount, c.MissingCount = t.counted(estimated, say.estimated), t.counted(missing, say.missing)
	return c
}

// counted writes how many there are by the two keys, for one and for several;
// nothing for none.
func (t teller) counted(n int, keys [2]string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return t.T(keys[0])
	default:
		return t.T(keys[1], n)
	}
}

// words are the keys of what a chart says of its slots.
type words struct {
	title, unit, column, open, before string
	estimated, missing                [2]string
	months, hours                     bool
	measure                           measure
}

// byDay are the words for days of a kind, byMonth those for months.
func byDay(k metering.Kind) words {
	w := words{title: "chart.title", unit: "chart.unit.mL", column: "chart.day", open: "chart.open", before: "chart.before",
		estimated: [2]string{"estimated.one", "estimated.several"}, missing: [2]string{"missing.one", "missing.several"}}
	if k.IndexUnit() == metering.WattHour {
		w.unit = "chart.unit.Wh"
	}
	return w
}

// byWeekday are those for days of a week, each of which stands beside the same weekday.
func byWeekday(k metering.Kind) words {
	w := byDay(k)
	w.before = "chart.before_week"
	return w
}

func byMonth(k metering.Kind) words {
	w := words{title: "chart.title_months", unit: "chart.unit.mL_month", column: "chart.month", open: "note.open", before: "chart.before", months: true,
		estimated: [2]string{"estimated.one_month", "estimated.several_months"}, missing: [2]string{"missing.one_month", "missing.several_months"}}
	if k.IndexUnit() == metering.WattHour {
		w.unit = "chart.unit.Wh_month"
	}
	return w
}

// days makes the slots of the days [from, to).
func (t teller) days(s consumption.Series, from, to civil.Date) []slot {
	var all []slot
	for date := from; date.Before(to); date = date.AddDays(1) {
		all = append(all, t.daySlot(s, date))
	}
	return all
}
