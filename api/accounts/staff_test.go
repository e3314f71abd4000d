package accounts_test

import (
	"bytes"
	"database/sql"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// settle makes two residences, R1 and R2, with a tenant in each, two helpers in
// R1, of whom one lives in R2, one who left R1, and staff of each kind.
func settle(t *testing.T, db *sql.DB) entrance {
	t.Helper()
	e := enter(t, db, "tenant1", "tenant2", "left1", "helper1", "abroad1", "loose", "boss", "admin1", "admin2", "manager1", "manager2", "advisor1",
		"installer1", "both")
	for _, statement := range []string{
		`INSERT INTO residence (id, name, zone, earliest_ms, street, postcode, town) VALUES
		 ('R1', 'La Roseraie', 'Europe/Paris', 0, '12 rue des Rosiers', '49000', 'Angers'), ('R2', 'Les Lilas', 'Europe/Paris', 0, '', '', '')`,
		`INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2) VALUES
		 ('D1', 'R1', 'A', '2', '12', 1, 3, 60), ('D2', 'R2', '', '', '1', 0, 2, 40), ('D3', 'R1', 'A', '2', '13', 1, 3, 60)`,
		`INSERT INTO household (id, occupants, language) VALUES ('F1', 2, 'fr'), ('F2', 1, 'fr'), ('F3', 1, 'fr')`,
		`INSERT INTO tenancy (id, household_id, dwelling_id, moved_in, moved_out) VALUES
		 ('T1', 'F1', 'D1', '2025-01-01', NULL), ('T2', 'F2', 'D2', '2025-01-01', NULL), ('T3', 'F3', 'D3', '2025-01-01', '2026-03-18')`,
		`INSERT INTO membership (person_id, household_id, from_date, to_date) VALUES
		 ('tenant1', 'F1', '2025-01-01', NULL), ('both', 'F1', '2025-01-01', NULL), ('tenant2', 'F2', '2025-01-01', NULL),
		 ('left1', 'F3', '2025-01-01', NULL), ('abroad1', 'F2', '2025-01-01', NULL)`,
		`INSERT INTO mandate (id, household_id, giver_id, helper_id, scope, channel, recorded_by, from_date, to_date, created_ms) VALUES
		 ('M1', 'F1', 'tenant1', 'helper1', 'see', 'page', 'tenant1', '2026-01-01', '2027-01-01', 1),
		 ('M2', 'F1', 'tenant1', 'abroad1', 'see', 'page', 'tenant1', '2026-01-01', '2027-01-01', 1)`,
		`INSERT INTO staff_role (person_id, role, residence_id) VALUES ('boss', 'administrator', NULL),
		 ('admin1', 'administrator', 'R1'), ('admin2', 'administrator', 'R2'), ('manager1', 'manager', 'R1'), ('manager2', 'manager', 'R2'),
		 ('advisor1', 'advisor', 'R1'), ('installer1', 'installer', 'R1'), ('both', 'administrator', 'R1')`,
	} {
		sqldbtest.Exec(t, db, statement)
	}
	return e
}

var today = civil.DateOf(now)

// Who may invite whom, by hand. Whoever invites holds the code: an advisor who
// could invite an administrator would be one.
func TestMayInvite(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		e := settle(t, db)
		may := map[accounts.PersonID]string{
			"boss":       "tenant1 tenant2 left1 helper1 abroad1 loose boss admin1 admin2 manager1 manager2 advisor1 installer1 both",
			"admin1":     "tenant1 helper1 admin1 manager1 advisor1 installer1 both",
			"admin2":     "tenant2 abroad1 admin2 manager2",
			"manager1":   "tenant1 helper1",
			"manager2":   "tenant2 abroad1",
			"advisor1":   "tenant1 helper1",
			"installer1": "",
			"tenant1":    "",
			"helper1":    "",
		}
		everybody := append(strings.Fields(may["boss"]), "nobody")
		for by, persons := range may {
			for _, person := range everybody {
				want := strings.Contains(" "+persons+" ", " "+person+" ")
				err := e.store.MayInvite(t.Context(), by, accounts.PersonID(person), today)
				if (err == nil) != want || err != nil && !errors.Is(err, accounts.ErrNoPerson) {
					t.Errorf("%s invites %s: %v, want %v", by, person, err, want)
				}
			}
		}
	})
}

