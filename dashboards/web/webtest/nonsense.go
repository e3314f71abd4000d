package webtest

import (
	"html"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A Reader asks for pages and sends forms as somebody who is signed in.
type Reader struct {
	Get  func(path string) (status int, page string)
	Send func(path string, form url.Values) (status int, page string)
}

// Reader returns what the browser does.
func (b Browser) Reader() Reader {
	return Reader{
		Get:  func(path string) (int, string) { a := b.Get(path); return a.Status, a.Page },
		Send: func(path string, form url.Values) (int, string) { a := b.Send(path, form); return a.Status, a.Page },
	}
}

// nonsense is what people type who mean harm, or lean on the keyboard.
var nonsense = []string{"<script>alert(1)</script>", "'; DROP TABLE person; --", "-1", "99999999999999999999", "\x00\x01", "\xff\xfe", "é\u202e🙂",
	strings.Repeat("é", 300), "../../etc/passwd", "%s%n{{.}}", "2026-02-30", "1e309", "NaN", " ", strings.Repeat("A", 5000)}

// leading ends the visit, which ends the walk.
var leading = []string{"/deconnexion", "/mon-acces/partout", "/mon-acces/visites/", "/langue/", "/contraste/"}

var (
	links  = regexp.MustCompile(`<a [^>]*href="(/[^"]*)"`)
	forms  = regexp.MustCompile(`(?s)<form ([^>]*)>(.*?)</form>`)
	fields = regexp.MustCompile(`<(?:input|select|textarea) ([^>]*)>`)
	named  = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
	number = regexp.MustCompile(`/[^/]*[0-9][^/]*`)
	// bare is a key of the catalogue that nobody translated, or a verb that got
	// no argument.
	bare = regexp.MustCompile(`>[a-z]+\.[a-z_]+<|%![a-z(]`)
)

// Nonsense walks from page to page by their links and sends each form once for
// each of its fields and each piece of nonsense, hidden fields but the form's
// token included. It fails the test where the site breaks, sends the nonsense
// back as a part of the page, or answers with words that are for programs. It
// returns how many forms it found.
func Nonsense(t *testing.T, r Reader, from ...string) int {
	t.Helper()
	w := walk{t: t, Reader: r, todo: from, seen: map[string]int{}, sent: map[string]bool{}}
	for len(w.todo) > 0 {
		next := w.todo[0]
		w.todo = w.todo[1:]
		w.visit(next)
	}
	return len(w.sent)
}

type walk struct {
	Reader
	t    *testing.T
	todo []string
	seen map[string]int // by kind of page
	sent map[string]bool
}

// kindOf is a path without what tells one flat or meter from another.
func kindOf(address string) string {
	path, _, _ := strings.Cut(address, "?")
	return number.ReplaceAllString(path, "/*")
}

func leads(path string) bool {
	return slices.ContainsFunc(leading, func(p string) bool { return strings.HasPrefix(path, p) })
}

// visit looks at two pages of a kind and no more.
func (w *walk) visit(address string) {
	if w.seen[kindOf(address)]++; w.seen[kindOf(address)] > 2 || leads(address) {
		return
	}
	status, page := w.Get(address)
	w.judge(address, "", "", status, page)
	for _, found := range links.FindAllStringSubmatch(page, -1) {
		w.todo = append(w.todo, html.UnescapeString(found[1]))
	}
	for _, found := range forms.FindAllStringSubmatch(page, -1) {
		w.fill(attributes(found[1]), found[2])
	}
}

func attributes(tag string) map[string]string {
	all := map[string]string{}
	for _, found := range named.FindAllStringSubmatch(tag, -1) {
		all[found[1]] = html.UnescapeString(found[2])
	}
	return all
}

// fill sends a form with nonsense in one field after the other.
func (w *walk) fill(form map[string]string, inside string) {
	key := form["method"] + " " + kindOf(form["action"])
	if w.sent[key] || leads(form["action"]) || form["enctype"] != "" {
		return
	}
	w.sent[key] = true
	plainly := url.Values{}
	for _, found := range fields.FindAllStringSubmatch(inside, -1) {
		field := attributes(found[1])
		plainly.Set(field["name"], field["value"])
	}
	for name := range plainly {
		if name == "jeton" {
			continue
		}
		for _, text := range nonsense {
			typed := maps.Clone(plainly)
			typed.Set(name, text)
			w.send(form, name, text, typed)
		}
	}
}

func (w *walk) send(form map[string]string, name, text string, typed url.Values) {
	if form["method"] == "get" {
		status, page := w.Get(form["action"] + "?" + typed.Encode())
		w.judge(form["action"], name, text, status, page)
		return
	}
	status, page := w.Send(form["action"], typed)
	w.judge(form["action"], name, text, status, page)
}

func (w *walk) judge(address, name, text string, status int, page string) {
	w.t.Helper()
	if status >= 500 {
		w.t.Errorf("%s with %.30q as %s: status %d", address, text, name, status)
	}
	if strings.HasPrefix(page, "%PDF") {
		return // its text is packed: any sign may come by chance
	}
	if strings.Contains(page, "<script") {
		w.t.Errorf("%s with %.30q as %s has a script", address, text, name)
	}
	if found := bare.FindString(page); found != "" {
		w.t.Errorf("%s with %.30q as %s says %q", address, text, name, found)
	}
}
