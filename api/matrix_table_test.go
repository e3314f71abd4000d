package main

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// things are what the placeholders of a route stand for, by object.
func things(object string) map[string]string {
	r := map[string]string{"residence": "R", "empty": "D-empty", "gateway": "gw-r", "free": "cw-free", "freepoint": "PT-free", "import": "I-man", "letter": "L-amina",
		"mandate": "M-see", "token": "K-kC", "staff": "P-tec", "stafftoken": "K-kM", "role": "technician", "purpose": "fine_curve", "language": "en", "rest": "mot-de-passe", "month": "2025-11", "file": "consommation.csv", "later": "2026-02", "post": "advisor", "all": "administrator", "kind": "cold_water", "contrast": "fort", "tariff": "TF-r", "day": "2026-04-01", "days": "7", "tip": "TI-" + object, "case": "AC-" + object, "absence": "HA-" + object, "question": "AQ-" + object, "alert": "AL-" + object,
		"dwelling": "D-" + object, "household": "F-" + object, "person": "P-" + object, "meter": "cw-" + object, "point": "PT-" + object, "serial": "SN-71", "session": "V-" + object}
	maps.Copy(r, machineThings(object))
	maps.Copy(r, trainingThings(object))
	maps.Copy(r, programmeThings(object))
	switch object {
	case "amina", "bruno", "sarah":
		r["session"] = "V-" + object[:3]
		if object == "amina" {
			r["session"] = "V-ami"
		}
	case "celeste":
		r["dwelling"], r["meter"], r["point"] = "D-bruno", "cw-bruno", "PT-bruno"
	case "self", "list":
		r["household"] = ""
	case "none":
		for name := range r {
			if !slices.Contains([]string{"purpose", "role", "rest", "month", "file", "later", "post", "all", "day", "days"}, name) {
				r[name] = "nowhere"
			}
		}
	}
	if object == "sarah" {
		for name, id := range map[string]string{"residence": "S", "empty": "D-empty-s", "gateway": "gw-s", "free": "cw-free-s", "freepoint": "PT-free-s", "import": "I-ma2",
			"letter": "L-sarah", "mandate": "nowhere", "token": "K-kM", "staff": "P-in2", "stafftoken": "nowhere", "role": "installer", "serial": "SN-8842197", "tariff": "TF-s"} {
			r[name] = id
		}
	}
	return r
}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

func fill(text string, with map[string]string) string {
	return placeholder.ReplaceAllStringFunc(text, func(name string) string {
		if id, ok := with[strings.Trim(name, "{}")]; ok {
			return id
		}
		return name
	})
}

// A row is a line of the table.
type row struct {
	line                        int
	method, path, object, shows string
	want                        []string
}

// routeOf is the row's route without its object, query and parameters.
func (r row) route() string {
	path, _, _ := strings.Cut(r.path, "?")
	path, _, _ = strings.Cut(path, "#")
	return r.method + " " + path
}

// shape is what rows and routes have in common.
func shape(route string) string {
	route = placeholder.ReplaceAllString(route, "*")
	route = regexp.MustCompile(`:[a-z_]+`).ReplaceAllString(route, "*")
	return regexp.MustCompile(`/assets/.*`).ReplaceAllString(route, "/assets/*")
}

func readMatrix(t *testing.T) []row {
	t.Helper()
	text, err := os.ReadFile("testdata/matrix.txt")
	if err != nil {
		t.Fatal(err)
	}
	only, err := regexp.Compile(os.Getenv("XNET_TEST_MATRIX")) // a part of the table, for who breaks things on purpose
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for i, line := range strings.Split(string(text), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" || !only.MatchString(line) {
			continue
		}
		if len(words) != 4+len(matrixActors) {
			t.Fatalf("matrix.txt:%d: %d cells, want %d", i+1, len(words)-4, len(matrixActors))
		}
		rows = append(rows, row{i + 1, words[0], words[1], words[2], words[3], words[4:]})
	}
	return rows
}

func readBodies(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/matrix_requests.txt")
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 2 && words[0] != "#" {
			_, body, _ := strings.Cut(line, words[1])
			bodies[words[0]+" "+words[1]] = strings.TrimSpace(body)
		}
	}
	return bodies
}

// spaces stand within the figures that a page shows.
var spaces = strings.NewReplacer("\u202f", "", "\u00a0", "", "&nbsp;", "")

// leaks are the markers in an answer that neither belong to the actor nor are
// shown to its role, nor were in the question.
func leaks(text, asked string, a actor, shows string, answered bool) (all []string) {
	text = spaces.Replace(text)
	for _, k := range markers {
		own := strings.ContainsAny(k.set, a.own)
		shown := answered && strings.Contains(shows, k.kind) && strings.ContainsAny(k.set, a.reaches)
		isName := k.kind == "n" && a.person != "" && strings.Contains(names()[a.person], k.text)
		if !own && !shown && !isName && !strings.Contains(asked, k.text) && k.in(text) {
			all = append(all, k.text)
		}
	}
	return all
}

// in tells figures from the middle of longer ones.
func (k marker) in(text string) bool {
	for at := strings.Index(text, k.text); at >= 0; {
		after := strings.TrimPrefix(text[at+len(k.text):], "000")
		if k.kind != "u" || (at == 0 || !isDigit(text[at-1])) && (after == "" || !isDigit(after[0])) {
			return true
		}
		next := strings.Index(text[at+1:], k.text)
		if next < 0 {
			break
		}
		at += 1 + next
	}
	return false
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

var nameIn = regexp.MustCompile(`\('(P-[a-z0-9]+)', '([A-Z][^']+)', 'fr'\)`)

// names are the seeded names of persons: everybody may see their own.
var names = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	for _, found := range nameIn.FindAllStringSubmatch(matrixPeople, -1) {
		all[found[1]] = found[2]
	}
	return all
})
