package tips_test

import (
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/xnetroseraie/xnet/api/tips"
)

// open returns the catalogue that ships.
func open(t testing.TB) *tips.Catalogue {
	t.Helper()
	c, err := tips.Open()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCatalogueShips(t *testing.T) {
	c := open(t)
	if n := len(c.Entries); n < 20 || n > 25 {
		t.Errorf("%d tips, want 20 to 25", n)
	}
	for _, id := range []string{"bath_or_shower", "oven_or_microwave", "standby_or_off", "wash_30_or_60"} {
		if _, err := c.Gesture(id); err != nil {
			t.Error(err)
		}
	}
	founded := 0
	for _, e := range c.Entries {
		if e.Grade != tips.Unfounded {
			founded++
		} else if e.Saving != nil {
			t.Errorf("%s shows an amount that nobody can found", e.ID)
		}
	}
	if founded < 20 {
		t.Errorf("%d tips of the grades A to C, want most", founded)
	}
	if _, known := c.Entry("sleep"); known {
		t.Error("an unknown tip is known")
	}
}

// texts are all the words that people may read, by where they stand.
func texts(c *tips.Catalogue) map[string]tips.Text {
	all := map[string]tips.Text{}
	for _, e := range c.Entries {
		for key, t := range map[string]tips.Text{"title": e.Title, "why": e.Why, "how": e.How, "safety": e.Safety} {
			all[string(e.ID)+" "+key] = t
		}
	}
	for _, g := range c.Gestures {
		all[g.ID], all[g.ID+" unit"] = g.Name, g.Unit
		for _, w := range g.Ways {
			all[g.ID+" "+w.ID] = w.Name
		}
	}
	return all
}

var (
	apart     = regexp.MustCompile(`[^\x{a0}][;:!?»%]|«[^\x{a0}]`)               // a sign that may begin a line
	loose     = regexp.MustCompile(`[0-9}] [\p{L}°€%]`)                          // a number that may lose its unit
	promised  = regexp.MustCompile(`(?i)grâce à|thanks to|garanti|économiserez`) // what nobody can know
	celsius   = regexp.MustCompile(`(\d+)\x{a0}°C`)
	anyLetter = regexp.MustCompile(`\p{L}`)
)

func TestTextsAreEasyToRead(t *testing.T) {
	for where, text := range texts(open(t)) {
		if m := apart.FindString(text.French); m != "" {
			t.Errorf("%s: %q stands at the edge of a line in %q", where, m, text.French)
		}
		for _, words := range []string{text.French, text.English} {
			if m := loose.FindString(words); m != "" {
				t.Errorf("%s: %q can be torn in %q", where, m, words)
			}
			if m := promised.FindString(words); m != "" {
				t.Errorf("%s: promises %q in %q", where, m, words)
			}
			if strings.Contains(words, "'") && words == text.French {
				t.Errorf("%s: a typewriter's apostrophe in %q", where, words)
			}
			for _, sentence := range regexp.MustCompile(`[.!?]`).Split(words, -1) {
				n := 0
				for _, w := range strings.Fields(sentence) {
					if anyLetter.MatchString(w) || strings.ContainsAny(w, "0123456789") {
						n++
					}
				}
				if n > 15 {
					t.Errorf("%s: %d words in %q", where, n, sentence)
				}
			}
		}
	}
}

// A text that names a number of days names those that the figures are of.
func TestNamedDaysAreThoseLookedAt(t *testing.T) {
	lastDays, named := regexp.MustCompile(`(\d+)[ \x{a0}]derniers jours|last (\d+)[ \x{a0}]days`), 0
	for _, e := range open(t).Entries {
		for _, words := range []string{e.Why.French, e.Why.English} {
			for _, m := range lastDays.FindAllStringSubmatch(words, -1) {
				named++
				if days, _ := strconv.Atoi(m[1] + m[2]); float64(days) != e.Trigger.With["days"] {
					t.Errorf("%s looks at %v days and says %q", e.ID, e.Trigger.With["days"], words)
				}
			}
		}
	}
	if named < 4 {
		t.Errorf("%d texts name their days", named)
	}
}

// Nobody is told to heat less than 19 °C, and nobody at all whose room is colder.
func TestNobodyIsToldToHeatBelow19(t *testing.T) {
	c := open(t)
	for _, e := range c.Entries {
		for _, text := range []tips.Text{e.Title, e.Why, e.How, e.Safety} {
			for _, m := range celsius.FindAllStringSubmatch(text.French, -1) {
				if degrees, _ := strconv.Atoi(m[1]); degrees < 19 && e.Role != tips.Comfort {
					t.Errorf("%s speaks of %d °C", e.ID, degrees)
				}
			}
		}
		if e.Use != "heating" || e.Role != tips.Advice {
			continue
		}
		chilly := all(scenes[e.ID].due, func(h *tips.Home) {
			h.Rooms = []tips.RoomDay{{Date: today.AddDays(-1), Mean: 18900, Coverage: 1}}
		})
		if _, shown := due(t, c, home(chilly))[e.ID]; shown {
			t.Errorf("%s is shown in a home of 18.9 °C", e.ID)
		}
	}
}

const goodTip = `
- id: nap
  role: advice
  use: bed
  grade: C
  ease: easy
  title: {fr: Dormez, en: Sleep}
  why: {fr: "La nuit : {watts} W.", en: "At night: {watts} W."}
  how: {fr: Au lit., en: To bed.}
  needs: [{kind: electricity, resolution: fine}]
  consents: [fine_curve, personal_advice]
  trigger: {detector: base_at_least, kind: electricity, with: {nights: 14, min_w: 30}}
  saving: {formula: energy_a_year, inputs: {kwh: {number: 3, unit: kWh, source: "calcul : 3 kWh"}}, cap: kwh_per_year}
  source: nobody
`

func folder(tip string) fs.FS {
	return fstest.MapFS{
		"uses.yaml": {Data: []byte("- id: bed\n- id: heating\n  kinds: [heat]\n  share: 1\n  source: x\n")},
		"tips.yaml": {Data: []byte(tip)},
	}
}

func TestLoad(t *testing.T) {
	c, err := tips.Load(folder(goodTip))
	if err != nil {
		t.Fatal(err)
	}
	e, _ := c.Entry("nap")
	if want := "La nuit\u00a0: {watts}\u00a0W."; e.Why.French != want {
		t.Errorf("French %q, want %q", e.Why.French, want)
	}
	if want := "At night: {watts}\u00a0W."; e.Why.English != want {
		t.Errorf("English %q, want %q", e.Why.English, want)
	}
	if want := "calcul\u00a0: 3\u00a0kWh"; e.Saving.Inputs["kwh"].Source != want {
		t.Errorf("source %q, want %q", e.Saving.Inputs["kwh"].Source, want)
	}
}

// Each fault is told with its file, its line and what to write instead.
func TestLoadRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, old, new string
		line           string
		says           []string
	}{
		{"role", "role: advice", "role: order", "tips.yaml:3", []string{"order", "urgent"}},
		{"use", "use: bed", "use: sofa", "tips.yaml:4", []string{"sofa", "bed"}},
		{"grade", "grade: C", "grade: E", "tips.yaml:5", []string{"E"}},
		{"ease", "ease: easy", "ease: free", "tips.yaml:6", []string{"free", "medium"}},
		{"no English", "fr: Dormez, en: Sleep", "fr: Dormez", "tips.yaml:7", []string{"title", "en", "write one"}},
		{"long sentence", "Au lit.", "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize.", "tips.yaml:9", []string{"15 words", "make two"}},
		{"unknown figure", "{watts} W.\", en", "{horses} W.\", en", "tips.yaml:8", []string{"{horses}", "watts"}},
		{"resolution", "resolution: fine", "resolution: second", "tips.yaml:2", []string{"second"}},
		{"fine curve without consent", "[fine_curve, personal_advice]", "[personal_advice]", "tips.yaml:11", []string{"fine_curve"}},
		{"advice without consent", "[fine_curve, personal_advice]", "[fine_curve]", "tips.yaml:11", []string{"personal_advice"}},
		{"unknown consent", "personal_advice]", "personal_advice, gossip]", "tips.yaml:11", []string{"gossip"}},
		{"detector", "base_at_least", "crystal_ball", "tips.yaml:12", []string{"crystal_ball", "night_base"}},
		{"missing parameter", "nights: 14, min_w: 30", "nights: 14", "tips.yaml:12", []string{"min_w"}},
		{"extra parameter", "min_w: 30", "min_w: 30, max_w: 4", "tips.yaml:12", []string{"max_w"}},
		{"unknown answer", "min_w: 30}}", "min_w: 30}, answers: [cat]}", "tips.yaml:12", []string{"cat", "dryer"}},
		{"formula", "energy_a_year", "magic", "tips.yaml:13", []string{"magic", "mixed_water"}},
		{"input without source", ", source: \"calcul : 3 kWh\"", "", "tips.yaml:13", []string{"kwh", "source"}},
		{"unknown input", "inputs: {kwh", "inputs: {luck: {figure: watts}, kwh", "tips.yaml:13", []string{"luck"}},
		{"figure and number", "{number: 3,", "{number: 3, figure: watts,", "tips.yaml:13", []string{"leave one out"}},
		{"nothing caps", ", cap: kwh_per_year", "", "tips.yaml:13", []string{"caps"}},
		{"cap in watts", "cap: kwh_per_year", "cap: watts", "tips.yaml:13", []string{"watts"}},
		{"amount of grade D", "grade: C", "grade: D", "tips.yaml:13", []string{"invented"}},
		{"praise with an amount", "role: advice", "role: praise", "tips.yaml:13", []string{"invented"}},
		{"heating without a floor", "use: bed", "use: heating", "tips.yaml:2", []string{"room_floor_c", "19"}},
		{"no source", "source: nobody", "source: \"\"", "tips.yaml:14", []string{"who advises"}},
		{"unknown key", "  source: nobody", "  sauce: nobody", "tips.yaml:14", []string{"sauce"}},
		{"not a number", "min_w: 30", "min_w: many", "tips.yaml:12", []string{"many"}},
		{"not a list", goodTip, "id: nap\n", "tips.yaml:1", []string{"list"}},
		{"not YAML", goodTip, "- id: [\n", "tips.yaml", nil},
		{"twice", goodTip, goodTip + goodTip[1:], "tips.yaml:15", []string{"nap", "taken"}},
		{"malformed id", "id: nap", "id: Nap-1", "tips.yaml:2", []string{"Nap-1", "lower-case"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(goodTip, tt.old, tt.new, 1)
			if text == goodTip {
				t.Fatalf("%q is not in the good tip", tt.old)
			}
			_, err := tips.Load(folder(text))
			wantError(t, err, slices.Concat([]string{tt.line}, tt.says)...)
		})
	}
}

