package main

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// shownPages are all pages that somebody finds, each with the first of the table
// who does.
func shownPages(t *testing.T) []pageForm {
	t.Helper()
	var pages []pageForm
	known := map[string]bool{}
	for _, r := range readMatrix(t) {
		i := slices.Index(r.want, "200")
		file := strings.Contains(r.path, ".") || strings.HasSuffix(r.path, "/fichier") || strings.HasSuffix(r.path, "/rapport")
		if r.method != http.MethodGet || i < 0 || file || known[r.route()] || strings.HasPrefix(r.path, apiRoot) || strings.HasPrefix(r.path, "/assets/") ||
			slices.Contains([]string{"/metrics", "/healthz", "/readyz"}, r.path) {
			continue
		}
		known[r.route()] = true
		pages = append(pages, pageForm{r, matrixActors[i]})
	}
	return pages
}

// TestServiceAway: while what keeps readings or what keeps records does not answer,
// every page either shows what it knows or says that the service is away and whom
// to call, in the reader's words and without a word of the program's.
func TestServiceAway(t *testing.T) {
	readings := testkit.Influx(t)
	path := filepath.Join(t.TempDir(), "xnet.db")
	sqldbtest.Open(t, path) // is looked into once the test is over
	db, err := sqldb.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	m := newMatrix(t, db, readings.URL, readBodies(t))
	readings.Kill()
	if away := m.away(t); away < 5 {
		t.Errorf("readings away: %d pages say so", away)
	}
	if err := m.db.Close(); err != nil {
		t.Fatal(err)
	}
	if away := m.away(t); away < 60 {
		t.Errorf("records away: %d pages say so", away)
	}
}

// away opens every page and counts those that say that the service is away.
func (m *matrix) away(t *testing.T) (away int) {
	t.Helper()
	for _, p := range shownPages(t) {
		status, text := m.ask(t, m.request(t, p.row, p.who))
		switch status {
		case "200", "303", "sig":
			continue
		case "503", "500":
			away++
		default:
			t.Errorf("%s as %s: %s %.200s", p.path, p.who.name, status, brief(text))
		}
		if status == "503" && !strings.Contains(text, "Service momentanément indisponible") || status == "500" && !strings.Contains(text, "Quelque chose ne marche pas. Ce n’est pas votre faute.") ||
			!strings.Contains(text, "appelez Claire Moreau au 02 41 00 00 00") {
			t.Errorf("%s as %s: %s, and does not say what is wrong and whom to call: %.300s", p.path, p.who.name, status, brief(text))
		}
		for _, never := range []string{"sql:", "influx", "database", "dial tcp", "refused"} {
			if strings.Contains(strings.ToLower(text), never) {
				t.Errorf("%s as %s says %q", p.path, p.who.name, never)
			}
		}
	}
	t.Logf("%d pages, %d say that the service is away", len(shownPages(t)), away)
	return away
}
