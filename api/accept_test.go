package main

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

// A stage is one step of the way of a machine and its family: whoever may take it
// is named, the first of them takes it.
type stage struct {
	name, method, path, body string
	may                      []string
	status                   int
	at                       time.Time           // the clock moves there before; zero for not
	then                     func(answer string) // learns ids from the answer
}

// said is a member of an answer, by the names that lead to it.
func said(t *testing.T, answer string, names ...string) string {
	t.Helper()
	var told any
	if err := json.Unmarshal([]byte(answer), &told); err != nil {
		t.Fatalf("%v: %.200s", err, answer)
	}
	for _, name := range names {
		switch now := told.(type) {
		case map[string]any:
			told = now[name]
		case []any:
			told = now[0].(map[string]any)[name]
		}
	}
	return fmt.Sprint(told)
}

// count is how much the database holds of what a stage could change.
const count = `
SELECT (SELECT COUNT(*) FROM machine) || '/' || (SELECT COUNT(*) FROM machine_event) || '/' || (SELECT COUNT(*) FROM machine_wipe) || '/' ||
       (SELECT COUNT(*) FROM machine_sale) || '/' || (SELECT COUNT(*) FROM repair_step) || '/' || (SELECT COUNT(*) FROM training_step) || '/' ||
       (SELECT COUNT(*) FROM training_duty WHERE state = 'done') || '/' || (SELECT COUNT(*) FROM training_follow_up WHERE answered_ms IS NOT NULL)`

// TestMachineAndFamily walks one machine from intake to recycling and the family
// that buys it from the invitation to the follow-up, through JSON alone. Before
// each step everybody else of the matrix tries it: all are refused, nothing
// changes. It logs the table of who tried what.
func TestMachineAndFamily(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		d := newDeskOfAll(t, db)
		j := &journey{deskOfAll: d, machine: "M-none", duty: "none", ticket: "none", session: "none"}
		var table strings.Builder
		refused := 0
		for i := range j.stages() {
			s := j.stages()[i] // with the ids that are known by now
			if !s.at.IsZero() {
				d.at(s.at)
			}
			fmt.Fprintf(&table, "%-22s", s.name)
			before := j.held()
			for _, a := range matrixActors {
				if slices.Contains(s.may, a.name) {
					fmt.Fprintf(&table, " %3s", "yes")
					continue
				}
				status, _ := j.tries(a.name, s)
				fmt.Fprintf(&table, " %3d", status)
				refused++
				if status != 401 && status != 403 && status != 404 {
					t.Errorf("%s: %s is answered %d, want a refusal", s.name, a.name, status)
				}
			}
			if after := j.held(); after != before {
				t.Errorf("%s: refused, and yet something changed: %s, then %s", s.name, before, after)
			}
			table.WriteByte('\n')
			status, answer := j.tries(s.may[0], s)
			if status != s.status {
				t.Fatalf("%s: %s is answered %d, want %d: %s", s.name, s.may[0], status, s.status, answer)
			}
			if s.then != nil {
				s.then(answer)
			}
		}
		t.Logf("%d steps, %d tries refused\n%s", len(j.stages()), refused, table.String())
		if end := j.held(); !strings.HasSuffix(end, "/1") {
			t.Errorf("at the end: %s, want one follow-up answered", end)
		}
	})
}

// A journey knows the ids of what it has made so far.
type journey struct {
	*deskOfAll
	machine, drive, duty, ticket, session, enrolment string
}

func (j *journey) held() (all string) {
	j.t.Helper()
	if err := j.db.QueryRowContext(j.t.Context(), count).Scan(&all); err != nil {
		j.t.Fatal(err)
	}
	return all
}

func (j *journey) tries(who string, s stage) (int, string) {
	request := httptest.NewRequestWithContext(j.t.Context(), s.method, apiRoot+s.path, strings.NewReader(s.body))
	request.Header.Set("Content-Type", "application/json")
	for _, a := range matrixActors {
		if a.name == who {
			a.sign(request)
		}
	}
	seeMachine(j.t, j.db, request)
	answer := httptest.NewRecorder()
	j.routes.ServeHTTP(answer, request)
	return answer.Code, answer.Body.String()
}

// Who may do what.
var (
	byWorkshop = []string{"tec", "adm"}
	bySellers  = []string{"adv", "adm"}
	byReaders  = []string{"tec", "adv", "adm"}
	byTrainer  = []string{"tra", "adv", "adm"}
	byFamily   = []string{"dor"}
)

func (j *journey) stages() []stage {
	return slices.Concat(j.refurbished(), j.sold(), j.trained(), j.ended())
}

func (j *journey) step(name, to string) stage {
	return stage{name: name, method: "POST", path: "/machines/" + j.machine + "/steps", body: `{"to":"` + to + `"}`, may: byWorkshop, status: 200}
}

