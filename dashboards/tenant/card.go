package tenant

import (
	"time"

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
	None   string // why there is no figure
	Lines  []string
	Notes  []string // what the reader should know before believing a figure
	Why    *why
	Chart  *chart
	Fresh  string
	Agree  string // the way to agree to this meter being read; empty where there is none to show
}

// chart is the drawing, its key and the table of the same numbers.
type chart struct {
	web.Chart
	Table                                  []row
	Measured, Estimated, Open, Unknown     string
	See, DayHead, UsedHead, EstimatedCount string
}

type row struct{ Name, Used, Note string }

// why is the answer to "Pourquoi ce chiffre ?".
type why struct {
	Parts     []whyPart
	Estimated bool
}

type whyPart struct{ Meter, FromDay, FromIndex, ToDay, ToIndex, Used string }

// A teller says what a home used, in one language.
type teller struct {
	web.Language
	home   consumption.Home
	now    time.Time
	helped bool // the reader is a helper
}

// off says why there is no figure: a helper cannot agree in the home's place.
func (t teller) off() string {
	if t.helped {
		return t.T("helped.off")
	}
	return t.T("home.off")
}

// setFigure fills the month's figure, or what to say instead.
func (t teller) setFigure(c *card, m consumption.Month, ok bool, when, none string) {
	if !ok {
		c.None = none
		return
	}
	c.Big, c.Second = t.OfMonth(c.Kind, m.Why.Used)
	c.When = when
	c.Why = t.why(m.Why)
}

func (t teller) why(e metering.Explanation) *why {
	w := &why{Estimated: e.Quality == metering.Estimated}
	for _, p := range e.Parts {
		w.Parts = append(w.Parts, whyPart{Meter: string(p.From.Meter),
			FromDay: t.boundary(p.From.At), FromIndex: t.Dial(e.Kind, p.From.Index),
			ToDay: t.boundary(p.To.At), ToIndex: t.Dial(e.Kind, p.To.Index), Used: t.Dial(e.Kind, p.Used())})
	}
	return w
}

func (t teller) boundary(at time.Time) string {
	local := at.In(t.home.Zone)
	return t.Date(civil.DateOf(local), t.home.Today) + ", " + local.Format("15:04")
}

// note is the word beside a day's figure, empty for a measured whole day.
func (t teller) note(d consumption.Day) string {
	switch {
	case d.Open:
		return t.T("note.open")
	case d.Quality == metering.Estimated:
		return t.T("note.estimated")
	case d.Coverage < wholeDay:
		return t.T("note.partial")
	default:
		return ""
	}
}

// wholeDay is the coverage from which a day counts as whole.
const wholeDay = 0.98

// draw makes the chart of the days [from, to), or nil where none is known.
func (t teller) draw(s consumption.Series, from, to civil.Date) *chart {
	var bars []web.Bar
	var table []row
	var top consumption.Day
	known, estimated := 0, 0
	for date := from; date.Before(to); date = date.AddDays(1) {
		day, ok := s.Day(date)
		bar := web.Bar{Label: t.Number(float64(date.Day), 0), Name: t.Day(date), Known: ok, Written: t.T("chart.unknown")}
		if ok {
			known++
			bar.Used, bar.Open, bar.Written, bar.Note = day.Used, day.Open, t.OfDay(s.Kind, day.Used), t.note(day)
			bar.Estimated = !day.Open && bar.Note != ""
			if day.Quality == metering.Estimated && !day.Open {
				estimated++
			}
			if top.Date.IsZero() || day.Used > top.Used {
				top = day
			}
		}
		bars = append(bars, bar)
		table = append(table, row{bar.Name, bar.Written, bar.Note})
	}
	if known == 0 {
		return nil
	}
	title := t.T("chart.title", t.T("kind."+string(s.Kind)))
	desc := t.T("chart.desc", t.DayOfMonth(from), t.DayOfMonth(to.AddDays(-1)), t.Day(top.Date), t.OfDay(s.Kind, top.Used))
	scale := web.Scale{Unit: t.T("chart.unit." + string(s.Kind.IndexUnit())), Number: func(a metering.Amount) string { return t.OnScale(s.Kind, a) }}
	c := &chart{Chart: web.NewChart("chart-"+string(s.Kind), string(s.Kind), title, desc, bars, scale), Table: table,
		Measured: t.T("chart.measured"), Estimated: t.T("chart.estimated"), Open: t.T("chart.open"), Unknown: t.T("chart.unknown"),
		See: t.T("chart.table"), DayHead: t.T("chart.day"), UsedHead: t.T("chart.used")}
	switch {
	case estimated == 1:
		c.EstimatedCount = t.T("estimated.one")
	case estimated > 1:
		c.EstimatedCount = t.T("estimated.several", estimated)
	}
	return c
}
