package workshop

import (
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// programmeView is what the programme costs and promises: read by all who work in
// it, set by managers and administrators.
type programmeView struct {
	web.Chrome
	Places []link
	Done   string
	None   bool // there is no programme yet
	Terms  []fact
	Prices []priceLine
	Set    []changeLine // who set them, the last first
	Forms  []form       // none for who may not set
}

type priceLine struct{ What, From, Price, State string }

// A changeLine is one time that somebody set a price.
type changeLine struct{ What, More, By string }

var programmePage = web.MustPage[programmeView](templates, "templates/programme.html", "templates/places.html", "templates/form.html")

// priced names what has a price.
var priced = map[computers.Priced]string{
	computers.PriceUsed: "workshop.priced_used", computers.PriceNew: "workshop.priced_new", computers.PriceRefurbish: "workshop.service_refurbish",
	computers.PriceRepair: "workshop.service_repair", computers.PriceRecycle: "workshop.service_recycle",
}

// programmePath is a page of the programme of a residence.
func programmePath(page string, here place) string {
	return Path + page + "?" + url.Values{"residence": {string(here.ID)}}.Encode()
}

// programme serves GET /atelier/programme.
func (h *Handler) programme(c echo.Context) error { return h.showProgramme(c, "", nil) }

func (h *Handler) showProgramme(c echo.Context, slug string, p *problem.Error) error {
	view := programmeView{Chrome: h.Site.Chrome(c, "workshop.programme")}
	here, places, err := h.place(c, Path+"/programme")
	if err != nil {
		return err
	}
	view.Places = places
	if key := map[string]string{"conditions": "workshop.done_terms", "prix": "workshop.done_price"}[c.QueryParam("fait")]; key != "" {
		view.Done = view.T(key)
	}
	today := civil.DateIn(h.Now(), here.Zone)
	terms, err := h.Machines.Programme(c.Request().Context(), who(c), here.ID)
	if errors.Is(err, computers.ErrNone) {
		view.None, err = true, nil
		terms = computers.DefaultProgramme(here.ID)
		terms.From, terms.Version = today, -1
	}
	if err != nil {
		return err
	}
	if !view.None {
		view.Terms = termFacts(view.Language, terms)
	}
	prices, err := h.Machines.Prices(c.Request().Context(), who(c), here.ID)
	if err != nil {
		return err
	}
	view.Prices = priceLines(view.Language, prices, today)
	changes, err := h.Machines.PriceChanges(c.Request().Context(), who(c), here.ID)
	if err != nil {
		return err
	}
	for _, one := range changes {
		view.Set = append(view.Set, changeOf(view.Language, one, today, here.Zone))
	}
	if may(c, computers.Setters) {
		// Read after the list: a price that comes between is told when the form is sent.
		version, err := h.Machines.PricesVersion(c.Request().Context(), who(c), here.ID)
		if err != nil {
			return err
		}
		view.Forms = []form{termsForm(c, view.Language, here, terms), priceForm(c, view.Language, here, today, version)}
	}
	for i := range view.Forms {
		if view.Forms[i].Slug == slug && p != nil {
			view.Forms[i].refused(c, view.Language, p)
		}
	}
	return programmePage.Render(c, statusOf(p), view)
}

func termFacts(l web.Language, p computers.Programme) []fact {
	until := l.T("workshop.no_end")
	if !p.Until.IsZero() {
		until = full(l, p.Until)
	}
	guarantee := l.T("workshop.no_guarantee")
	if p.Months > 0 {
		guarantee = l.T("workshop.months_long", p.Months)
	}
	return []fact{{l.T("workshop.from_date"), full(l, p.From)}, {l.T("workshop.end_date"), until},
		{l.T("workshop.per_household"), l.Number(float64(p.PerHousehold), 0)}, {l.T("workshop.months_guarantee"), guarantee},
		{l.T("workshop.target_days"), l.Number(float64(p.TargetDays), 0)}}
}

// priceLines are all prices, each with whether it holds today.
func priceLines(l web.Language, all []computers.Price, today civil.Date) []priceLine {
	var lines []priceLine
	for _, what := range computers.AllPriced {
		var of []computers.Price // by date
		for _, p := range all {
			if p.What == what {
				of = append(of, p)
			}
		}
		for i := len(of) - 1; i >= 0; i-- {
			state := "workshop.price_past"
			switch next := i + 1; {
			case today.Before(of[i].From):
				state = "workshop.price_ahead"
			case next == len(of) || today.Before(of[next].From):
				state = "workshop.price_now"
			}
			lines = append(lines, priceLine{l.T(priced[what]), full(l, of[i].From), cents(l, of[i].Cents), l.T(state)})
		}
	}
	return lines
}

func changeOf(l web.Language, p computers.PriceChange, today civil.Date, zone *time.Location) changeLine {
	made := changeLine{What: l.T("workshop.price_set", l.T(priced[p.What]), cents(l, p.Cents), full(l, p.From)), By: p.By}
	if made.By == "" {
		made.By = l.T("workshop.set_by_nobody")
	}
	made.More = l.Date(civil.DateIn(p.At, zone), today)
	if p.Was >= 0 {
		made.More = joined(made.More, l.T("workshop.price_was", cents(l, p.Was)))
	}
	return made
}

func termsForm(c echo.Context, l web.Language, here place, p computers.Programme) form {
	n := func(count int) string { return l.Number(float64(count), 0) }
	until := ""
	if !p.Until.IsZero() {
		until = p.Until.String()
	}
	return form{Slug: "conditions", Path: programmePath("/programme", here), Token: token(c), Title: l.T("workshop.act_terms"), Button: l.T("workshop.do_terms"), Hidden: []option{newPress(), seen(p.Version)},
		Fields: []field{
			{Name: "debut", Of: "from", Label: l.T("workshop.from_date"), Look: day, Typed: p.From.String(), Needed: true},
			{Name: "fin", Of: "until", Label: l.T("workshop.end_date"), Hint: l.T("workshop.end_hint"), Look: day, Typed: until},
			{Name: "foyer", Of: "per_household", Label: l.T("workshop.per_household"), Look: line, Most: 2, Mode: "numeric", Typed: n(p.PerHousehold), Needed: true},
			{Name: "mois", Of: "months", Label: l.T("workshop.months_guarantee"), Hint: l.T("workshop.months_hint"), Look: line, Most: 2, Mode: "numeric", Typed: n(p.Months), Needed: true},
			{Name: "delai", Of: "target_days", Label: l.T("workshop.target_days"), Hint: l.T("workshop.target_more"), Look: line, Most: 2, Mode: "numeric", Typed: n(p.TargetDays), Needed: true},
		}}
}

// seenField bears the version of what a form shows, so that who sends it late does
// not undo what somebody else set meanwhile.
const seenField = "version"

func seen(version int64) option { return option{ID: seenField, Name: strconv.FormatInt(version, 10)} }

// seenOf reads it; a form without one was not made here.
func seenOf(c echo.Context) (int64, error) {
	version, err := strconv.ParseInt(c.FormValue(seenField), 10, 64)
	if err != nil || version == 0 {
		return 0, resource.ErrStale
	}
	return version, nil
}

func priceForm(c echo.Context, l web.Language, here place, today civil.Date, version int64) form {
	return form{Slug: "prix", Path: programmePath("/programme/prix", here), Token: token(c), Title: l.T("workshop.act_price"), Button: l.T("workshop.do_price"), Lead: l.T("workshop.price_lead"), Hidden: []option{newPress(), seen(version)},
		Fields: []field{
			{Name: "quoi", Of: "what", Label: l.T("workshop.priced"), Look: oneOf, Options: options(l, computers.AllPriced, priced), Needed: true},
			{Name: "jour", Of: "from", Label: l.T("workshop.price_from"), Look: day, Typed: today.String(), Needed: true},
			{Name: "prix", Of: "price_cents", Label: l.T("workshop.price"), Look: line, Most: 12, Mode: "decimal", Needed: true},
		}}
}

// setTerms serves POST /atelier/programme.
func (h *Handler) setTerms(c echo.Context) error {
	return h.send(c, func() (string, error) {
		here, _, err := h.place(c, Path+"/programme")
		if err != nil {
			return "", err
		}
		t := &typed{c: c}
		p := computers.Programme{Residence: here.ID, From: t.day("debut", "from"), PerHousehold: t.whole("foyer", "per_household", 1, 10),
			Months: t.whole("mois", "months", 0, 60), TargetDays: t.whole("delai", "target_days", 1, 30)}
		if said(c, "fin") != "" {
			p.Until = t.day("fin", "until")
			if !p.Until.IsZero() && !p.From.Before(p.Until) {
				t.refuse("until", "computers.until_before_from")
			}
		}
		if err := t.err(); err != nil {
			return "", err
		}
		if p.Version, err = seenOf(c); err != nil {
			return "", err
		}
		return programmePath("/programme", here) + "&fait=conditions", h.Machines.SetProgramme(c.Request().Context(), who(c), p)
	}, func(p *problem.Error) error { return h.showProgramme(c, "conditions", p) })
}

// setPrice serves POST /atelier/programme/prix.
func (h *Handler) setPrice(c echo.Context) error {
	return h.send(c, func() (string, error) {
		here, _, err := h.place(c, Path+"/programme")
		if err != nil {
			return "", err
		}
		t := &typed{c: c}
		p := computers.Price{What: pick(t, "quoi", "what", computers.AllPriced), From: t.day("jour", "from"), Cents: t.euros("prix", "price_cents", true)}
		if err := t.err(); err != nil {
			return "", err
		}
		p.At = h.Now()
		if p.Seen, err = seenOf(c); err != nil {
			return "", err
		}
		return programmePath("/programme", here) + "&fait=prix", h.Machines.SetPrice(c.Request().Context(), who(c), here.ID, p)
	}, func(p *problem.Error) error { return h.showProgramme(c, "prix", p) })
}

// whole reads a whole number that must be there.
func (t *typed) whole(name, of string, least, most int64) int {
	if said(t.c, name) == "" {
		t.refuse(of, "field.missing")
		return 0
	}
	before := len(t.faults)
	n := t.number(name, of, most)
	if len(t.faults) == before && n < least {
		t.refuse(of, "field.out_of_range", least, most)
	}
	return int(n)
}