func TestInvitationByHTTP(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		e := settle(t, db)
		advisor, tenant := e.visit("advisor1"), e.visit("tenant1")
		letter := map[string]string{"by": "letter"}
		e.browser("192.0.2.5").want("POST", "/people/tenant1/invitation", letter, 401)
		tenant.want("POST", "/people/tenant1/invitation", letter, 403)
		for _, person := range []string{"tenant2", "boss", "both", "left1", "nobody", url.PathEscape("../boss")} {
			advisor.want("POST", "/people/"+person+"/invitation", letter, 404)
		}
		made := into[struct {
			Code, Expires string
			Name          string `json:"sign_in_name"`
		}](t, advisor.want("POST", "/people/tenant1/invitation", letter, 201))
		tenant.want("GET", "/session", nil, 401) // the ways in of before have ended
		e.browser("192.0.2.6").want("POST", "/session", map[string]string{"code": made.Code}, 204)
		if !strings.HasPrefix(made.Name, "person") {
			t.Errorf("made %+v", made)
		}

		advisor.header.Set("Accept", "application/pdf")
		pdf := advisor.want("POST", "/people/tenant1/invitation", letter, 201)
		advisor.header.Del("Accept")
		if !strings.HasPrefix(pdf, "%PDF-") || bytes.Contains([]byte(pdf), []byte("Person tenant1")) {
			t.Errorf("the letter is no PDF, or its properties name the person: %.200q", pdf)
		}

		advisor.want("POST", "/people/tenant1/invitation", map[string]string{"by": "pigeon"}, 422)
		advisor.want("POST", "/people/tenant1/invitation", map[string]string{"by": "email", "email": "nobody"}, 422)
		advisor.want("POST", "/people/tenant2/invitation", map[string]string{"by": "email", "email": "t@example.org"}, 404)
		advisor.want("POST", "/people/tenant1/invitation", map[string]string{"by": "email", "email": "t@example.org"}, 202)
		code := codeIn(t, e.server.Next(t).Text)
		b := e.browser("192.0.2.8")
		b.want("POST", "/session", map[string]string{"code": code}, 204)
		if got := b.want("GET", "/access", nil, 200); !strings.Contains(got, `"email":"t@example.org"`) {
			t.Errorf("who answered the e-mail has not the address: %s", got)
		}
		b.want("POST", "/session", map[string]string{"code": code}, 422) // that of an e-mail works once
	})
}

func (e entrance) askLetter(person accounts.PersonID) {
	e.t.Helper()
	err := sqldb.InTx(e.t.Context(), e.db, func(tx *sql.Tx) error { return accounts.AskLetter(e.t.Context(), tx, person, e.now()) })
	if err != nil {
		e.t.Fatal(err)
	}
}

