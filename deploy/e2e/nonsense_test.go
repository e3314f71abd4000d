package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A nonsense is a request that no page sends.
type nonsense struct {
	method, target, mediaType, body string
	header                          http.Header
}

// maxPage is what an answer may weigh, in bytes.
const maxPage = 60_000

// insides are words that an answer must not hold: those of a program, of its
// databases and of its files.
var insides = regexp.MustCompile(`(?i)goroutine|panic|\.go:\d|sqlite|syntax error|\bflux\b|influx|no such (table|file)|/api\.sqlite`)

func requests() (all []nonsense) {
	ask := func(targets ...string) {
		for _, target := range targets {
			all = append(all, nonsense{method: http.MethodGet, target: target})
		}
	}
	injections := []string{`' OR '1'='1`, `'; DROP TABLE person; --`, `") |> drop() //`, `${7*7}`, `<script>alert(1)</script>`,
		"../../../../etc/passwd", "\x00", "\xff\xfe", "%n%s%d", strings.Repeat("9", 5000), "-1", "0", "NaN", "9999-12", "0000-00"}
	for _, text := range injections {
		bad := url.QueryEscape(text)
		ask("/consommation/"+url.PathEscape(text), "/langue/"+url.PathEscape(text), "/langue/en?retour="+bad, "/?"+bad,
			"/api/v1/consumption/daily?from="+bad+"&to=2026-01-02", "/api/v1/consumption/daily?from=2026-01-01&to="+bad,
			"/api/v1/consumption/daily?from=2026-01-01&to=2026-01-02&kind="+bad,
			"/api/v1/consumption/monthly?from="+bad+"&to="+bad, "/api/v1/"+url.PathEscape(text), "/assets/"+url.PathEscape(text))
		all = append(all,
			nonsense{method: http.MethodPost, target: "/connexion", mediaType: "application/x-www-form-urlencoded", body: "code=" + bad},
			nonsense{method: http.MethodPost, target: "/api/v1/session", mediaType: "application/json", body: fmt.Sprintf(`{"code":%q}`, text)},
			nonsense{method: http.MethodPost, target: "/deconnexion", mediaType: "application/x-www-form-urlencoded", body: "jeton=" + bad})
	}
	for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, "BREW"} {
		all = append(all, nonsense{method: method, target: "/"}, nonsense{method: method, target: "/api/v1/consumption/daily"})
	}
	for _, mediaType := range []string{"application/json", "application/xml", "multipart/form-data; boundary=x", "multipart/form-data", "x", ""} {
		for _, body := range []string{"", "{", "[[[[", "--x", `{"code":{"code":1}}`, strings.Repeat("A", 1<<20)} {
			all = append(all, nonsense{method: http.MethodPost, target: "/connexion", mediaType: mediaType, body: body},
				nonsense{method: http.MethodPost, target: "/api/v1/session", mediaType: mediaType, body: body})
		}
	}
	return append(all,
		nonsense{method: http.MethodGet, target: "/", header: http.Header{"Cookie": {"xnet_session=' OR 1=1 --; xnet_langue=../en"}}},
		nonsense{method: http.MethodGet, target: "/", header: http.Header{"Cookie": {"xnet_session=" + strings.Repeat("A", 8000)}}},
		nonsense{method: http.MethodPost, target: "/connexion", header: http.Header{"Origin": {"https://elsewhere.example"}}})
}

// TestNonsenseIsAnsweredPlainly sends what attackers and broken programs send,
// as a signed-in tenant and as nobody. Every answer is short, none is a failure
// of the server or tells of its insides, and afterwards the tenant's figures are
// what they were.
func TestNonsenseIsAnsweredPlainly(t *testing.T) {
	s := newSystem(t, home("here", "Europe/Paris", map[string]string{"EL": "electricity"}),
		home("there", "Europe/Paris", map[string]string{"EX": "electricity"}))
	inside := s.signIn(t, "p-here")
	before := inside.page(t)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	outside := &visitor{client: &http.Client{Jar: jar}, api: s.api}
	sent := 0
	for _, v := range []*visitor{inside, outside} {
		for _, n := range requests() {
			v.send(t, n)
			sent++
		}
	}
	t.Logf("%d requests", sent)
	if after := inside.page(t); stripToken(after) != stripToken(before) {
		t.Errorf("the tenant's page is not what it was:\n%s", after)
	}
	if strings.Contains(before, "EX") || strings.Contains(before, "there") {
		t.Error("the page tells of another residence")
	}
}

var token = regexp.MustCompile(`value="[^"]+"`)

func stripToken(page string) string { return token.ReplaceAllString(page, "") }

// A frozen jar sends its cookies and takes none: a switch of language, or the end
// of a session, stays without effect on the requests that follow.
type frozen struct{ http.CookieJar }

// SetCookies implements http.CookieJar.
func (frozen) SetCookies(*url.URL, []*http.Cookie) {}

// send sends one request; redirections are answers.
func (v *visitor) send(t *testing.T, n nonsense) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), n.method, v.api+n.target, strings.NewReader(n.body))
	if err != nil {
		t.Fatal(err)
	}
	for key, lines := range n.header {
		request.Header[key] = lines
	}
	if n.mediaType != "" {
		request.Header.Set("Content-Type", n.mediaType)
	}
	client := *v.client
	client.Timeout = 10 * time.Second
	client.Jar = frozen{v.client.Jar}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Do(request)
	short := fmt.Sprintf("%s %.80q %.40q", n.method, n.target, n.body)
	if err != nil {
		t.Errorf("%s: %v", short, err)
		return
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 500 || len(text) > maxPage || insides.Match(text) {
		t.Errorf("%s: %s, %v, %d bytes: %.600s", short, response.Status, err, len(text), text)
	}
	if to, err := response.Location(); err == nil && to.Host != request.URL.Host {
		t.Errorf("%s leads to %s", short, to)
	}
}

// TestHeadIsAnsweredLikeGet: link checkers and watchdogs ask with HEAD.
func TestHeadIsAnsweredLikeGet(t *testing.T) {
	s := newSystem(t)
	for _, path := range []string{"/connexion", "/healthz"} {
		response, err := http.Head(s.api + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK || len(body) > 0 {
			t.Errorf("HEAD %s: %s, %d bytes, %v", path, response.Status, len(body), err)
		}
	}
}
