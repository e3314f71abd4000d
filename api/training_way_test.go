package main

import (
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/figures"
)

// A deskOfAll is the API asked by everybody, with a clock that moves.
type deskOfAll struct {
	t      *testing.T
	db     *sql.DB
	config Config
	routes *echo.Echo
	now    time.Time
}

func newDeskOfAll(t *testing.T, db *sql.DB) *deskOfAll {
	t.Helper()
	env := environment(map[string]string{"XNET_API_DATABASE_DSN": filepath.Join(t.TempDir(), "x.db"), "XNET_API_ADVISOR_NAME": "Claire Moreau",
		"XNET_API_ADVISOR_TELEPHONE": "02 41 00 00 00"})
	c, err := configured{}.load(program{env, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	d := &deskOfAll{t: t, db: db, config: c, now: fixedNow(t)}
	d.routes, err = server{config: c, db: db, log: logger(t), now: func() time.Time { return d.now },
		figures: figures.NewRegistry(), ready: func() error { return nil }}.routes()
	if err != nil {
		t.Fatal(err)
	}
	seedMatrix(t, db)
	d.at(d.now)
	return d
}

// at moves the clock; everybody stays signed in.
func (d *deskOfAll) at(now time.Time) {
	d.now = now
	sqldbtest.Exec(d.t, d.db, `UPDATE session SET seen_ms = $1, created_ms = $1, expires_ms = $2`, sqldb.Ms(now), sqldb.Ms(now.Add(time.Hour)))
}

// ask sends a request in an actor's name and holds its status.
func (d *deskOfAll) ask(who, method, path, body string, status int) map[string]any {
	d.t.Helper()
	request := httptest.NewRequestWithContext(d.t.Context(), method, apiRoot+path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	for _, a := range matrixActors {
		if a.name == who {
			a.sign(request)
		}
	}
	answer := httptest.NewRecorder()
	d.routes.ServeHTTP(answer, request)
	if answer.Code != status {
		d.t.Fatalf("%s asks %s %s: %d, want %d: %s", who, method, path, answer.Code, status, answer.Body)
	}
	text := answer.Body.String()
	if strings.HasPrefix(text, "%PDF") {
		return map[string]any{"pdf": text}
	}
	told := map[string]any{}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &told); err != nil {
			d.t.Fatalf("%s %s: %v: %s", method, path, err, text)
		}
	}
	told["text"] = text
	return told
}

// refused sends it in the name of everybody who must not.
func (d *deskOfAll) refused(method, path, body string, status int, whom ...string) {
	d.t.Helper()
	for _, who := range whom {
		d.ask(who, method, path, body, status)
	}
}

// itemOf finds the item of a list by one of its members.
func itemOf(t *testing.T, list map[string]any, member, wanted string) map[string]any {
	t.Helper()
	items, _ := list["items"].([]any)
	for _, one := range items {
		if item, _ := one.(map[string]any); item[member] == wanted {
			return item
		}
	}
	t.Fatalf("no item whose %s is %s: %v", member, wanted, list["text"])
	return nil
}

func stateOf(story map[string]any) string {
	now, _ := story["now"].(map[string]any)
	state, _ := now["state"].(string)
	return state
}

func text(of map[string]any, member string) string {
	found, _ := of[member].(string)
	return found
}

func (d *deskOfAll) plan(day string) (path, body string) {
	return "/training/sessions", `{"course":"TC-1","residence":"R","trainer":"P-tra","date":"` + day + `","from":"14:00","to":"16:00","place":"Cyber Centre",` +
		`"partner":"Terre des Sciences","language":"fr","capacity":1,"may_wait":1}`
}

// TestFamilysWay leads a family from the sale and the invitation to the follow-up
// through JSON alone, each step by its role, and every step of others refused.
func TestFamilysWay(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		d := newDeskOfAll(t, db)
		sale := `{"household":"F-dora","buyer":"P-dora","price_cents":6000,"subsidised":true,"payment":"cash"}`
		d.refused("POST", "/machines/M-shelf/sale", sale, 403, "tra", "man", "ins", "dor")
		d.ask("adv", "POST", "/machines/M-shelf/sale", sale, 201)
		duty := text(itemOf(t, d.ask("adv", "GET", "/training/duties", "", 200), "household", "F-dora"), "id")
		d.refused("GET", "/training/duties/"+duty, "", 403, "tra", "tec", "man", "ins", "dor", "ami", "ma2")
		d.refused("GET", "/training/duties/"+duty, "", 404, "ad2")

		session := d.planned("2026-03-30")
		d.invite(duty, session)
		d.waitAndMoveUp(duty, session)
		d.remindAndPrint()
		d.missAndComeBack(duty, session)
		d.followUp(duty)
	})
}

