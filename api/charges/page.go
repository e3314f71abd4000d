package charges

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/document"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Letterhead is who sends notes and who answers for them.
type Letterhead struct {
	Sender    []string // at most 5 lines
	Advisor   string   // the human whom a household calls
	Telephone string
}

// Page writes a note as one A4 page in a language, to be folded into an envelope;
// to is the name on it, empty where the door alone is. An error is
// [document.ErrTooLong], or a fault of the catalogue.
func (n Note) Page(language, to string, head Letterhead, today civil.Date) ([]byte, error) {
	d, err := n.Sheet(language, to, head, today)
	if err != nil {
		return nil, err
	}
	return document.NotePage(d)
}

// Sheet is what [Note.Page] says, before it is laid out. An error is a fault of the
// catalogue.
func (n Note) Sheet(language, to string, head Letterhead, today civil.Date) (document.Note, error) {
	w, err := Words(language)
	if err != nil {
		return document.Note{}, err
	}
	d := document.Note{Language: w.language, Sender: head.Sender, Recipient: n.Place.lines(w, to), Date: w.date(today),
		Title: w.say("title_month", w.month(n.From.MonthOf())), Lead: w.say("lead"), Notes: n.small(w),
		HelpHead: w.say("help", head.Advisor), Telephone: head.Telephone,
		Contacts: []string{w.say("contact_energy"), w.say("contact_dispute")}}
	if n.Yearly {
		d.Title = w.say("title_year", strconv.Itoa(n.From.Year))
	}
	for _, k := range n.Kinds {
		d.Kinds = append(d.Kinds, k.section(w, n.Yearly))
	}
	return d, nil
}

// lines are the address.
func (p Place) lines(w Wording, to string) []string {
	var door []string
	for _, part := range []struct{ key, text string }{{"building", p.Building}, {"staircase", p.Staircase}, {"dwelling", p.Label}} {
		if part.text != "" {
			door = append(door, w.say(part.key, part.text))
		}
	}
	all := []string{to, strings.Join(door, ", "), p.Residence, p.Street, strings.TrimSpace(p.Postcode + " " + p.Town)}
	return slices.DeleteFunc(all, func(line string) bool { return line == "" })
}

func (k NoteKind) section(w Wording, yearly bool) document.NoteSection {
	s := document.NoteSection{Title: w.say("kind." + string(k.Kind)), Figure: w.figure(k.Period), Key: [2]string{w.say("key_before"), w.say("key_now")}}
	s.Lines = append(s.Lines, w.doubts(k.Period)...)
	if k.Period.Quality == metering.Missing {
		return s
	}
	if shared(k.Period) {
		s.Lines = append(s.Lines, w.say("shared"))
	}
	if !yearly {
		s.Lines = append(s.Lines, w.since(k))
	}
	for _, doubt := range w.doubts(k.SinceJanuary) {
		if !yearly && !slices.Contains(s.Lines, doubt) {
			s.Lines = append(s.Lines, doubt)
		}
	}
	s.Lines = append(s.Lines, w.beside(k, yearly)...)
	s.Bars, s.Top = w.bars(k)
	for i, unread := range []func(document.NoteBar) bool{
		func(b document.NoteBar) bool { return b.Before < 0 }, func(b document.NoteBar) bool { return b.Now < 0 }} {
		if slices.ContainsFunc(s.Bars, unread) {
			s.Key[i] += " " + w.say("key_cross")
		}
	}
	return s
}

// since is what was used this calendar year, from the day on from which it is known.
func (w Wording) since(k NoteKind) string {
	if k.Since.IsZero() || k.Since.Month == time.January && k.Since.Day == 1 {
		return w.say("january", w.figure(k.SinceJanuary))
	}
	return w.say("since", w.date(k.Since), w.figure(k.SinceJanuary))
}

// shared reports whether a part of the price does not follow the meter.
func shared(e metering.Explanation) bool {
	return e.Cost != nil && slices.ContainsFunc(e.Cost.Lines, func(l metering.CostLine) bool { return l.SharePercent < wholePercent })
}

// figure is what was used and what it costs, where that is known.
func (w Wording) figure(e metering.Explanation) string {
	if e.Quality == metering.Missing {
		return w.say("none")
	}
	text := w.used(e.Kind, e.Used)
	if e.Cost == nil {
		return text
	}
	charged, supplied := e.Cost.ChargesCents, e.Cost.SupplierCents
	switch {
	case charged > 0 && supplied > 0:
		return text + ", " + w.say("charges", w.euros(charged)) + ", " + w.say("supplier", w.euros(supplied))
	case supplied > 0:
		return text + ", " + w.say("supplier", w.euros(supplied))
	case shared(e):
		return text + ", " + w.say("about_shared", w.euros(charged))
	default:
		return text + ", " + w.say("about", w.euros(charged))
	}
}