func TestWaitingLetters(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		e := settle(t, db)
		tenant := e.visit("tenant1")
		for _, person := range []accounts.PersonID{"tenant1", "tenant1", "helper1", "tenant2", "boss"} {
			e.askLetter(person)
		}
		tenant.want("GET", "/session", nil, 200) // nothing changes before the letter is printed
		waiting := func(b *browser) map[string]string {
			ids := map[string]string{}
			for _, l := range into[struct{ Items []struct{ ID, Person string } }](t, b.want("GET", "/letters", nil, 200)).Items {
				ids[l.Person] = l.ID
			}
			return ids
		}
		boss, advisor := e.visit("boss"), e.visit("advisor1")
		e.askLetter("boss") // signing in has printed the first
		all, own := waiting(boss), waiting(advisor)
		if len(all) != 4 || len(own) != 2 || own["tenant1"] == "" || own["helper1"] == "" {
			t.Fatalf("waiting: the administrator sees %v, the advisor %v", all, own)
		}
		advisor.want("POST", "/letters/print", map[string]any{"letters": []string{own["helper1"], all["tenant2"]}}, 404)
		if again := waiting(advisor); len(again) != 2 {
			t.Errorf("a refusal printed letters: %v are left", again)
		}
		pdf := advisor.want("POST", "/letters/print", map[string]any{"letters": []string{own["helper1"], own["tenant1"]}}, 200)
		if !strings.HasPrefix(pdf, "%PDF-") || strings.Count(pdf, "/Type /Page\n") != 2 {
			t.Errorf("two letters make %.40q with %d pages", pdf, strings.Count(pdf, "/Type /Page\n"))
		}
		tenant.want("GET", "/session", nil, 401)
		advisor.want("POST", "/letters/print", map[string]any{"letters": []string{own["helper1"]}}, 404) // printed once
		advisor.want("POST", "/letters/print", map[string]any{"letters": []string{}}, 422)
		advisor.want("POST", "/letters/print", map[string]any{"letters": make([]string, 51)}, 422)
		var codes int
		if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM sign_in WHERE person_id IN ('tenant1', 'helper1')`).Scan(&codes); err != nil || codes != 2 {
			t.Errorf("%d codes were drawn, %v, want 2", codes, err)
		}
	})
}

type staffLine struct {
	Person, Name, Role string
	Residence          *string
}

func TestRoles(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		e := settle(t, db)
		admin, manager, boss := e.visit("admin1"), e.visit("manager1"), e.visit("boss")
		manager.want("GET", "/staff", nil, 403)
		manager.want("PUT", "/staff/manager1/roles/administrator?residence=R1", nil, 403)
		var seen []string
		for _, line := range into[struct{ Items []staffLine }](t, admin.want("GET", "/staff", nil, 200)).Items {
			seen = append(seen, line.Person+" "+line.Role)
		}
		if got := strings.Join(seen, ", "); got != "admin1 administrator, advisor1 advisor, both administrator, installer1 installer, manager1 manager" {
			t.Errorf("an administrator of R1 sees %s", got)
		}
		for path, status := range map[string]int{
			"/staff/manager1/roles/advisor?residence=R1":      204,
			"/staff/tenant1/roles/advisor?residence=R1":       204,
			"/staff/helper1/roles/advisor?residence=R1":       204,
			"/staff/manager1/roles/advisor?residence=R2":      422, // another's residence
			"/staff/manager1/roles/advisor":                   422, // everywhere
			"/staff/admin1/roles/administrator":               422, // oneself everywhere
			"/staff/manager1/roles/advisor?residence=nowhere": 422,
			"/staff/manager1/roles/king?residence=R1":         422,
			"/staff/tenant2/roles/advisor?residence=R1":       404, // a person the administrator knows nothing of
			"/staff/boss/roles/advisor?residence=R1":          404,
			"/staff/nobody/roles/advisor?residence=R1":        404,
		} {
			admin.want("PUT", path, nil, status)
		}
		boss.want("PUT", "/staff/tenant2/roles/advisor", nil, 204)
		boss.want("PUT", "/staff/tenant2/roles/advisor", nil, 204)
		admin.want("DELETE", "/staff/tenant2/roles/advisor", nil, 422)
		admin.want("DELETE", "/staff/boss/roles/administrator", nil, 422)
		admin.want("DELETE", "/staff/manager2/roles/manager?residence=R2", nil, 422)
		admin.want("DELETE", "/staff/manager1/roles/installer?residence=R1", nil, 404)
		admin.want("DELETE", "/staff/manager1/roles/manager?residence=R1", nil, 204)
		admin.want("DELETE", "/staff/manager1/roles/advisor?residence=R1", nil, 204)
		manager.want("GET", "/letters", nil, 403) // from the next request on
		boss.want("DELETE", "/staff/boss/roles/administrator", nil, 409)
		boss.want("PUT", "/staff/admin1/roles/administrator", nil, 204)
		boss.want("DELETE", "/staff/boss/roles/administrator", nil, 204)
		boss.want("GET", "/staff", nil, 403)
	})
}

// Two administrators who take each other's role at the same moment leave one.
func TestLastAdministratorStays(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		e := settle(t, db)
		post := accounts.Post{Role: accounts.Administrator}
		for range 10 {
			if err := e.store.GiveRole(t.Context(), "boss", "loose", post); err != nil {
				sqldbtest.Exec(t, db, `INSERT INTO staff_role (person_id, role, residence_id) VALUES ('boss', 'administrator', NULL)`)
			}
			var both sync.WaitGroup
			both.Go(func() { _ = e.store.TakeRole(t.Context(), "boss", "loose", post) })
			both.Go(func() { _ = e.store.TakeRole(t.Context(), "loose", "boss", post) })
			both.Wait()
			var left int
			err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM staff_role WHERE role = 'administrator' AND residence_id IS NULL`).Scan(&left)
			if err != nil || left < 1 {
				t.Fatalf("%d administrators are left, %v", left, err)
			}
		}
	})
}