// planned makes a session with one place.
func (d *deskOfAll) planned(day string) string {
	path, body := d.plan(day)
	d.refused("POST", path, body, 403, "tra", "man", "tec", "ins", "dor", "ma2")
	d.refused("POST", path, body, 404, "ad2")
	_, past := d.plan("2026-01-05")
	_, never := d.plan("2026-02-29")
	d.refused("POST", path, past, 422, "adv")
	d.refused("POST", path, never, 422, "adv")
	return text(d.ask("adv", "POST", path, body, 201), "id")
}

func (d *deskOfAll) invite(duty, session string) {
	path, body := "/training/duties/"+duty+"/invitation", `{"session":"`+session+`"}`
	d.refused("POST", path, body, 403, "tra", "man", "tec", "ins", "dor")
	d.refused("POST", path, body, 404, "ad2")
	for range 2 {
		if got := stateOf(d.ask("adv", "POST", path, body, 200)); got != "invited" {
			d.t.Errorf("after the invitation: %s", got)
		}
	}
	mine := itemOf(d.t, d.ask("dor", "GET", "/training/mine", "", 200), "id", duty)
	if shown, _ := mine["session"].(map[string]any); shown["place"] != "Cyber Centre" {
		d.t.Errorf("the buyer sees %v", mine)
	}
	level := `{"computer":1,"internet":1,"mail":0,"forms":0,"safety":1}`
	d.refused("PUT", "/training/mine/"+duty+"/position", level, 404, "ami", "bru", "adv", "tra")
	d.ask("dor", "PUT", "/training/mine/"+duty+"/position", level, 200)
}

// waitAndMoveUp: the one place is somebody else's, who then cannot come.
func (d *deskOfAll) waitAndMoveUp(duty, session string) {
	choose := func(wait bool) string { return `{"session":"` + session + `","wait":` + strconv.FormatBool(wait) + `}` }
	d.ask("adv", "POST", "/training/duties/TD-bruno/enrolment", choose(false), 200)
	path := "/training/duties/" + duty + "/enrolment"
	d.refused("POST", path, choose(false), 403, "tra", "man", "tec", "ins", "dor")
	if full := d.ask("adv", "POST", path, choose(false), 409); full["code"] != "training.full" {
		d.t.Errorf("full: %v", full)
	}
	if got := stateOf(d.ask("adv", "POST", path, choose(true), 200)); got != "waiting" {
		d.t.Errorf("on the waiting list: %s", got)
	}
	d.refused("POST", "/training/duties/TD-bruno/excuse", `{"reason":"malade"}`, 403, "tra", "bru")
	d.ask("adv", "POST", "/training/duties/TD-bruno/excuse", `{"reason":"malade"}`, 200)
	if got := stateOf(d.ask("adv", "GET", "/training/duties/"+duty, "", 200)); got != "enrolled" {
		d.t.Errorf("after a place became free: %s", got)
	}
}