// doubts are what a reader should know before believing a figure.
func (w Wording) doubts(e metering.Explanation) (lines []string) {
	const whole = 0.995
	if e.NoCost != nil && e.NoCost.Reason != metering.NoReading { // the figure says that already
		lines = append(lines, w.say("reason."+string(e.NoCost.Reason)))
	}
	if e.Quality == metering.Estimated {
		lines = append(lines, w.say("estimated"))
	}
	if e.Quality != metering.Missing && e.Coverage < whole {
		lines = append(lines, w.say("partial"))
	}
	return lines
}

// beside is what the figure is compared with.
func (w Wording) beside(k NoteKind, yearly bool) (lines []string) {
	switch c := k.LastYear; {
	case c.Refused != "":
		lines = append(lines, w.say("refused."+string(c.Refused)))
	case c.Trend == consumption.AsUsual:
		lines = append(lines, w.say("as_usual"))
	default:
		lines = append(lines, w.say(string(c.Trend), w.percent(c.Percent)))
	}
	if k.LastYear.Corrected {
		lines[0] += " " + w.say("as_cold")
	}
	if k.Similar != nil && k.Own != nil {
		lines = append(lines, w.neighbours(k, yearly))
	}
	return lines
}

// neighbours sets the home beside similar ones; of a year its last month, which is
// named.
func (w Wording) neighbours(k NoteKind, yearly bool) string {
	key, args := "per_person", []any{k.People}
	if k.Similar.Measure == consumption.PerM2 {
		key, args = "per_m2", nil
	}
	if yearly {
		key, args = "month."+key, append([]any{w.month(k.Similar.Month)}, args...)
	}
	return w.say(key, append(args, w.used(k.Kind, *k.Own), w.used(k.Kind, k.Similar.Used))...)
}

// bars scales the graph by its highest bar; none where no month is known.
func (w Wording) bars(k NoteKind) (bars []document.NoteBar, top string) {
	var highest metering.Amount
	for _, b := range k.Bars {
		for _, used := range []*metering.Amount{b.Used, b.LastYear} {
			if used != nil && *used > highest {
				highest = *used
			}
		}
	}
	if highest == 0 {
		return nil, ""
	}
	share := func(used *metering.Amount) float64 {
		if used == nil {
			return -1
		}
		return float64(*used) / float64(highest)
	}
	for _, b := range k.Bars {
		bars = append(bars, document.NoteBar{Label: w.initial(b.Month), Before: share(b.LastYear), Now: share(b.Used)})
	}
	return bars, w.say("top", w.used(k.Kind, highest))
}

// small is the small print: prices, how it is compared, and what a note is not.
func (n Note) small(w Wording) []string {
	var lines []string
	homes, shares := 0, map[int]bool{}
	for _, k := range n.Kinds {
		lines = append(lines, w.prices(k, shares)...)
		if k.Similar != nil {
			homes = max(homes, 10)
		}
	}
	if homes > 0 {
		lines = append(lines, w.say("similar", strconv.Itoa(homes)))
	}
	return append(lines, w.say("estimate"))
}

// prices are the last of the period, each with its date. What a share means is said
// once: told keeps which were.
func (w Wording) prices(k NoteKind, told map[int]bool) (lines []string) {
	cost := k.Period.Cost
	if cost == nil || len(cost.Lines) == 0 {
		return nil
	}
	last := cost.Lines[len(cost.Lines)-1]
	for _, l := range cost.Lines {
		if l.From != last.From {
			continue
		}
		since := l.Price.From
		if d, err := civil.ParseDate(since); err == nil {
			since = w.date(d)
		}
		text := w.say("price", w.say("kind."+string(k.Kind)), w.price(l.Price), since)
		if l.Of == metering.CostOfHeat {
			text = w.say("price_heat", w.price(l.Price), since, w.used(metering.Heat, metering.Amount(l.WhPerM3)))
		}
		if l.SharePercent < 100 && !told[l.SharePercent] {
			told[l.SharePercent] = true
			text += " " + w.say("share", w.percent(l.SharePercent))
		}
		lines = append(lines, text)
	}
	return lines
}
