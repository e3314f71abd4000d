package tenant

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A caseCard is one case as a person reads it.
type caseCard struct {
	ID, Form, Token string
	Version         int64
	Water, Cold     bool // what it is about
	Over, Urgent    bool
	Title           string
	Lines           []string // what was seen, since when, how much
	Euros           []string // what it costs, a line for each bill, from the least to the most
	NoEuros         string
	State           string // what was said and done since
	Steps           []step // what to do now, with pictures
	Because         *caseWhy
	Answers         []caseAnswer
	Call            *call
	See, SeeOf      string // link to all of it
}

// A step is something to do, with its picture.
type step struct{ Picture, Title, Line string }

// A caseAnswer is one button.
type caseAnswer struct {
	Said  alerts.Said
	Words string
}

// A caseWhy says how a case was found.
type caseWhy struct {
	Title string
	Lines []string
	Index *why // the indexes of the quietest time; nil where they never left the flat
}

// A storyteller writes cases in one language.
type storyteller struct {
	teller
	prices prices
}

// card writes a case; act says that the reader may answer.
func (s storyteller) card(k alerts.Kept, act bool) caseCard {
	c := caseCard{ID: string(k.ID), Version: k.Version, Over: k.State.Over(), Water: k.Cause.Subject == alerts.Water, Cold: k.Cause.Subject == alerts.Cold}
	c.State = s.state(k)
	switch k.Cause.Subject {
	case alerts.Water:
		s.water(&c, k)
	case alerts.Cold:
		c.Title = s.T("mycases.cold")
		c.Lines = []string{s.T("mycases.cold_seen", s.Number(float64(k.Finding.MilliCelsius)/1000, 1), s.day(k.Finding.Since.Latest)), s.T("mycases.cold_health"), s.T("mycases.cold_call")}
	default:
		c.Title = s.T("mycases.silent")
		c.Lines = []string{s.T("mycases.silent_seen", s.day(k.Finding.Since.Latest)), s.T("mycases.silent_rest")}
	}
	if act && c.Water {
		c.Answers = s.answers(k.State)
	}
	return c
}

func (t teller) day(at time.Time) string { return t.Date(civil.DateIn(at, t.home.Zone), t.home.Today) }

// water tells of a leak: what was seen, since when, how much, what to do.
func (s storyteller) water(c *caseCard, k alerts.Kept) {
	f := k.Finding
	c.Urgent = f.Class.Urgent() && !c.Over
	c.Title = s.T("mycases.water")
	switch {
	case c.Over:
		c.Title = s.T("mycases.water_over")
	case c.Urgent:
		c.Title = s.T("mycases.burst")
	}
	c.Lines = append(c.Lines, s.T("mycases.seen", s.kindOf(f.Why.Kind), s.perHour(f.Flow)), s.since(f.Since))
	end := s.now
	if c.Over {
		end = k.Steps[len(k.Steps)-1].At
	}
	least, most := f.Lost(end)
	c.Lines = append(c.Lines, s.lost(f.Why.Kind, least, most))
	c.Euros, c.NoEuros = s.worth(f.Why.Kind, least, most)
	if !c.Over {
		c.Lines = append(c.Lines, s.likely(f.Class))
		c.Steps = s.steps(c.Urgent)
	}
	c.Because = s.because(f)
}

func (t teller) kindOf(k metering.Kind) string {
	if k == metering.HotWater {
		return t.T("mycases.hot")
	}
	return t.T("mycases.cold_water")
}

// perHour writes a flow as a range of litres, as in "entre 22 et 26 litres".
func (s storyteller) perHour(f alerts.Flow) string { return s.litresBetween(f.Low, f.High) }

func (s storyteller) litresBetween(low, high metering.Amount) string {
	whole := func(ml metering.Amount) float64 { return math.Round(float64(ml) / 1000) }
	if whole(low) >= whole(high) {
		return s.T("mycases.about", s.WholeLitres(whole(high)))
	}
	return s.T("mycases.between", s.Number(whole(low), 0), s.WholeLitres(whole(high)))
}

// since says when it began, as far as anybody can tell.
func (s storyteller) since(since alerts.Since) string {
	last := s.day(since.Latest)
	if since.Earliest.IsZero() {
		return s.T("mycases.since_before", last)
	}
	if first := s.day(since.Earliest); first != last {
		return s.T("mycases.since_between", first, last)
	}
	return s.T("mycases.since", last)
}

const cubicMetre metering.Amount = 1_000_000

// lost says how much has run away, at least and at most.
func (s storyteller) lost(_ metering.Kind, least, most metering.Amount) string {
	if most < cubicMetre {
		return s.T("mycases.lost", s.litresBetween(least, most))
	}
	low, high := s.Number(float64(least)/float64(cubicMetre), 1), s.Number(float64(most)/float64(cubicMetre), 1)+"\u00a0m³"
	return s.T("mycases.lost", s.T("mycases.between", low, high))
}