func (j *journey) wiped(name string) stage {
	return stage{name: name, method: "POST", path: "/machines/" + j.machine + "/wipes", may: byWorkshop, status: 201,
		body: fmt.Sprintf(`{"drive":"%s","level":"purge","method":"erase","tool":"nwipe","result":"passed","report":"%s"}`, j.drive, base64.StdEncoding.EncodeToString([]byte("erased WAYDISK1")))}
}

func (j *journey) refurbished() []stage {
	at := "/machines/" + j.machine
	tests := readBodies(j.t)["POST /api/v1/machines/{bench}/tests"]
	return []stage{
		{name: "intake", method: "POST", path: "/machines", may: byWorkshop, status: 201,
			body: `{"residence":"R","serial":"WAY1","kind":"used","form":"desktop","maker":"HP","model":"Elite","donor":"Don","drives":[{"serial":"WAYDISK1","medium":"hdd","size_gb":500}]}`,
			then: func(answer string) { j.machine, j.drive = said(j.t, answer, "id"), said(j.t, answer, "drives", "id") }},
		j.step("to be wiped", "wiping"), j.wiped("wipe"), j.step("to be tested", "testing"),
		{name: "tests", method: "POST", path: at + "/tests", body: tests, may: byWorkshop, status: 201},
		{name: "grades", method: "PUT", path: at + "/grades", body: `{"appearance":"B","function":"A"}`, may: byWorkshop, status: 200},
		j.step("ready", "ready"),
	}
}

func (j *journey) sold() []stage {
	at := "/machines/" + j.machine
	return []stage{
		{name: "reservation", method: "PUT", path: at + "/reservation", body: `{"household":"F-dora","until":"2026-03-25"}`, may: bySellers, status: 200},
		{name: "sale", method: "POST", path: at + "/sale", body: `{"household":"F-dora","buyer":"P-dora","price_cents":6000,"subsidised":true,"payment":"cash"}`, may: bySellers, status: 201,
			then: func(string) {
				_, answer := j.tries("adv", stage{method: "GET", path: "/training/duties"})
				list := map[string]any{}
				if err := json.Unmarshal([]byte(answer), &list); err != nil {
					j.t.Fatal(err)
				}
				j.duty = text(itemOf(j.t, list, "household", "F-dora"), "id")
			}},
		{name: "handover", method: "POST", path: at + "/handover", body: `{"signed_by":"Signature","accessories":"souris"}`, may: byReaders, status: 200},
	}
}

func (j *journey) trained() []stage {
	path, body := j.plan("2026-03-30")
	level := `{"computer":1,"internet":1,"mail":0,"forms":0,"safety":1}`
	held := time.Date(2026, 3, 30, 15, 0, 0, 0, paris(j.t))
	return []stage{
		{name: "session", method: "POST", path: path, body: body, may: bySellers, status: 201, then: func(answer string) { j.session = said(j.t, answer, "id") }},
		{name: "invitation", method: "POST", path: "/training/duties/" + j.duty + "/invitation", body: `{"session":"` + j.session + `"}`, may: bySellers, status: 200},
		{name: "own level", method: "PUT", path: "/training/mine/" + j.duty + "/position", body: level, may: byFamily, status: 200},
		{name: "enrolment", method: "POST", path: "/training/duties/" + j.duty + "/enrolment", body: `{"session":"` + j.session + `"}`, may: bySellers, status: 200},
		{name: "sheet", method: "GET", path: "/training/sessions/" + j.session + "/sheet", may: byTrainer, status: 200, at: held,
			then: func(answer string) { j.enrolment = said(j.t, answer, "rows", "enrolment") }},
		{name: "attendance", method: "PUT", path: "/training/sessions/" + j.session + "/attendance", body: `{"marks":[{"enrolment":"` + j.enrolment + `","present":true}]}`, may: byTrainer, status: 200},
		{name: "certificate", method: "GET", path: "/training/mine/" + j.duty + "/certificate", may: byFamily, status: 200},
		{name: "follow-up", method: "PUT", path: "/training/mine/" + j.duty + "/follow-up", body: `{"still_used":"often","job_search":"yes","blocked":""}`, may: byFamily, status: 200,
			at: time.Date(2026, 5, 4, 12, 0, 0, 0, paris(j.t))},
	}
}

func (j *journey) ended() []stage {
	all := []stage{{name: "repair is asked for", method: "POST", path: "/my-machines/" + j.machine + "/tickets", body: `{"problem":"panne"}`, may: byFamily, status: 201,
		then: func(answer string) { j.ticket = said(j.t, answer, "id") }}}
	for _, to := range []string{"diagnosed", "repaired", "given_back", "closed"} {
		all = append(all, stage{name: "repair " + to, method: "POST", path: "/tickets/" + j.ticket + "/steps", body: `{"to":"` + to + `"}`, may: byWorkshop, status: 200})
	}
	return append(all,
		stage{name: "return for money", method: "POST", path: "/machines/" + j.machine + "/return", body: `{"reason":"ne sert plus","refund_cents":100}`, may: bySellers, status: 200},
		j.wiped("wipe again"), j.step("recycled", "recycled"))
}
