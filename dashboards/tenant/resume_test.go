package tenant_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
)

// TestNothingTypedIsLost: who sends a form after the visit was over comes in again
// and finds it, sends it with one button, and it works. Nobody else is shown it.
func TestNothingTypedIsLost(t *testing.T) {
	h := newHall(t, false)
	b := h.signedIn("P1")
	typed := url.Values{"jeton": {webtest.Token(t, b.Browser.Get("/mon-acces").Page)}, "nom": {"Mon programme <b>"}, "droit": {"consumption:read"}, "jours": {"30"}, "mot-de-passe": {"secret"}}
	h.clock.Add((40 * 24 * time.Hour).Milliseconds())
	if a := b.Send("/mon-acces/cles", typed); a.Status != 303 || a.To != "/connexion?fini=1" {
		t.Fatalf("status %d to %s", a.Status, a.To)
	}
	if page := b.Browser.Get("/connexion?fini=1").Page; !strings.Contains(page, "ce que vous aviez tapé est gardé") {
		t.Error("the sign-in page does not say that the form is kept")
	}
	if a := b.Send("/connexion", url.Values{"code": {h.Invite(t, "P1")}}); a.To != "/reprise" {
		t.Fatalf("after signing in: %d to %s", a.Status, a.To)
	}
	waiting := b.Browser.Get("/reprise")
	for _, want := range []string{"Rien n’est perdu.", "Mon programme &lt;b&gt;", `action="/reprise"`} {
		if !strings.Contains(waiting.Page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(waiting.Page, "secret") {
		t.Error("a password is shown again")
	}
	if again := b.Browser.Get("/reprise"); again.Status != 200 {
		t.Errorf("reloaded: status %d", again.Status)
	}
	typed.Set("jeton", webtest.Token(t, waiting.Page))
	for range 2 { // of a double click the second alone may be followed
		if a := b.Send("/reprise", typed); a.Status != 307 || a.To != "/mon-acces/cles" {
			t.Errorf("sent again: status %d to %s", a.Status, a.To)
		}
	}
	if a := b.Send("/mon-acces/cles", typed); a.Status >= 400 {
		t.Errorf("followed: status %d", a.Status)
	}
	if a := b.Browser.Get("/reprise"); a.Status != 303 || a.To != "/" {
		t.Errorf("what was sent still waits: status %d to %s", a.Status, a.To)
	}
	if page := b.Browser.Get("/mon-acces").Page; !strings.Contains(page, "Mon programme &lt;b&gt;") {
		t.Error("what was sent again did nothing")
	}
	other := h.signedIn("P2")
	if a := other.Browser.Get("/reprise"); a.Status != 303 || a.To != "/" {
		t.Errorf("somebody else: status %d to %s", a.Status, a.To)
	}
	h.clock.Add(time.Hour.Milliseconds())
	if a := b.Browser.Get("/reprise"); a.To != "/" {
		t.Errorf("an hour later the form still waits: status %d", a.Status)
	}
}

// TestAFormIsLeft: who does not want to send what waits is asked no more.
func TestAFormIsLeft(t *testing.T) {
	h := newHall(t, false)
	b := h.signedIn("P1")
	typed := url.Values{"jeton": {webtest.Token(t, b.Browser.Get("/mon-acces").Page)}, "nom": {"Mon programme"}, "droit": {"consumption:read"}, "jours": {"30"}}
	h.clock.Add((40 * 24 * time.Hour).Milliseconds())
	b.Send("/mon-acces/cles", typed)
	b.Send("/connexion", url.Values{"code": {h.Invite(t, "P1")}})
	token := webtest.Token(t, b.Browser.Get("/reprise").Page)
	if a := b.Send("/reprise", url.Values{"jeton": {token}, "laisser": {"1"}}); a.Status != 303 || a.To != "/" {
		t.Errorf("status %d to %s", a.Status, a.To)
	}
	if a := b.Browser.Get("/reprise"); a.To != "/" {
		t.Errorf("it still waits: status %d", a.Status)
	}
	if a := b.Send("/reprise", typed); a.Status != 403 {
		t.Errorf("with an old token: status %d", a.Status)
	}
}

// TestFormsOfNobodyAreNotKept: a cookie that never opened a visit keeps nothing.
func TestFormsOfNobodyAreNotKept(t *testing.T) {
	h := newHall(t, false)
	b := h.reader()
	if a := b.Send("/mon-acces/cles", url.Values{"jeton": {"x"}, "nom": {"y"}}); a.To != "/connexion?fini=1" {
		t.Errorf("status %d to %s", a.Status, a.To)
	}
	if a := b.Send("/connexion", url.Values{"code": {h.Invite(t, "P1")}}); a.To != "/" {
		t.Errorf("after signing in: %s", a.To)
	}
}
