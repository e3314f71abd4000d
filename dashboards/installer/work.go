package installer

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/check"
	"github.com/xnetroseraie/xnet/api/meters/watch"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	// shown is how many devices of a group the first page names; the whole list
	// is a link away.
	shown = 3
	// counted is up to how many meters the first page counts. A stock in which
	// more are in trouble has one cause, which is not found by counting.
	counted = 2000
	// strangersOf names the list of meters that nobody registered.
	strangersOf = "inconnus"
)

// A work is one thing to be done about meters, and which meters it is to be done
// about.
type work struct {
	slug   string // of its list's address
	text   string // what is wrong
	do     string // what is to be done
	filter watch.FareFilter
}

// toRead is what may be wrong with how a meter is read, the gravest first;
// toVerify what its check may lack. A gateway that is silent or stopped is shown
// itself, not by its meters.
var (
	toRead = []work{
		trouble("sans-releve", watch.Silent, "equipment.do_silent"),
		trouble("immobiles", watch.Stuck, "equipment.do_stuck"),
		trouble("autre-passerelle", watch.WrongPlace, "equipment.do_wrong_place"),
		trouble("jamais-vus", watch.NeverSeen, "equipment.do_never_seen"),
		trouble("en-retard", watch.Late, "equipment.do_late"),
	}
	toVerify = []work{
		unchecked("contestes", check.Disputed, "equipment.do_disputed"),
		unchecked("deuxieme-lecture", check.SecondDue, "equipment.do_second"),
		unchecked("a-verifier", check.Unverified, "equipment.do_verify"),
	}
)

func trouble(slug string, s watch.Standing, do string) work {
	return work{slug, standings[s], do, watch.FareFilter{Standing: s, Trouble: true, Heard: true}}
}

func unchecked(slug string, s check.State, do string) work {
	return work{slug, states[s], do, watch.FareFilter{Check: s, Unchecked: true}}
}

// has reports whether it is to be done about a meter of its section.
func (w work) has(m watch.Fare) bool {
	return w.filter.Standing == m.Standing || w.filter.Check == m.Check
}

// toDo says what is to be done: who may not open a meter's page cannot check it, and
// waits or calls who can.
func (w work) toDo(view listView) string {
	if !view.MayWrite && w.filter.Standing != watch.Late {
		return view.T("equipment.do_installer")
	}
	return view.T(w.do)
}

// A group is the meters about which one thing is to be done.
type group struct {
	Text, Do, Count string
	Lines           []line // the first of them
	All, See        string // address of the whole list and what leads there; empty where all are shown
}

// groups sorts the meters that f lists into what is to be done about them.
func (h *Handler) groups(c echo.Context, view listView, works []work, f watch.FareFilter) ([]group, error) {
	f.Residence = metering.SiteID(view.Residence)
	all, err := h.Watch.Fares(c.Request().Context(), who(c), f, h.Now(), resource.Page{Limit: counted})
	if err != nil {
		return nil, err
	}
	var groups []group
	for _, w := range works {
		var mine []watch.Fare
		for _, m := range all {
			if w.has(m) {
				mine = append(mine, m)
			}
		}
		if len(mine) == 0 {
			continue
		}
		g := group{Text: view.T(w.text), Do: w.toDo(view), Count: countText(view.Language, len(mine), len(all) > counted)}
		for _, m := range mine[:min(shown, len(mine))] {
			g.Lines = append(g.Lines, h.workLine(view, m))
		}
		if len(mine) > shown {
			g.All, g.See = view.address(w.slug, ""), view.T("equipment.see")
		}
		groups = append(groups, g)
	}
	return groups, nil
}

func countText(l web.Language, n int, more bool) string {
	switch {
	case more:
		return l.T("equipment.count_more", n)
	case n == 1:
		return l.T("equipment.count_one")
	default:
		return l.T("equipment.count", n)
	}
}

// workLine names a meter within its group, whose heading says what is wrong.
func (h *Handler) workLine(view listView, m watch.Fare) line {
	l := fareLine(view.Language, m, h.Now())
	l.Where, l.State = joined(l.Where, view.of(m.Residence)), ""
	if !view.MayWrite {
		l.Link = ""
	}
	return l
}

// address is that of a list, after a device where after is one.
func (v listView) address(slug, after string) string {
	query := url.Values{"liste": {slug}}
	for name, text := range map[string]string{"residence": v.Residence, "apres": after} {
		if text != "" {
			query.Set(name, text)
		}
	}
	return path + "?" + query.Encode()
}

// wholeView is the list of one thing to be done.
type wholeView struct {
	listView
	Text, Do string
	Back     string
	List     section
}

var wholePage = web.MustPage[wholeView](templates, "templates/whole.html", "templates/lines.html")

// whole serves GET /equipements?liste=sans-releve.
func (h *Handler) whole(c echo.Context, slug string) error {
	view := wholeView{Back: path}
	var err error
	if view.listView, err = h.frame(c); err != nil {
		return err
	}
	if view.Residence != "" {
		view.Back += "?" + url.Values{"residence": {view.Residence}}.Encode()
	}
	if slug == strangersOf {
		view.Text, view.Do = view.T("equipment.unknown"), view.T("equipment.unknown_more")
		view.List, err = h.strangers(c, view.listView, pageOf)
	} else {
		err = h.fillWhole(c, &view, slug)
	}
	if err != nil {
		return err
	}
	view.Text = strings.TrimSuffix(view.Text, ".") // a sentence among others, but here the title
	view.Title = view.Text
	return wholePage.Render(c, http.StatusOK, view)
}

func (h *Handler) fillWhole(c echo.Context, view *wholeView, slug string) error {
	works := slices.Concat(toRead, toVerify)
	at := slices.IndexFunc(works, func(w work) bool { return w.slug == slug })
	if at < 0 {
		return meters.ErrNone
	}
	w := works[at]
	view.Text, view.Do = view.T(w.text), w.toDo(view.listView)
	f := w.filter
	f.Residence = metering.SiteID(view.Residence)
	all, err := h.Watch.Fares(c.Request().Context(), who(c), f, h.Now(), resource.Page{After: c.QueryParam("apres"), Limit: pageOf})
	if err != nil {
		return err
	}
	if len(all) > pageOf {
		all = all[:pageOf]
		view.List.Next = view.address(slug, string(all[pageOf-1].Meter))
	}
	for _, m := range all {
		view.List.Lines = append(view.List.Lines, h.workLine(view.listView, m))
	}
	return nil
}
