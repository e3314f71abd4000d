package accounts_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// 20 wrong codes a minute from one address slow that address, and neither the
// owner of the account nor any neighbour.
func TestWrongCodesSlowTheAddressOnly(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		e := enter(t, db, "P1")
		code := invite(t, e.store, "P1")
		attacker, owner := e.browser("192.0.2.66"), e.browser("192.0.2.1")
		var refused, slowed int
		for i := range 20 {
			body := map[string]string{"code": code.String()[:5] + "AAAA-AAAA"}
			if i%2 == 1 {
				body = map[string]string{"name": "person1234", "password": "guess" + fmt.Sprint(i)}
			}
			switch status, text := attacker.send("POST", "/session", body); status {
			case http.StatusUnprocessableEntity:
				refused++
			case http.StatusTooManyRequests:
				slowed++
			default:
				t.Errorf("guess %d: status %d: %s", i, status, text)
			}
			e.clock.Add(3000)
		}
		if refused > 10 || slowed < 10 {
			t.Errorf("of 20 guesses in a minute %d were tried and %d slowed, want at least half slowed", refused, slowed)
		}
		attacker.want("POST", "/session", map[string]string{"code": code.String()}, http.StatusTooManyRequests)
		begun := time.Now()
		owner.want("POST", "/session", map[string]string{"code": code.String()}, http.StatusNoContent)
		if spent := time.Since(begun); spent > 5*time.Second {
			t.Errorf("the owner waited %s", spent)
		}
		owner.want("GET", "/session", nil, http.StatusOK)
	})
}

// Every refusal reads the same, whatever is wrong.
func TestRefusalsTellNothingApart(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		e := enter(t, db, "P1", "P2")
		code := invite(t, e.store, "P1")
		b := e.visit("P2")
		b.want("PUT", "/access/password", map[string]string{"new": password}, 204)
		name := into[struct{ Name string }](t, b.want("GET", "/access", nil, 200)).Name
		var first string
		for i, body := range []map[string]string{
			{}, {"code": "nonsense"}, {"code": "AAAA-AAAA-AAAA"}, {"code": code.String()[:5] + "AAAA-AAAA"},
			{"name": name, "password": "wrong"}, {"name": "nobody1234", "password": password}, {"name": "p2@example.org", "password": password},
		} {
			text := e.browser(fmt.Sprintf("192.0.2.%d", 100+i)).want("POST", "/session", body, 422)
			if first == "" {
				first = text
			}
			if text != first {
				t.Errorf("%v is told apart:\n%s\n%s", body, text, first)
			}
		}
	})
}

func TestSignInRotatesTheSession(t *testing.T) {
	db := sqldbtest.Open(t, t.TempDir()+"/xnet.db")
	e := enter(t, db, "P1", "P2")
	planted := e.visit("P1")
	address, err := url.Parse(e.url)
	if err != nil {
		t.Fatal(err)
	}
	before := planted.client.Jar.Cookies(address)
	code := invite(t, e.store, "P2")
	planted.want("POST", "/session", map[string]string{"code": code.String()}, 204)
	thief := e.browser("192.0.2.9")
	thief.client.Jar.SetCookies(address, before)
	thief.want("GET", "/session", nil, 401)
	if got := planted.want("GET", "/session", nil, 200); !strings.Contains(got, `"person":"P2"`) {
		t.Errorf("session = %s", got)
	}
}

type visitLine struct {
	ID, Way, Browser string
	Current          bool
}

func TestSessions(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		e := enter(t, db, "P1", "P2")
		code := invite(t, e.store, "P1")
		here, there, stranger := e.browser("192.0.2.1"), e.browser("192.0.2.1"), e.visit("P2")
		here.header.Set("User-Agent", "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0")
		there.header.Set("User-Agent", "<script>alert(1)</script>"+strings.Repeat("x", 4000))
		for _, b := range []*browser{here, there} {
			b.want("POST", "/session", map[string]string{"code": code.String()}, 204)
			e.clock.Add(1000)
		}
		lines := into[struct{ Items []visitLine }](t, here.want("GET", "/sessions", nil, 200)).Items
		if len(lines) != 2 || lines[0].Current || !lines[1].Current || lines[1].Browser != "Firefox, Windows" || lines[0].Browser != "" {
			t.Fatalf("sessions = %+v", lines)
		}
		stranger.want("DELETE", "/sessions/"+lines[0].ID, nil, 404)
		there.want("GET", "/session", nil, 200)
		here.want("DELETE", "/sessions/"+lines[0].ID, nil, 204)
		there.want("GET", "/session", nil, 401)
		there.want("POST", "/session", map[string]string{"code": code.String()}, 204)
		here.want("DELETE", "/sessions", nil, 204)
		here.want("GET", "/session", nil, 401)
		there.want("GET", "/session", nil, 401)
		stranger.want("GET", "/session", nil, 200)
	})
}

