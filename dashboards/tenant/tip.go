package tenant

import (
	"math"
	"strconv"
	"strings"

	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A tipCard is one tip as a person reads it.
type tipCard struct {
	ID, Form, Place string
	Version         int64
	Role            tips.Role
	Title, Why      string
	How, Safety     string
	HowMuch         []string // what it saves at most, a line for each bill
	NoEuros         string   // why there are no euros; empty where there are, or nothing to say
	Sure            string   // how well the amount is founded
	State           string   // where it stands; empty for one that is new
	Result          []string // what was observed since
	Fell            bool     // the result is a drop that can be seen
	Because         *tipWhy  // answers "Pourquoi ce chiffre ?"
	Answers         []tipAnswer
	Token           string // of the form
	leak            bool
	Call            *call // whom to call; nil where nothing presses
}

// A call is whom to call, in words and as a link.
type call struct{ Words, Dial, Telephone string }

// newCall is the advisor's; words say when to call.
func newCall(ch web.Chrome, words string) *call {
	return &call{words, ch.Advisor.Dial(), ch.Advisor.Telephone}
}

// A tipAnswer is one button.
type tipAnswer struct {
	Said  tips.Answered
	Words string
}

// A tipWhy says what a tip and its amount were reckoned from.
type tipWhy struct {
	Title    string
	Looked   string // at what, and when
	Terms    []tipTerm
	Capped   string
	Prices   []pricedBy
	Measured []*why // the indexes behind it
	Range    string // where the range comes from
	Lead     string // before the source
	Source   string // in French
}

// A tipTerm is one number of the reckoning. Source is in French; empty where it was
// measured in the home.
type tipTerm struct{ Text, Source, Measured string }

// An adviser writes tips in one language.
type adviser struct{ teller }

// card writes a tip; act says that the reader may answer.
func (a adviser) card(k tips.Kept, act bool) tipCard {
	fill := func(t tips.Text) string { return k.Finding.Fill(a.textOf(t), a.figure) }
	card := tipCard{ID: string(k.ID), Version: k.Version, Role: k.Entry.Role, Title: fill(k.Entry.Title), Why: fill(k.Entry.Why),
		How: fill(k.Entry.How), Safety: fill(k.Entry.Safety), State: a.state(k), Result: a.result(k.Observed), Fell: k.Observed.Verdict == tips.Visible}
	if s := k.Saving; s != nil {
		card.HowMuch, card.NoEuros = a.howMuch(*s, k.Entry.Grade), a.noEuros(*s)
		card.Sure = a.sure(k.Entry.Grade)
	}
	card.Because, card.leak = a.because(k), k.Entry.Use == leakUse
	if act && (k.Entry.Role == tips.Advice || k.Entry.Role == tips.Comfort) {
		card.Answers = a.answers(k.State, k.Entry.Use)
	}
	return card
}

// What tips on leaks act on, and what those on money.
const (
	leakUse  tips.UseID = "leak"
	moneyUse tips.UseID = "money"
)

// textOf returns a text of the catalogue in the reader's language.
func (t teller) textOf(text tips.Text) string {
	if t.Code() == "en" {
		return text.English
	}
	return text.French
}

// figure writes a number of a tip's text, whose unit stands there; a cost to the
// euro.
func (a adviser) figure(name string, number float64) string {
	if strings.HasPrefix(name, "eur_") {
		return a.Number(max(1, math.Round(number)), 0)
	}
	if number >= 10 || number == math.Trunc(number) {
		return a.Number(math.Round(number), 0)
	}
	return a.Number(number, 1)
}

// answers are the buttons that lead somewhere from a state. Money is talked about
// rather than done.
func (a adviser) answers(s tips.State, use tips.UseID) []tipAnswer {
	doing, done, not := tipAnswer{tips.Doing, a.T("mytips.doing")}, tipAnswer{tips.Done, a.T("mytips.done")}, tipAnswer{tips.NotHere, a.T("mytips.not_here")}
	if use == moneyUse {
		doing.Words, done.Words, not.Words = a.T("mytips.money_doing"), a.T("mytips.money_done"), a.T("mytips.money_not")
	}
	switch s {
	case tips.Proposed, tips.Seen, "":
		return []tipAnswer{doing, done, not}
	case tips.Committed:
		return []tipAnswer{done, not}
	case tips.DoneAlready:
		return []tipAnswer{doing, not}
	case tips.Observing, tips.TooEarly, tips.Visible, tips.NotVisible:
		return []tipAnswer{not}
	default:
		return nil
	}
}

// state says where a tip stands with the home; empty for one that waits.
func (a adviser) state(k tips.Kept) string {
	since := func(d civil.Date) string { return a.Date(d, a.home.Today) }
	switch k.State {
	case tips.Committed, tips.Observing, tips.Visible, tips.NotVisible, tips.TooEarly:
		return a.T("mytips.state_doing", since(k.Committed))
	case tips.DoneAlready:
		return a.T("mytips.state_done", since(k.Since))
	case tips.NotForMe:
		return a.T("mytips.state_not_here", since(k.Since))
	default:
		return ""
	}
}

// result says what was observed since a tip was taken up, in three words and then
// by how much. It claims no cause.
func (a adviser) result(o tips.Outcome) []string {
	switch o.Verdict {
	case tips.Visible:
		return []string{a.T("mytips.visible"), a.T("mytips.visible_by", a.percent(-o.Change), a.percent(-o.High), a.percent(-o.Low), o.Others)}
	case tips.NotVisible:
		return []string{a.T("mytips.not_visible"), a.T("mytips.not_visible_why")}
	case tips.TooEarly:
		return []string{a.T("mytips.too_early"), a.T("mytips.too_early_why")}
	default:
		return nil
	}
}

func (t teller) percent(share float64) string {
	return t.Percent(math.Round(100 * max(0, share)))
}

// leastSaving is below what a saving is called small rather than rounded.
const leastSaving = 5

// howMuch says what a tip saves: a range in steps of 5 euros, each bill by itself;
// in litres and kWh where the price is not known. It is of following the tip
// always; the low end takes off what the grade leaves open.
func (a adviser) howMuch(s tips.Saving, g tips.Grade) (lines []string) {
	period := a.T("mytips.a_year")
	if s.Period == tips.Observed {
		period = a.T("mytips.those_days")
	}
	if !s.Priced {
		for _, cut := range s.Cuts {
			lines = append(lines, a.T("mytips.saves_use", a.cut(cut), period))
		}
		return lines
	}
	for _, bill := range bills {
		cents := centsOn(bill, s.ChargesCents, s.SupplierCents)
		if cents <= 0 {
			continue
		}
		key := "mytips.saves_charges"
		if bill == metering.Supplier {
			key = "mytips.saves_supplier"
		}
		lines = append(lines, a.T(key, a.fives(cents, g.Confidence()), period))
	}
	return lines
}

// fives writes a saving in steps of 5 euros, from a share of it to the whole.
func (t teller) fives(cents int64, share float64) string {
	low, high := tips.RoundEuros(int64(float64(cents)*share)), tips.RoundEuros(cents)
	switch {
	case high < leastSaving:
		return t.T("mytips.below", t.Euros(leastSaving*100))
	case low >= high || low < leastSaving:
		return t.T("mytips.up_to", t.Euros(high*100))
	default:
		return t.T("mytips.between", t.Number(float64(low), 0), t.Euros(high*100))
	}
}

// cut writes a saving of water or energy.
func (t teller) cut(c tips.Cut) string { return written(t.Language, c.Kind, c.Amount) }

func (a adviser) noEuros(s tips.Saving) string {
	switch s.Why.NoEuros {
	case tips.UncheckedMeter:
		return a.T("cost.not_verified")
	case tips.UnknownPrice:
		return a.T("cost.no_price")
	default:
		return ""
	}
}

// sure says how well an amount is founded, in a word.
func (a adviser) sure(g tips.Grade) string {
	switch g {
	case tips.Official:
		return a.T("mytips.sure")
	case tips.Quoted, tips.Reckoned:
		return a.T("mytips.fairly_sure")
	default:
		return a.T("mytips.unsure")
	}
}

// because answers "Pourquoi ce chiffre ?" of a tip; nil for what is shown to everybody.
func (a adviser) because(k tips.Kept) *tipWhy {
	if k.Entry.Role == tips.Right {
		return nil
	}
	w := &tipWhy{Title: a.T("why.title"), Lead: a.T("mytips.source"), Source: k.Entry.Source}
	if len(k.Finding.Kinds) > 0 && k.Finding.From.Before(k.Finding.To) {
		var kinds []string
		for _, kind := range k.Finding.Kinds {
			kinds = append(kinds, strings.ToLower(a.T("kind."+string(kind))))
		}
		w.Looked = a.T("mytips.looked", strings.Join(kinds, ", "), a.DayOfMonth(k.Finding.From), a.DayOfMonth(k.Finding.To.AddDays(-1)))
	}
	if k.Saving == nil {
		return w
	}
	for _, term := range k.Saving.Why.Terms {
		w.Terms = append(w.Terms, a.term(term))
	}
	if k.Saving.Why.Capped {
		w.Capped = a.T("mytips.capped")
	}
	for _, r := range k.Saving.Why.Rates {
		one := pricedBy{Price: a.T("gestures.price_of", a.onBill(metering.Bill(r.Bill), a.price(r.Price)), a.since(r.From))}
		if r.Source != "" {
			one.Lead, one.Source = a.T("why.source"), r.Source
		}
		w.Prices = append(w.Prices, one)
	}
	for _, e := range k.Saving.Why.Measured {
		w.Measured = append(w.Measured, a.why(e))
	}
	if k.Saving.Priced {
		w.Range = a.T("mytips.range", strconv.Itoa(int(math.Round(100*k.Entry.Grade.Confidence()))))
	}
	return w
}

// term names one number of a reckoning.
func (a adviser) term(t tips.Term) tipTerm {
	number := a.few(t.Number, 0)
	if t.Name == "share" {
		number = a.Percent(100 * t.Number)
	} else if t.Unit != "" {
		number += "\u00a0" + t.Unit
	}
	one := tipTerm{Text: a.T("cost.for", a.termName(t.Name), number), Source: t.Source}
	if t.Source == "" {
		one.Measured = a.T("mytips.measured")
	}
	return one
}

// termName says what a number of a reckoning is.
func (a adviser) termName(name string) string {
	switch name {
	case "flow_l_per_h":
		return a.T("mytips.term_flow")
	case "litres_each":
		return a.T("mytips.term_litres_each")
	case "times_per_year":
		return a.T("mytips.term_times")
	case "watts":
		return a.T("mytips.term_watts")
	case "hours_per_day":
		return a.T("mytips.term_hours")
	case "share":
		return a.T("mytips.term_share")
	default: // kwh, litres
		return a.T("mytips.term_counted")
	}
}