// All faults are told at once.
func TestLoadJoinsFaults(t *testing.T) {
	text := strings.NewReplacer("grade: C", "grade: E", "ease: easy", "ease: free").Replace(goodTip)
	_, err := tips.Load(folder(text))
	wantError(t, err, "tips.yaml:5", "tips.yaml:6")
}

func TestLoadRefusesOtherFiles(t *testing.T) {
	_, err := tips.Load(fstest.MapFS{})
	wantError(t, err, "uses.yaml", "point to the folder")
	for _, tt := range []struct{ file, text, line, says string }{
		{"uses.yaml", "- id: bed\n  share: 2\n", "uses.yaml:2", "share 2"},
		{"uses.yaml", "- id: bed\n  kinds: [heat]\n  share: 0.5\n", "uses.yaml:3", "its source"},
		{"gestures.yaml", "- id: nap\n  grade: C\n  name: {fr: a, en: a}\n  unit: {fr: a, en: a}\n" +
			"  ways: [{id: one, name: {fr: a, en: a}, source: x}]\n", "gestures.yaml:5", "needs two"},
		{"gestures.yaml", "- id: nap\n  grade: C\n  name: {fr: a, en: a}\n  unit: {fr: a, en: a}\n" +
			"  ways:\n    - {id: one, name: {fr: a, en: a}}\n    - {id: two, name: {fr: a, en: a}, source: x}\n", "gestures.yaml:5", "a source"},
	} {
		f := fstest.MapFS{"uses.yaml": {Data: []byte("- id: bed\n")}}
		f[tt.file] = &fstest.MapFile{Data: []byte(tt.text)}
		_, err := tips.Load(f)
		wantError(t, err, tt.line, tt.says)
	}
}