// A session ends after a time without use, and after a time whatever happens;
// that of staff earlier.
func TestSessionsEnd(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		e := enter(t, db, "P1", "P2")
		sqldbtest.Exec(t, db, `INSERT INTO staff_role (person_id, role, residence_id) VALUES ('P2', 'advisor', NULL)`)
		terms := accounts.Terms{Length: 30 * 24 * time.Hour, Idle: 7 * 24 * time.Hour, StaffLength: 7 * 24 * time.Hour, StaffIdle: 8 * time.Hour}
		for _, tt := range []struct {
			person       accounts.PersonID
			idle, length time.Duration
		}{{"P1", terms.Idle, terms.Length}, {"P2", terms.StaffIdle, terms.StaffLength}} {
			entry, err := e.store.SignIn(t.Context(), invite(t, e.store, tt.person), accounts.Arrival{At: now, Terms: terms})
			if err != nil {
				t.Fatal(err)
			}
			alive := func(after time.Duration) bool {
				_, err := e.store.Session(t.Context(), entry.Token, now.Add(after), terms)
				return err == nil
			}
			if alive(tt.idle) {
				t.Errorf("%s: a session unused for %s lives", tt.person, tt.idle)
			}
			for at := time.Duration(0); at < tt.length; at += tt.idle - time.Minute {
				if !alive(at) {
					t.Fatalf("%s: a session in use ends after %s", tt.person, at)
				}
				seen(t, db, now.Add(at))
			}
			seen(t, db, now.Add(tt.length-time.Minute))
			if alive(tt.length) {
				t.Errorf("%s: a session lives longer than %s", tt.person, tt.length)
			}
		}
	})
}

// seen waits for the last use, which is noted beside the request, to be at.
func seen(t *testing.T, db *sql.DB, at time.Time) {
	t.Helper()
	sqldbtest.Exec(t, db, `UPDATE session SET seen_ms = CASE WHEN seen_ms > $1 THEN seen_ms ELSE $1 END`, at.UnixMilli())
}

func TestCodeByEmail(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		e := enter(t, db, "P1", "P2")
		owner := e.visit("P1")
		owner.want("POST", "/access/email", map[string]string{"email": " Amina@Example.org "}, 204)
		mail := e.server.Next(t)
		if mail.To != "amina@example.org" || mail.Subject != "mail.code_subject" {
			t.Fatalf("mail = %+v", mail)
		}
		owner.want("POST", "/access/email/code", map[string]string{"code": "AAAA-AAAA"}, 422)
		stranger := e.visit("P2")
		stranger.want("POST", "/access/email/code", map[string]string{"code": codeIn(t, mail.Text)}, 422)
		address, err := url.Parse(e.url)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range owner.client.Jar.Cookies(address) { // the same machine, another person
			if c.Name == "xnet_code" {
				stranger.client.Jar.SetCookies(address, []*http.Cookie{c})
			}
		}
		stranger.want("POST", "/access/email/code", map[string]string{"code": codeIn(t, mail.Text)}, 422)
		owner.want("POST", "/access/email/code", map[string]string{"code": strings.ToLower(codeIn(t, mail.Text))}, 204)
		owner.want("POST", "/access/email/code", map[string]string{"code": codeIn(t, mail.Text)}, 422) // works once
		if got := owner.want("GET", "/access", nil, 200); !strings.Contains(got, `"code_expires":null`) || !strings.Contains(got, `"email":"amina@example.org"`) {
			t.Errorf("access = %s", got)
		}

		asks, other := e.browser("192.0.2.20"), e.browser("192.0.2.21")
		asks.want("POST", "/session/email", map[string]string{"email": "amina@example.org"}, 204)
		code := codeIn(t, e.server.Next(t).Text)
		other.want("POST", "/session/email", map[string]string{"email": "amina@example.org"}, 204)
		e.server.Next(t)
		other.want("POST", "/session/email/code", map[string]string{"code": code}, 422) // of another browser
		asks.want("POST", "/session/email/code", map[string]string{"code": code}, 204)
		if got := asks.want("GET", "/session", nil, 200); !strings.Contains(got, `"way":"email"`) {
			t.Errorf("session = %s", got)
		}
		asks.want("POST", "/session/email/code", map[string]string{"code": code}, 422)

		for range 6 {
			other.want("POST", "/session/email/code", map[string]string{"code": "AAAA-AAAA"}, 422)
			e.clock.Add(60_000)
		}
		noSecrets(t, e, code)
	})
}

