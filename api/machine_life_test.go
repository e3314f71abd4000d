package main

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// seeMachine says in a request that grades a computer which version was seen.
func seeMachine(t *testing.T, db *sql.DB, request *http.Request) {
	t.Helper()
	path, ok := strings.CutSuffix(request.URL.Path, "/grades")
	if !ok {
		return
	}
	var version int64
	err := db.QueryRowContext(t.Context(), `SELECT version FROM machine WHERE id = $1`, path[strings.LastIndex(path, "/")+1:]).Scan(&version)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("If-Match", fmt.Sprintf("%q", fmt.Sprint(version)))
}

// A walk asks the API in the name of the matrix's actors, one after the other.
type walk struct {
	t *testing.T
	m *matrix
}

// ask sends a request of an actor and returns the answer, which must have the
// status wanted.
func (w walk) ask(who, method, path, body string, want int) map[string]any {
	w.t.Helper()
	i := slices.IndexFunc(matrixActors, func(a actor) bool { return a.name == who })
	request := httptest.NewRequestWithContext(w.t.Context(), method, apiRoot+path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	matrixActors[i].sign(request)
	seeMachine(w.t, w.m.db, request)
	recorder := httptest.NewRecorder()
	w.m.routes.ServeHTTP(recorder, request)
	if recorder.Code != want {
		w.t.Errorf("%s asks %s %s: %d, want %d: %.300s", who, method, path, recorder.Code, want, recorder.Body)
	}
	var answer map[string]any
	if strings.Contains(recorder.Header().Get("Content-Type"), "json") {
		if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil {
			w.t.Errorf("%s %s: %v", method, path, err)
		}
	}
	return answer
}

// TestLifeOfAMachineByJSON walks a machine from intake to recycling, each step by
// the role that does it; who may not is refused before.
func TestLifeOfAMachineByJSON(t *testing.T) {
	testMatrix(t, func(t *testing.T, m *matrix) {
		w := walk{t, m}
		made := w.ask("tec", "POST", "/machines", `{"residence":"R","serial":"WALK1","kind":"used","form":"desktop","maker":"HP","model":"Elite","donor":"Don","drives":[{"serial":"WALKDISK1","medium":"hdd","size_gb":500}]}`, 201)
		id := fmt.Sprint(made["id"])
		at := "/machines/" + id
		drive := made["drives"].([]any)[0].(map[string]any)["id"]
		for _, actor := range []string{"nob", "ami", "man", "tra", "ins", "ma2", "kM"} {
			w.ask(actor, "POST", at+"/steps", `{"to":"wiping"}`, map[bool]int{true: http.StatusUnauthorized, false: http.StatusForbidden}[actor == "nob"])
		}
		w.ask("ad2", "POST", at+"/steps", `{"to":"wiping"}`, 404)
		w.ask("tec", "POST", at+"/steps", `{"to":"ready"}`, 409)
		w.ask("tec", "POST", at+"/steps", `{"to":"wiping"}`, 200)
		wipe := func(report string, want int) {
			w.ask("tec", "POST", at+"/wipes", fmt.Sprintf(`{"drive":"%s","level":"clear","method":"overwrite","tool":"nwipe","result":"passed","report":"%s"}`,
				drive, base64.StdEncoding.EncodeToString([]byte(report))), want)
		}
		wipe("erased DISK2", 409)
		wipe("erased WALKDISK1", 201)
		w.ask("tec", "POST", at+"/steps", `{"to":"testing"}`, 200)
		tests := m.bodies["POST /api/v1/machines/{bench}/tests"]
		w.ask("tec", "POST", at+"/tests", tests, 201)
		w.ask("tec", "PUT", at+"/grades", `{"appearance":"B","function":"A"}`, 200)
		w.ask("tec", "POST", at+"/steps", `{"to":"ready"}`, 200)
		sale := `{"household":"F-%s","buyer":"P-%s","price_cents":%d,"subsidised":true,"payment":"cash"%s}`
		w.ask("tec", "POST", at+"/sale", fmt.Sprintf(sale, "dora", "dora", 6000, ""), 403)
		w.ask("adv", "POST", at+"/sale", fmt.Sprintf(sale, "amina", "amina", 6000, ""), 409) // has one
		w.ask("adv", "POST", at+"/sale", fmt.Sprintf(sale, "sarah", "sarah", 6000, ""), 404) // of another residence
		w.ask("adv", "POST", at+"/sale", fmt.Sprintf(sale, "dora", "dora", 6000, `,"sold_on":"2026-03-19"`), 422)
		sold := w.ask("adv", "POST", at+"/sale", fmt.Sprintf(sale, "dora", "dora", 6000, ""), 201)
		w.ask("adv", "POST", at+"/sale", fmt.Sprintf(sale, "dora", "dora", 6000, ""), 409)
		if sold["state"] != "sold" {
			t.Errorf("after the sale it is %v", sold["state"])
		}
		w.ask("dor", "POST", "/my-machines/"+id+"/tickets", `{"problem":"panne"}`, 409)
		w.ask("tec", "POST", at+"/handover", `{"signed_by":"Signature","accessories":"souris"}`, 200)
		own := w.ask("dor", "GET", "/my-machines", "", 200)["items"].([]any)
		if len(own) != 1 || own[0].(map[string]any)["guarantee"].(map[string]any)["until"] != "2028-03-18" {
			t.Errorf("the household sees %v", own)
		}
		if a := w.ask("tec", "POST", "/registration-checks", `{"typed":"walk1"}`, 200); a["answer"] != "covered" || a["machine"].(map[string]any)["keeper"] != nil {
			t.Errorf("checked: %v", a["answer"])
		}
		w.ask("bru", "POST", "/my-machines/"+id+"/tickets", `{"problem":"panne"}`, 404)
		ticket := "/tickets/" + fmt.Sprint(w.ask("dor", "POST", "/my-machines/"+id+"/tickets", `{"problem":"panne"}`, 201)["id"])
		if a := w.ask("tec", "POST", "/registration-checks", `{"typed":"walk1"}`, 200); a["machine"].(map[string]any)["keeper"] == nil {
			t.Error("while a repair is open the workshop is not told whose it is")
		}
		for _, to := range []string{"diagnosed", "repaired", "given_back", "closed"} {
			w.ask("adv", "POST", ticket+"/steps", `{"to":"`+to+`"}`, 403)
			w.ask("tec", "POST", ticket+"/steps", `{"to":"`+to+`"}`, 200)
		}
		w.ask("tec", "POST", at+"/return", `{"reason":"ne sert plus","refund_cents":100}`, 404) // gives no money
		w.ask("adv", "POST", at+"/return", `{"reason":"ne sert plus","refund_cents":100}`, 200)
		w.ask("tec", "POST", at+"/steps", `{"to":"recycled"}`, 409)
		wipe("erased WALKDISK1", 201)
		end := w.ask("tec", "POST", at+"/steps", `{"to":"recycled"}`, 200)
		events := w.ask("tec", "GET", at+"/events", "", 200)["items"].([]any)
		if end["state"] != "recycled" || float64(len(events)) != end["version"] {
			t.Errorf("at the end it is %v with %d events, version %v", end["state"], len(events), end["version"])
		}
	})
}

func TestImportMachinesCommand(t *testing.T) {
	folder := t.TempDir()
	env := environment(map[string]string{"XNET_API_DATABASE_DSN": filepath.Join(folder, "x.db"), "XNET_API_ADVISOR_NAME": "Claire", "XNET_API_ADVISOR_TELEPHONE": "02 41 00 00 00"})
	command(t, env, "load", "testdata/residence.yaml")
	file := filepath.Join(folder, "machines.csv")
	text := "serial;maker;model;donor\n"
	for n := range 200 {
		text += fmt.Sprintf("SER%03d;HP;Elite;Don\n", n)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := command(t, env, "import-machines", "--residence", "roseraie", "--dry-run", file); said != "200 machines checked, nothing stored\n" {
		t.Errorf("it says %q", said)
	}
	said := command(t, env, "import-machines", "--residence", "roseraie", file)
	if !strings.HasPrefix(said, "100 of 200 machines taken in\n") || !strings.HasSuffix(said, "200 machines taken in\n") {
		t.Errorf("it says %q", said)
	}
	var out strings.Builder
	err := run(t.Context(), []string{"import-machines", "--residence", "roseraie", file}, env, &out)
	if err == nil || !strings.Contains(err.Error(), "200 faults: nothing was stored") || !strings.Contains(out.String(), "line 2, column serial: This serial number is already registered.") {
		t.Errorf("again: %v, %q", err, out.String())
	}
	err = run(t.Context(), []string{"import-machines", "--residence", "lilas", file}, env, &out)
	if err == nil || !strings.Contains(err.Error(), `no residence "lilas"`) {
		t.Errorf("another residence: %v", err)
	}
}
