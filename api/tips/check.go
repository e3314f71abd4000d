package tips

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A fault is what is wrong with an element, at one of its keys.
type fault struct{ key, text string }

// faults gathers what is wrong with one element.
type faults struct {
	of   string // as in "tip toilet_leak"
	list []fault
}

func (f *faults) add(key, format string, args ...any) {
	f.list = append(f.list, fault{key, f.of + ": " + fmt.Sprintf(format, args...)})
}

// oneOf adds a fault where x is none of the known.
func oneOf[T ~string](f *faults, key string, x T, known []T) {
	if !slices.Contains(known, x) {
		f.add(key, "%s %q is not known: want one of %v", key, string(x), known)
	}
}

func (f *faults) text(key string, t Text, figures []string) {
	for language, words := range map[string]string{"fr": t.French, "en": t.English} {
		if strings.TrimSpace(words) == "" {
			f.add(key, "%s has no text in %s: write one", key, language)
		}
		if long := longSentence(words); long != "" {
			f.add(key, "%s has a sentence of more than %d words in %s, %q: make two of it", key, mostWords, language, long)
		}
		for _, name := range placeholders(words) {
			if !slices.Contains(figures, name) {
				f.add(key, "%s names the figure {%s} in %s, which the detector does not find: use one of %v", key, name, language, figures)
			}
		}
	}
}

var idPattern = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

// floor is the temperature in °C below which nobody is told to heat less.
const floor = 19

func (c *Catalogue) addUse(u Use) []fault {
	f := &faults{of: fmt.Sprintf("use %s", u.ID)}
	if _, twice := c.uses[u.ID]; twice || !idPattern.MatchString(string(u.ID)) {
		f.add("id", "id %q is empty, malformed or taken: write lower-case words joined by _", u.ID)
	}
	if u.Share < 0 || u.Share > 1 || u.Share > 0 && (len(u.Kinds) == 0 || u.Source == "") {
		f.add("share", "share %g: want 0 to 1, with the kinds it is a share of and its source", u.Share)
	}
	for _, k := range u.Kinds {
		oneOf(f, "kinds", k, metering.Kinds)
	}
	u.Source = bindFrench(u.Source)
	c.uses[u.ID] = u
	return f.list
}

func (c *Catalogue) addEntry(e Entry) []fault {
	f := &faults{of: fmt.Sprintf("tip %s", e.ID)}
	if _, twice := c.Entry(e.ID); twice || !idPattern.MatchString(string(e.ID)) {
		f.add("id", "id %q is empty, malformed or taken: write lower-case words joined by _", e.ID)
	}
	oneOf(f, "role", e.Role, Roles)
	oneOf(f, "grade", e.Grade, Grades)
	oneOf(f, "ease", e.Ease, Eases)
	oneOf(f, "use", e.Use, slices.Sorted(maps.Keys(c.uses)))
	if e.Source == "" {
		f.add("source", "no source: say who advises this")
	}
	c.checkTrigger(f, e)
	f.checkSafety(e)
	if e.Saving != nil {
		c.checkSaving(f, e)
	}
	c.Entries = append(c.Entries, e.bind())
	return f.list
}

// bind is the entry as people read it.
func (e Entry) bind() Entry {
	for _, t := range []*Text{&e.Title, &e.Why, &e.How, &e.Safety} {
		*t = t.bind()
	}
	e.Source = bindFrench(e.Source)
	if e.Saving != nil {
		for name, input := range e.Saving.Inputs {
			input.Source = bindFrench(input.Source)
			e.Saving.Inputs[name] = input
		}
	}
	return e
}

