package tenant

import (
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const similarPath = "/comparer"

type similarView struct {
	web.Chrome
	whose
	HomeLink string
	Of       string // the month that is compared
	None     string // why there is nothing
	Cards    []similarCard
	How      []string // how it is compared
}

// A similarCard sets one kind beside others.
type similarCard struct {
	Kind     metering.Kind
	Title    string
	Verdict  string // in a sentence; empty where similar homes are not known
	Well     bool   // the verdict is praise
	Beams    []beam // the home, similar ones, the careful ones
	Measure  string // of the beams
	Few      string // why there are no similar homes
	Agree    string // the way to agree to this meter being read; empty where there is none to show
	Each     []string
	Changes  []*change // beside the habit and the year before
	NoChange []string
	Why      *why
}

// A beam is one horizontal bar.
type beam struct {
	Text  string // as in "Vous : 98 litres"
	Width int    // 0 to 100
	Own   bool
}

var similarPage = web.MustPage[similarView](templates, "templates/similar.html", "templates/cards.html", "templates/whose.html", "templates/change.html")

// similar serves GET /comparer: the month that is over, beside similar homes, the
// household's habit and the year before.
func (h *Handler) similar(c echo.Context) error {
	view := similarView{Chrome: h.Site.Chrome(c, "similar.title")}
	var err error
	if view.whose, err = h.whose(c, view.Language); err != nil {
		return err
	}
	view.HomeLink = view.link("/")
	ctx, now := c.Request().Context(), h.Now()
	zone, err := h.Homes.Zone(ctx, view.Viewer)
	if isNone(err) {
		view.None = view.T("home.none")
		return similarPage.Render(c, http.StatusOK, view)
	}
	if err != nil {
		return err
	}
	today := civil.DateIn(now, zone)
	month := today.MonthOf().Prev()
	view.Of = view.Month(month)
	comparer := consumption.CompareHandler{Reader: h.Consumption, Around: h.Around, Now: h.Now}
	all, err := comparer.Compare(ctx, view.Viewer, month.First(), month.Next().First())
	switch err = ofOneHome(err); {
	case err == errSeveralHomes:
		view.None = view.T("outlook.several")
	case isNone(err):
		view.None = view.T("similar.not_there")
	case err != nil:
		return err
	}
	t := teller{Language: view.Language, now: now, home: consumption.Home{Zone: zone, Today: today}, helped: view.Helped != ""}
	for _, one := range all {
		card, err := h.sideBySide(c, t, one)
		if err != nil {
			return err
		}
		view.Cards = append(view.Cards, card)
	}
	if len(view.Cards) == 0 && view.None == "" {
		view.None = view.T("home.no_meters")
	}
	view.How = []string{view.T("similar.how_group"), view.T("similar.how_person"), view.T("similar.how_middle"), view.T("similar.how_private")}
	return similarPage.Render(c, http.StatusOK, view)
}

// sideBySide sets a kind beside what it is compared with, if its meters are known to
// be this home's.
func (h *Handler) sideBySide(c echo.Context, t teller, one consumption.Compared) (similarCard, error) {
	card := similarCard{Kind: one.Kind(), Title: t.T("kind." + string(one.Kind()))}
	if one.Resolution == metering.Off {
		card.Few = t.off()
		if !t.helped {
			card.Agree = t.T("home.off_agree")
		}
		return card, nil
	}
	parts := one.Explanation.Parts
	if len(parts) == 0 {
		card.Few = t.T("month.nothing")
		return card, nil
	}
	var meters []metering.MeterID
	for _, p := range parts {
		meters = append(meters, p.From.Meter)
	}
	verified, err := h.Charges.Verified(c.Request().Context(), meters)
	if err != nil {
		return card, err
	}
	if slices.ContainsFunc(parts, func(p metering.Part) bool { return !verified(p) }) {
		card.Few = t.T("change.unchecked")
		return card, nil
	}
	card.Why = t.why(one.Explanation)
	return t.beside(card, one), nil
}

// beside fills a card with the comparisons of its kind.
func (t teller) beside(card similarCard, one consumption.Compared) similarCard {
	kind, month := one.Kind(), t.home.Today.MonthOf().Prev()
	quality := one.Explanation.Quality
	if one.Similar != nil && one.Own != nil {
		t.amongOthers(&card, *one.Similar, *one.Own, quality)
	} else {
		card.Few = t.T("similar.few")
	}
	shown := func(m consumption.Measure) bool { return len(card.Beams) > 0 && one.Similar.Measure == m } // as a bar
	if one.PerPersonDay != nil && kind != metering.Heat && !shown(consumption.PerPerson) {
		card.Each = append(card.Each, t.T("similar.person", t.Month(month), t.marked(t.OfDay(kind, *one.PerPersonDay), quality)))
	}
	if one.PerSquareMetre != nil && kind != metering.Electricity && kind.IndexUnit() == metering.WattHour && !shown(consumption.PerM2) {
		card.Each = append(card.Each, t.T("similar.m2", t.Month(month), t.marked(t.OfDay(kind, *one.PerSquareMetre), quality)))
	}
	for _, c := range one.Comparisons {
		t.addChange(&card, kind, c)
	}
	return card
}

// marked writes a figure with the mark of one that is estimated.
func (t teller) marked(figure string, q metering.Quality) string {
	if mark := t.mark(q); mark != "" {
		return figure + " (" + mark + ")"
	}
	return figure
}

// amongOthers draws the home among similar ones; quality is that of its own figure.
// Who is below the middle is praised: nobody is told that others use more.
func (t teller) amongOthers(card *similarCard, s consumption.Typical, own metering.Amount, quality metering.Quality) {
	card.Measure = t.T("similar.of_person", t.Month(s.Month))
	if s.Measure == consumption.PerM2 {
		card.Measure = t.T("similar.of_m2", t.Month(s.Month))
	}
	top := max(own, s.Used, 1)
	draw := func(name, figure string, used metering.Amount, mine bool) beam {
		return beam{t.T("cost.for", name, figure), int(math.Round(100 * float64(used) / float64(top))), mine}
	}
	card.Beams = []beam{draw(t.T("similar.you"), t.marked(t.OfDay(card.Kind, own), quality), own, true),
		draw(t.T("similar.others"), t.OfDay(card.Kind, s.Used), s.Used, false)}
	if s.Quarter > 0 {
		card.Beams = append(card.Beams, draw(t.T("similar.careful"), t.OfDay(card.Kind, s.Quarter), s.Quarter, false))
	}
	card.Verdict, card.Well = t.verdict(card.Kind, s, own)
}

// verdict says how the home stands among similar ones, and whether that is praise. A
// share is of the figures as they are shown, so that a reader finds the same. There is
// no verdict where the similar ones are shown to use nothing.
func (t teller) verdict(k metering.Kind, s consumption.Typical, own metering.Amount) (said string, well bool) {
	mine, theirs := float64(web.ShownOfDay(k, own)), float64(web.ShownOfDay(k, s.Used))
	switch {
	case s.Quarter > 0 && own <= s.Quarter && k != metering.Heat:
		return t.T("similar.bravo"), true
	case courseOf(own, s.Used) == same || mine == theirs:
		return t.T("similar.alike"), false
	case own < s.Used:
		return t.T("similar.good"), true
	case theirs == 0:
		return "", false
	case mine >= 2*theirs:
		return t.T("similar.times", t.Number(mine/theirs, 1), t.T(partOf[k])), false
	default:
		return t.T("similar.above", t.percent(mine/theirs-1), t.T(partOf[k])), false
	}
}

// addChange says how the month compares on one basis, or why it does not.
func (t teller) addChange(card *similarCard, kind metering.Kind, c consumption.Comparison) {
	with := t.T("similar.with_year", t.Month(c.WithFrom.MonthOf()))
	if c.Basis == consumption.Habit {
		with = t.T("similar.with_habit")
	}
	if c.Refused != "" {
		card.NoChange = append(card.NoChange, t.T("cost.for", strings.TrimSuffix(with, "."), t.refusal(c.Refused)))
		return
	}
	p := pair{used: c.Used, before: c.Expected, days: 1, corrected: c.Corrected}
	if c.WithDegreeDays > 0 {
		p.colder = c.DegreeDays/c.WithDegreeDays - 1
	}
	one := newChange(t.Language, kind, p, with)
	if t.mark(c.Quality) != "" {
		one.Both += " " + t.T("why.estimated")
	}
	card.Changes = append(card.Changes, one)
}

// refusal says why there is no comparison.
func (t teller) refusal(r consumption.Refusal) string {
	switch r {
	case consumption.TooShort:
		return t.T("similar.too_short")
	case consumption.OtherHome:
		return t.T("similar.other_home")
	case consumption.OtherSeason:
		return t.T("similar.other_season")
	case consumption.NothingUsed:
		return t.T("similar.nothing_used")
	default:
		return t.T("similar.too_little")
	}
}