func TestAddMember(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		e := settle(t, db)
		admin := e.visit("admin1")
		body := map[string]string{"name": "Paul Neuf", "language": "fr", "role": "advisor", "residence": "R1"}
		admin.header.Set("Idempotency-Key", "one")
		made := into[staffLine](t, admin.want("POST", "/staff", body, 201))
		if again := into[staffLine](t, admin.want("POST", "/staff", body, 201)); again.Person != made.Person {
			t.Errorf("sent twice, made twice: %s and %s", made.Person, again.Person)
		}
		admin.header.Del("Idempotency-Key")
		admin.want("POST", "/people/"+made.Person+"/invitation", map[string]string{"by": "letter"}, 201)
		for field, wrong := range map[string]string{"name": "", "language": "de", "role": "king", "residence": "R2"} {
			bad := map[string]string{"name": "X Y", "language": "fr", "role": "advisor", "residence": "R1"}
			bad[field] = wrong
			if text := admin.want("POST", "/staff", bad, 422); !strings.Contains(text, `"field":"`+field+`"`) {
				t.Errorf("%s %q: %s", field, wrong, text)
			}
		}
		var count int
		if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM person WHERE name IN ('Paul Neuf', 'X Y')`).Scan(&count); err != nil || count != 1 {
			t.Errorf("%d persons were made, %v, want 1", count, err)
		}
	})
}

func TestFirstAdministrator(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		e := enter(t, db)
		person, code, err := e.store.FirstAdministrator(t.Context(), "Claire Moreau", "fr", now.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		b := e.browser("192.0.2.1")
		b.want("POST", "/session", map[string]string{"code": code.String()}, 204)
		if got := b.want("GET", "/staff", nil, 200); !strings.Contains(got, string(person.ID)) {
			t.Errorf("staff = %s", got)
		}
		if _, _, err := e.store.FirstAdministrator(t.Context(), "Max Second", "fr", now.Add(time.Hour)); !errors.Is(err, accounts.ErrAdministrated) {
			t.Errorf("a second first: %v", err)
		}
		if _, _, err := e.store.FirstAdministrator(t.Context(), " ", "xx", now); err == nil {
			t.Error("an administrator without a name")
		}
	})
}

func TestTokens(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		e := settle(t, db)
		tenant, manager, admin := e.visit("tenant1"), e.visit("manager1"), e.visit("admin1")
		newToken := func(b *browser, label string, scopes ...string) (id, token string) {
			made := into[struct{ ID, Token string }](t, b.want("POST", "/tokens",
				map[string]any{"label": label, "scopes": scopes, "expires": e.now().Add(24 * time.Hour)}, 201))
			return made.ID, made.Token
		}
		id, token := newToken(tenant, "tableau", "consumption:read")
		managerID, managerToken := newToken(manager, "import", "premises:write", "meters:read")
		tenant.want("POST", "/tokens", map[string]any{"label": "tableau", "scopes": []string{"consumption:read"}, "expires": e.now().Add(time.Hour)}, 409)
		var kept int
		if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM api_token WHERE hash = $1 OR label = $1`, token).Scan(&kept); err != nil || kept != 0 || !strings.HasPrefix(token, "xnet_") {
			t.Errorf("the token itself is kept, or has no prefix: %d, %v", kept, err)
		}
		if text := tenant.want("GET", "/tokens", nil, 200); strings.Contains(text, token) || !strings.Contains(text, id) || strings.Contains(text, managerID) {
			t.Errorf("own tokens: %s", text)
		}

		// A cookie does not come along with a program's token, and no token
		// changes what a person may.
		for _, header := range []string{"Bearer " + token, "bearer " + managerToken} {
			tenant.header.Set("Authorization", header)
			for _, path := range []string{"/session", "/access", "/tokens", "/sessions"} {
				tenant.want("GET", path, nil, 403)
			}
			tenant.want("POST", "/tokens", map[string]any{"label": "x", "scopes": []string{"consumption:read"}, "expires": e.now().Add(time.Hour)}, 403)
			tenant.want("POST", "/people/tenant1/invitation", map[string]string{"by": "letter"}, 403)
			tenant.want("GET", "/staff", nil, 403)
		}
		for _, header := range []string{"Bearer " + token + "x", "Bearer", "Basic eDp5", "Bearer xnet_", ""} {
			tenant.header.Set("Authorization", header)
			tenant.want("GET", "/session", nil, 401)
		}
		tenant.header.Del("Authorization")
		tenant.want("GET", "/session", nil, 200)

		if got, err := e.store.TokenSession(t.Context(), accounts.Token(managerToken), e.now()); err != nil || got.Person.ID != "manager1" || !got.Has(accounts.Manager) ||
			!got.Allows(accounts.MetersRead) || got.Allows(accounts.MetersWrite) || got.Allows(accounts.NoScope) {
			t.Errorf("token session = %+v, %v", got, err)
		}
		if _, err := e.store.TokenSession(t.Context(), accounts.Token(token), e.now().Add(24*time.Hour)); !errors.Is(err, accounts.ErrNoSession) {
			t.Errorf("an expired token works: %v", err)
		}
		tenant.want("DELETE", "/tokens/"+managerID, nil, 404)
		if text := admin.want("GET", "/staff/tokens", nil, 200); !strings.Contains(text, managerID) || strings.Contains(text, id) {
			t.Errorf("an administrator sees of programs: %s", text)
		}
		admin.want("DELETE", "/staff/tokens/"+id, nil, 404) // a tenant's own affair
		e.visit("admin2").want("DELETE", "/staff/tokens/"+managerID, nil, 404)
		admin.want("DELETE", "/staff/tokens/"+managerID, nil, 204)
		if _, err := e.store.TokenSession(t.Context(), accounts.Token(managerToken), e.now()); !errors.Is(err, accounts.ErrNoSession) {
			t.Errorf("a token that was ended works: %v", err)
		}
		tenant.want("DELETE", "/tokens/"+id, nil, 204)
	})
}
