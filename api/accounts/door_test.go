package accounts_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/notify"
	"github.com/xnetroseraie/xnet/api/notify/notifytest"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// An entrance is the JSON of accounts over HTTP, with a real mail server and a
// clock that tests turn.
type entrance struct {
	t      *testing.T
	url    string
	db     *sql.DB
	store  *accounts.Store
	clerk  *accounts.Clerk
	door   *accounts.Door
	server *notifytest.Server
	clock  *atomic.Int64 // ms
	log    *logBuffer
}

type logBuffer struct{ lines chan string }

func (b *logBuffer) Write(p []byte) (int, error) {
	select {
	case b.lines <- string(p):
	default:
	}
	return len(p), nil
}

func (b *logBuffer) all() string {
	var text strings.Builder
	for {
		select {
		case line := <-b.lines:
			text.WriteString(line)
		default:
			return text.String()
		}
	}
}

func (e entrance) now() time.Time { return sqldb.Time(e.clock.Load()) }

// say is a catalogue that says its keys.
func say(_, key string, args ...any) string {
	return strings.TrimSpace(key + " " + strings.Trim(fmt.Sprint(args...), "[]"))
}

// enter opens an entrance for persons.
func enter(t *testing.T, db *sql.DB, persons ...string) entrance {
	t.Helper()
	e := entrance{t: t, db: db, store: store(t, db, persons...), server: notifytest.Start(t), clock: &atomic.Int64{},
		log: &logBuffer{make(chan string, 10_000)}}
	e.clock.Store(now.UnixMilli())
	log := testkit.Logger(t, e.log)
	sender, err := notify.NewSender(e.server.Config())
	if err != nil {
		t.Fatal(err)
	}
	e.clerk = &accounts.Clerk{Store: e.store, Site: "https://roseraie.example", Advisor: "Claire Moreau", Dial: "02 41 00 00 00",
		Code: 400 * 24 * time.Hour, Now: e.now, Say: say, Date: func(_ string, d civil.Date) string { return d.String() }}
	outbox := notify.NewOutbox(db, sender, e.clerk.Composers(), e.now, log)
	e.clerk.Outbox = outbox
	e.door = &accounts.Door{Store: e.store, Throttle: accounts.NewThrottle(), Asks: accounts.NewAskThrottle(), Outbox: outbox, Log: log,
		Now: e.now, Terms: accounts.Terms{Length: 30 * 24 * time.Hour, Idle: 7 * 24 * time.Hour, StaffLength: 7 * 24 * time.Hour, StaffIdle: 8 * time.Hour}}
	router := echo.New()
	router.IPExtractor = echo.ExtractIPFromXFFHeader()
	router.HTTPErrorHandler = func(err error, c echo.Context) {
		_ = problem.Write(c, problem.Of(err), func(key string, args ...any) string { return say("", key, args...) })
	}
	router.Use(e.door.Recognise)
	once := resource.NewOnce(db, e.now, func(c echo.Context) string { s, _ := accounts.Who(c); return string(s.Person.ID) })
	accounts.NewHandler(e.door, e.clerk, once).Register(router.Group(""))
	served := httptest.NewServer(router)
	t.Cleanup(served.Close)
	e.url = served.URL
	notifytest.Run(t, outbox)
	return e
}

// A browser keeps cookies and comes from an address.
type browser struct {
	entrance
	client  *http.Client
	address string
	header  http.Header
}

func (e entrance) browser(address string) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		e.t.Fatal(err)
	}
	return &browser{e, &http.Client{Jar: jar, Timeout: 20 * time.Second}, address, http.Header{}}
}

// visit returns a browser in which the person signed in with a new code.
func (e entrance) visit(person accounts.PersonID) *browser {
	e.t.Helper()
	b := e.browser("192.0.2.7")
	code, err := e.store.Invite(e.t.Context(), person, e.now().Add(time.Hour))
	if err != nil {
		e.t.Fatal(err)
	}
	b.want("POST", "/session", map[string]string{"code": code.String()}, 204)
	return b
}

// send returns the status and the body of an answer.
func (b *browser) send(method, path string, body any) (int, string) {
	b.t.Helper()
	var text io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			b.t.Fatal(err)
		}
		text = strings.NewReader(string(encoded))
	}
	request, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, text)
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header = b.header.Clone()
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Forwarded-For", b.address)
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

// want fails the test unless the answer has the status; it returns the body.
func (b *browser) want(method, path string, body any, status int) string {
	b.t.Helper()
	got, text := b.send(method, path, body)
	if got != status {
		b.t.Errorf("%s %s: status %d, want %d: %s", method, path, got, status, text)
	}
	return text
}

// into decodes JSON.
func into[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// codeIn returns the code of an e-mail.
func codeIn(t *testing.T, text string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, "mail.code ")
	code, _, _ := strings.Cut(rest, "\n")
	if !found {
		t.Fatalf("no code in %q", text)
	}
	return code
}