func (c *Catalogue) checkTrigger(f *faults, e Entry) {
	d, ok := detectors[e.Trigger.Detector]
	if !ok {
		f.add("trigger", "detector %q is not known: want one of %v", e.Trigger.Detector, Detectors())
	}
	for key, t := range map[string]Text{"title": e.Title, "why": e.Why, "how": e.How} {
		f.text(key, t, d.figures)
	}
	if !e.Safety.IsZero() {
		f.text("safety", e.Safety, d.figures)
	}
	for _, name := range d.with {
		if e.Trigger.With[name] <= 0 {
			f.add("trigger", "parameter %s of %s is missing or not above 0", name, e.Trigger.Detector)
		}
	}
	for name := range e.Trigger.With {
		if ok && !slices.Contains(d.with, name) {
			f.add("trigger", "parameter %s is not one of %s: want %v", name, e.Trigger.Detector, d.with)
		}
	}
	for _, a := range slices.Concat(e.Trigger.Answers, e.Trigger.Refused) {
		oneOf(f, "trigger", a, AllAnswers)
	}
	if e.Trigger.Kind != "" {
		oneOf(f, "trigger", e.Trigger.Kind, metering.Kinds)
	}
	for _, n := range e.Needs {
		oneOf(f, "needs", n.Kind, metering.Kinds)
		oneOf(f, "needs", n.Resolution, metering.Resolutions)
	}
	for _, p := range e.Consents {
		oneOf(f, "consents", p, consent.Purposes)
	}
}

// checkSafety holds the rules that protect people.
func (f *faults) checkSafety(e Entry) {
	if e.Use == heating && e.Role == Advice && e.RoomFloorC < floor {
		f.add("room_floor_c", "a tip on heating is never shown below %d °C: write room_floor_c: %d or more", floor, floor)
	}
	fine := slices.ContainsFunc(e.Needs, func(n Need) bool { return n.Resolution == metering.Fine })
	if fine && !slices.Contains(e.Consents, consent.FineCurve) {
		f.add("consents", "needs a fine curve without the consent %s: name it", consent.FineCurve)
	}
	leak := e.Use == leaks || e.Role == Urgent
	if e.Role == Advice && !leak && len(e.Needs) > 0 && !slices.Contains(e.Consents, consent.PersonalAdvice) {
		f.add("consents", "personal advice without the consent %s: name it", consent.PersonalAdvice)
	}
	if e.Saving != nil && (e.Grade == Unfounded || e.Role == Comfort || e.Role == Right || e.Role == Praise) {
		f.add("saving", "grade %s, role %s: an amount would be invented: leave the saving out", e.Grade, e.Role)
	}
}

func (c *Catalogue) checkSaving(f *faults, e Entry) {
	m := e.Saving
	rule, ok := formulas[m.Name]
	if !ok {
		f.add("saving", "formula %q is not known: want one of %v", m.Name, Formulas())
		return
	}
	figures := detectors[e.Trigger.Detector].figures
	if len(rule.kinds) > 0 {
		oneOf(f, "saving", m.Kind, rule.kinds)
	} else if m.Kind != "" {
		f.add("saving", "formula %s knows what it saves: leave kind out", m.Name)
	}
	for _, name := range rule.inputs {
		if _, given := m.Inputs[name]; !given {
			f.add("saving", "formula %s needs the input %s", m.Name, name)
		}
	}
	for name, in := range m.Inputs {
		f.checkInput(name, in, rule, figures)
	}
	if m.Cap != "" && (!slices.Contains(figures, m.Cap) || perLong(figureUnits[m.Cap]) == 1) {
		f.add("saving", "cap %q is not a figure in kWh, L or m³ of the detector: want one of %v", m.Cap, figures)
	}
	if m.Cap == "" && c.uses[e.Use].Share == 0 {
		f.add("saving", "nothing caps the saving: name a figure as cap, or a use that has a share")
	}
}

func (f *faults) checkInput(name string, in Input, r rule, figures []string) {
	switch {
	case !slices.Contains(r.inputs, name):
		f.add("saving", "input %s is not one of the formula: want %v", name, r.inputs)
	case in.Figure != "" && !slices.Contains(figures, in.Figure):
		f.add("saving", "input %s is the figure %q, which the detector does not find: use one of %v", name, in.Figure, figures)
	case in.Figure != "" && in.Number != 0:
		f.add("saving", "input %s has a figure and a number: leave one out", name)
	case in.Figure == "" && (in.Number <= 0 || in.Source == ""):
		f.add("saving", "input %s: want a figure, or a number above 0 with its source", name)
	}
}