// worth says what the lost water costs, each bill by itself, in steps of 5 euros:
// the least rounded down, the most up.
func (s storyteller) worth(k metering.Kind, least, most metering.Amount) (lines []string, none string) {
	rates, err := s.prices.Rates(k, s.home.Today)
	if err != nil {
		return nil, s.T("cost.no_price")
	}
	micro := map[metering.Bill]float64{} // a cubic metre
	for _, r := range rates {
		micro[metering.Bill(r.Bill)] += float64(r.MicroEUR) * r.Share
	}
	for _, bill := range bills {
		if micro[bill] == 0 {
			continue
		}
		euros := func(ml metering.Amount) float64 { return float64(ml) / float64(cubicMetre) * micro[bill] / 1e6 }
		low, high := 5*math.Floor(euros(least)/5), 5*math.Ceil(euros(most)/5)
		sum := s.T("mytips.up_to", s.Euros(int64(100*high)))
		if low >= 5 {
			sum = s.T("mytips.between", s.Number(low, 0), s.Euros(int64(100*high)))
		}
		key := "mycases.euros_charges"
		if bill == metering.Supplier {
			key = "mycases.euros_supplier"
		}
		lines = append(lines, s.T(key, sum))
	}
	return lines, ""
}

// likely says what usually runs so.
func (s storyteller) likely(c alerts.Class) string {
	switch c {
	case alerts.Drip:
		return s.T("mycases.drip")
	case alerts.RunningCistern:
		return s.T("mycases.cistern")
	case alerts.OpenTap:
		return s.T("mycases.tap")
	default:
		return s.T("mycases.burst_what")
	}
}

// steps are what to do, in the order in which it helps.
func (s storyteller) steps(urgent bool) []step {
	closed := step{"stopcock", s.T("mycases.do_close"), s.T("mycases.do_close_how")}
	toilet := step{"toilet", s.T("mycases.do_toilet"), s.T("mycases.do_toilet_how")}
	taps := step{"shut", s.T("mycases.do_taps"), s.T("mycases.do_taps_how")}
	dial := step{"closed", s.T("mycases.do_dial"), s.T("mycases.do_dial_how")}
	if urgent {
		return []step{closed, toilet, taps}
	}
	return []step{toilet, taps, dial, closed}
}

// state says what came of a case.
func (s storyteller) state(k alerts.Kept) string {
	at := func(state alerts.State) string {
		i := slices.IndexFunc(k.Steps, func(st alerts.Step) bool { return st.State == state })
		if i < 0 {
			return ""
		}
		return s.day(k.Steps[i].At)
	}
	switch k.State {
	case alerts.Confirmed:
		return s.T("mycases.confirmed", at(alerts.Confirmed))
	case alerts.Repaired:
		return s.T("mycases.repaired", at(alerts.Repaired))
	case alerts.Verified:
		return s.T("mycases.verified", at(alerts.Verified))
	case alerts.Stopped:
		return s.T("mycases.stopped", at(alerts.Stopped))
	case alerts.Dismissed:
		return s.T("mycases.dismissed", at(alerts.Dismissed))
	case alerts.Left:
		return s.T("mycases.left", at(alerts.Left))
	default:
		return ""
	}
}

// answers are the buttons that lead somewhere from a state.
func (s storyteller) answers(state alerts.State) []caseAnswer {
	confirm := caseAnswer{alerts.SaidConfirm, s.T("mycases.say_confirm")}
	repaired := caseAnswer{alerts.SaidRepaired, s.T("mycases.say_repaired")}
	none := caseAnswer{alerts.SaidNoLeak, s.T("mycases.say_no_leak")}
	switch {
	case state.Over():
		return nil
	case state == alerts.Confirmed:
		return []caseAnswer{repaired, none}
	case state == alerts.Repaired:
		return []caseAnswer{confirm, none}
	default:
		return []caseAnswer{confirm, repaired, none}
	}
}

// because says how the leak was seen, and what the meter could not have shown.
func (s storyteller) because(f alerts.Finding) *caseWhy {
	w := &caseWhy{Title: s.T("why.title")}
	if f.Nights > 0 {
		w.Lines = append(w.Lines, s.T("mycases.why_nights", f.Nights))
	}
	if f.Window > 0 {
		w.Lines = append(w.Lines, s.T("mycases.why_window", s.window(f.Window), s.WholeLitres(float64(f.Why.Used)/1000)))
	}
	if f.Smallest > 0 {
		w.Lines = append(w.Lines, s.T("mycases.why_smallest", s.Number(float64(f.Smallest)/1000, 1)))
	}
	if len(f.Why.Parts) > 0 {
		w.Index = s.why(f.Why)
	} else if f.Source == alerts.FromQuietFlow {
		w.Lines = append(w.Lines, s.T("mycases.why_stays"))
	}
	return w
}

// window writes a length of time, as in "2 h" or "2 h 30".
func (s storyteller) window(d time.Duration) string {
	hours, minutes := int(d/time.Hour), int(d%time.Hour/time.Minute)
	if minutes == 0 {
		return fmt.Sprintf("%d\u00a0h", hours)
	}
	return fmt.Sprintf("%d\u00a0h\u00a0%02d", hours, minutes)
}