// noSecrets holds that neither the log nor the outbox tells a code or an address.
func noSecrets(t *testing.T, e entrance, code string) {
	t.Helper()
	log := e.log.all()
	for _, secret := range []string{code, strings.ReplaceAll(code, "-", ""), "amina", "Person P1"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log tells %q", secret)
		}
	}
	testkit.Eventually(t, 5*time.Second, func() error { // the sender notes a letter as sent after the reader has it
		var kept int
		if err := e.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM outbox WHERE recipient <> ''`).Scan(&kept); err != nil || kept != 0 {
			return fmt.Errorf("%d addresses stay in the outbox, %v", kept, err)
		}
		return nil
	})
}

// A code by e-mail ends after ten minutes and after five tries, be the next one
// right.
func TestCodeByEmailEnds(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		e := enter(t, db, "P1")
		invite(t, e.store, "P1")
		sqldbtest.Exec(t, db, `UPDATE way_in SET email = 'amina@example.org'`)
		ask := func(address string) (*browser, string) {
			b := e.browser(address)
			b.want("POST", "/session/email", map[string]string{"email": "amina@example.org"}, 204)
			return b, codeIn(t, e.server.Next(t).Text)
		}
		b, code := ask("192.0.2.1")
		e.clock.Add((10 * time.Minute).Milliseconds())
		b.want("POST", "/session/email/code", map[string]string{"code": code}, 422)
		b, code = ask("192.0.2.2")
		for range 5 {
			b.want("POST", "/session/email/code", map[string]string{"code": "AAAA-AAAA"}, 422)
		}
		b.address = "192.0.2.3"
		b.want("POST", "/session/email/code", map[string]string{"code": code}, 422)
	})
}

// Who asks for a code for an address that nobody has gets the same answer, and
// nobody gets an e-mail.
func TestAskingTellsNothing(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		e := enter(t, db, "P1")
		invite(t, e.store, "P1")
		sqldbtest.Exec(t, db, `UPDATE way_in SET email = 'amina@example.org'`)
		nobody, somebody := e.browser("192.0.2.1"), e.browser("192.0.2.2")
		first := nobody.want("POST", "/session/email", map[string]string{"email": "nobody@example.org"}, 204)
		second := somebody.want("POST", "/session/email", map[string]string{"email": "amina@example.org"}, 204)
		if first != second {
			t.Errorf("answers differ: %q, %q", first, second)
		}
		if mail := e.server.Next(t); mail.To != "amina@example.org" {
			t.Errorf("an e-mail went to %s", mail.To)
		}
		for i := range 20 {
			status, text := nobody.send("POST", "/session/email", map[string]string{"email": "amina@example.org"})
			if i == 19 && status != http.StatusTooManyRequests {
				t.Errorf("21 e-mails within a moment: status %d: %s", status, text)
			}
		}
		somebody.want("POST", "/session/email", map[string]string{"email": "amina@example.org"}, 204)
		for _, bad := range []string{"", "amina", "a@b", "Amina <a@example.org>", "a@example.org\r\nBcc: x@example.org", strings.Repeat("a", 300) + "@example.org"} {
			somebody.want("POST", "/session/email", map[string]string{"email": bad}, 422)
		}
	})
}

func TestAddressIsOnePersons(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		e := enter(t, db, "P1", "P2")
		first, second := e.visit("P1"), e.visit("P2")
		for i, b := range []*browser{first, second} {
			b.want("POST", "/access/email", map[string]string{"email": "paire@example.org"}, 204)
			b.want("POST", "/access/email/code", map[string]string{"code": codeIn(t, e.server.Next(t).Text)}, []int{204, 409}[i])
		}
		first.want("POST", "/access/email", map[string]string{"email": "neuve@example.org"}, 204)
		first.want("POST", "/access/email/code", map[string]string{"code": codeIn(t, e.server.Next(t).Text)}, 204)
		if told := e.server.Next(t); told.To != "paire@example.org" || told.Subject != "mail.changed_subject" {
			t.Errorf("the address of before was told %+v", told)
		}
		first.want("DELETE", "/access/email", nil, 409)
		first.want("PUT", "/access/password", map[string]string{"new": password}, 204)
		first.want("DELETE", "/access/email", nil, 204)
		first.want("DELETE", "/access/password", nil, 409)
	})
}

// Guessing the password through an open browser is slowed; looking for a good new
// one is not.
func TestOldPasswordIsGuarded(t *testing.T) {
	db := sqldbtest.Open(t, t.TempDir()+"/xnet.db")
	e := enter(t, db, "P1")
	b := e.visit("P1")
	for range 10 {
		b.want("PUT", "/access/password", map[string]string{"new": "motdepasse"}, 422)
	}
	b.want("PUT", "/access/password", map[string]string{"new": password}, 204)
	for range 5 {
		b.want("PUT", "/access/password", map[string]string{"old": "guess", "new": password}, 422)
	}
	b.want("PUT", "/access/password", map[string]string{"old": password, "new": password}, 429)
}

// What is sent is read strictly, and a fault names its field.
func TestBadBodies(t *testing.T) {
	db := sqldbtest.Open(t, t.TempDir()+"/xnet.db")
	e := enter(t, db, "P1")
	b := e.visit("P1")
	for _, tt := range []struct {
		method, path string
		body         any
		field        string
	}{
		{"POST", "/session", map[string]any{"code": 7}, "code"},
		{"POST", "/session", map[string]any{"cod": "x"}, "cod"},
		{"POST", "/session", map[string]any{"code": "x", "name": "y"}, "code"},
		{"POST", "/session", map[string]any{"name": strings.Repeat("x", 300), "password": "y"}, "name"},
		{"POST", "/session", map[string]any{"name": "x", "password": strings.Repeat("y", 2000)}, "password"},
		{"PUT", "/access/password", map[string]any{"new": "short"}, "new"},
		{"PUT", "/access/password", map[string]any{"new": strings.Repeat("long password ", 100)}, "new"},
		{"PUT", "/access/password", map[string]any{"nouveau": "x"}, "nouveau"},
		{"POST", "/access/email", map[string]any{"email": "nobody"}, "email"},
		{"POST", "/tokens", map[string]any{"label": "", "scopes": []string{"consumption:read"}, "expires": now.Add(time.Hour)}, "label"},
		{"POST", "/tokens", map[string]any{"label": strings.Repeat("x", 101), "scopes": []string{"consumption:read"}, "expires": now.Add(time.Hour)}, "label"},
		{"POST", "/tokens", map[string]any{"label": "x", "scopes": []string{}, "expires": now.Add(time.Hour)}, "scopes"},
		{"POST", "/tokens", map[string]any{"label": "x", "scopes": []string{"meters:write"}, "expires": now.Add(time.Hour)}, "scopes"},
		{"POST", "/tokens", map[string]any{"label": "x", "scopes": []string{"consumption:read", "consumption:read"}, "expires": now.Add(time.Hour)}, "scopes"},
		{"POST", "/tokens", map[string]any{"label": "x", "scopes": []string{"consumption:read"}, "expires": now}, "expires"},
		{"POST", "/tokens", map[string]any{"label": "x", "scopes": []string{"consumption:read"}, "expires": now.AddDate(2, 0, 0)}, "expires"},
	} {
		text := b.want(tt.method, tt.path, tt.body, 422)
		if !strings.Contains(text, `"field":"`+tt.field+`"`) {
			t.Errorf("%s %s %v: the field is not %s: %s", tt.method, tt.path, tt.body, tt.field, text)
		}
	}
}

// Over HTTPS cookies are held to this one host, out of reach of scripts and of
// other sites.
func TestCookiesOverHTTPS(t *testing.T) {
	db := sqldbtest.Open(t, t.TempDir()+"/xnet.db")
	e := enter(t, db, "P1")
	e.door.Secure = true
	code := invite(t, e.store, "P1")
	response, err := http.Post(e.url+"/session", "application/json", strings.NewReader(`{"code":"`+code.String()+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var session bool
	for _, c := range response.Cookies() {
		session = session || c.Name == "__Host-xnet_session"
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("cookie %s", c.Name)
		}
	}
	if response.StatusCode != http.StatusNoContent || !session {
		t.Errorf("status %d, a session: %v", response.StatusCode, session)
	}
}

func FuzzParseEmail(f *testing.F) {
	for _, seed := range []string{"amina@example.org", " A@B.C ", "a@b", "\"a b\"@c.d", "a@b.c\r\nBcc: d@e.f", "<a@b.c>", "\xff@b.c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		address, faults := accounts.ParseEmail("email", typed)
		if len(faults) > 0 {
			return
		}
		if again, faults := accounts.ParseEmail("email", address); len(faults) > 0 || again != address || len(address) > 254 || strings.ContainsAny(address, " \r\n<>,;\"") {
			t.Errorf("%q is read as %q, that as %q", typed, address, again)
		}
	})
}

// Of several who send the right code of an e-mail at once, one comes in.
func TestCodeByEmailOpensOneSession(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		e := enter(t, db, "P1")
		invite(t, e.store, "P1")
		sqldbtest.Exec(t, db, `UPDATE way_in SET email = 'amina@example.org'`)
		browser, err := e.store.AskEmailCode(t.Context(), "amina@example.org", now)
		if err != nil {
			t.Fatal(err)
		}
		code, err := accounts.ParseShortCode(codeIn(t, e.server.Next(t).Text))
		if err != nil {
			t.Fatal(err)
		}
		var together sync.WaitGroup
		var opened atomic.Int64
		for range 4 {
			together.Go(func() {
				if _, err := e.store.SignInByEmail(t.Context(), browser, code, visit); err == nil {
					opened.Add(1)
				}
			})
		}
		together.Wait()
		if got := opened.Load(); got != 1 {
			t.Errorf("one code opened %d sessions", got)
		}
	})
}