// remindAndPrint: the command reminds, the advisor prints and calls.
func (d *deskOfAll) remindAndPrint() {
	d.at(time.Date(2026, 3, 23, 9, 0, 0, 0, paris(d.t)))
	made, err := d.config.trainings(d.db).Remind(d.t.Context(), d.now)
	if err != nil || made.Letters+made.Mails+made.Calls == 0 {
		d.t.Errorf("reminders: %+v, %v", made, err)
	}
	d.refused("GET", "/training/letters", "", 403, "tra", "man", "tec", "dor")
	letters, _ := d.ask("adv", "GET", "/training/letters", "", 200)["items"].([]any)
	var ids []string
	for _, one := range letters {
		letter, _ := one.(map[string]any)
		ids = append(ids, text(letter, "id"))
	}
	body, err := json.Marshal(map[string]any{"letters": ids})
	if err != nil {
		d.t.Fatal(err)
	}
	d.refused("POST", "/training/letters/print", string(body), 404, "ad2")
	if file := d.ask("adv", "POST", "/training/letters/print", string(body), 200); file["pdf"] == nil {
		d.t.Error("the letters are no PDF")
	}
	d.refused("POST", "/training/letters/print", string(body), 404, "adv") // they wait no more
}

// missAndComeBack: an absence leads to another date, which the buyer keeps.
func (d *deskOfAll) missAndComeBack(duty, session string) {
	attendance := func(session string, present bool, status int, who string) {
		sheet := d.ask("tra", "GET", "/training/sessions/"+session+"/sheet", "", 200)
		if told := text(sheet, "text"); strings.Contains(told, "0673111173") || strings.Contains(told, "Porte-") || strings.Contains(told, "F-dora") {
			d.t.Errorf("the trainer sees more than names: %s", told)
		}
		rows, _ := sheet["rows"].([]any)
		row, _ := rows[0].(map[string]any)
		body := `{"marks":[{"enrolment":"` + text(row, "enrolment") + `","present":` + strconv.FormatBool(present) + `}]}`
		d.ask(who, "PUT", "/training/sessions/"+session+"/attendance", body, status)
	}
	second := d.planned("2026-04-20")
	attendance(session, true, 409, "tra") // it has not begun
	d.at(time.Date(2026, 3, 30, 15, 0, 0, 0, paris(d.t)))
	attendance(session, false, 403, "man")
	attendance(session, false, 403, "dor")
	attendance(session, false, 404, "ad2")
	attendance(session, false, 200, "tra")
	story := d.ask("adv", "GET", "/training/duties/"+duty, "", 200)
	if now, _ := story["now"].(map[string]any); now["state"] != "invited" || now["session"] != second {
		d.t.Errorf("after an absence: %v", story["now"])
	}
	d.ask("adv", "POST", "/training/duties/"+duty+"/enrolment", `{"session":"`+second+`"}`, 200)
	d.at(time.Date(2026, 4, 20, 15, 0, 0, 0, paris(d.t)))
	attendance(second, true, 200, "tra")
	if file := d.ask("dor", "GET", "/training/mine/"+duty+"/certificate", "", 200); file["pdf"] == nil {
		d.t.Error("the certificate is no PDF")
	}
	d.refused("GET", "/training/mine/"+duty+"/certificate", "", 404, "ami", "bru")
	d.refused("POST", "/training/duties/"+duty+"/exemption", `{"reason":"sait faire"}`, 409, "adv") // trained already
}

func (d *deskOfAll) followUp(duty string) {
	path, body := "/training/mine/"+duty+"/follow-up", `{"still_used":"often","job_search":"yes","blocked":"le clavier"}`
	d.refused("PUT", path, body, 409, "dor") // too early
	d.at(time.Date(2026, 5, 20, 12, 0, 0, 0, paris(d.t)))
	itemOf(d.t, d.ask("adv", "GET", "/training/follow-ups", "", 200), "id", duty)
	d.refused("PUT", path, body, 404, "ami", "bru", "tra", "adv")
	d.refused("PUT", "/training/duties/"+duty+"/follow-up", body, 403, "tra", "man", "tec")
	d.ask("dor", "PUT", path, body, 200)
	counts := d.ask("man", "GET", "/training/counts", "", 200)
	if told := text(counts, "text"); strings.Contains(told, "Doriane") || itemOf(d.t, counts, "residence", "R")["for_job_search"] != 1.0 {
		d.t.Errorf("the manager's counts: %s", told)
	}
	for _, who := range []string{"tra", "tec"} {
		for _, use := range []string{"/consumption/compare?from=2026-01-01&to=2026-02-01&household=F-dora", "/charges/outlook?household=F-dora"} {
			d.ask(who, http.MethodGet, use, "", 404)
		}
	}
}
