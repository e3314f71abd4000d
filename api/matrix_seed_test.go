package main

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// The people of the matrix. Zelmira lived in flat D73 until December 2025 and in
// flat A71 since; Dora moved into D73 behind her. Ysolde lived in B72 until
// February 2026, Quirin since. Sarah lives in the other residence. Lazare belonged
// to Zelmira's household until March. Four helpers have or had Zelmira's mandate.
const matrixPeople = `
INSERT INTO residence (id, name, zone, earliest_ms) VALUES ('R', 'Roseraie-Rouge', 'Europe/Paris', 0), ('S', 'Sablons-Safran', 'Europe/Paris', 0);
INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2) VALUES
 ('D-amina', 'R', 'A', '1', 'Porte-A71', 1, 3, 60), ('D-dora', 'R', 'A', '1', 'Porte-D73', 1, 3, 60), ('D-bruno', 'R', 'A', '1', 'Porte-B72', 1, 3, 60),
 ('D-empty', 'R', 'A', '1', 'Porte-E74', 1, 3, 60), ('D-sarah', 'S', 'A', '1', 'Porte-S88', 1, 3, 60), ('D-empty-s', 'S', 'A', '1', 'Porte-S89', 1, 3, 60);
INSERT INTO household (id, occupants, language, contact_by, telephone, email) VALUES
 ('F-amina', 2, 'fr', 'telephone', '0671111171', 'zelmira@amandine.example'), ('F-dora', 1, 'fr', 'telephone', '0673111173', 'dora@doriane.example'),
 ('F-bruno', 1, 'fr', 'telephone', '0672111172', 'quirin@brunoy.example'), ('F-celeste', 1, 'fr', 'telephone', '0682111182', 'ysolde@celestin.example'),
 ('F-sarah', 1, 'fr', 'telephone', '0688111188', 'sarah@sablonnier.example');
INSERT INTO tenancy (id, household_id, dwelling_id, moved_in, moved_out) VALUES
 ('T-amina-1', 'F-amina', 'D-dora', '2025-01-15', '2025-12-01'), ('T-amina', 'F-amina', 'D-amina', '2025-12-01', NULL),
 ('T-dora', 'F-dora', 'D-dora', '2025-12-01', NULL), ('T-celeste', 'F-celeste', 'D-bruno', '2025-01-15', '2026-02-10'),
 ('T-bruno', 'F-bruno', 'D-bruno', '2026-02-10', NULL), ('T-sarah', 'F-sarah', 'D-sarah', '2025-01-15', NULL);
INSERT INTO person (id, name, language) VALUES ('P-amina', 'Zelmira Amandine', 'fr'), ('P-left', 'Lazare Parti', 'fr'), ('P-dora', 'Doriane Dorvault', 'fr'),
 ('P-bruno', 'Quirin Brunoy', 'fr'), ('P-celeste', 'Ysolde Celestin', 'fr'), ('P-sarah', 'Sarah Sablonnier', 'fr'),
 ('P-see', 'Viviane Voyante', 'fr'), ('P-act', 'Gustave Agissant', 'fr'), ('P-end', 'Fernand Finissant', 'fr'), ('P-rev', 'Romuald Revoque', 'fr'),
 ('P-adv', 'Claire Conseil', 'fr'), ('P-man', 'Marius Manager', 'fr'), ('P-tec', 'Theo Technique', 'fr'), ('P-tra', 'Fabien Formateur', 'fr'),
 ('P-ins', 'Irene Installe', 'fr'), ('P-adm', 'Adele Administre', 'fr'), ('P-ma2', 'Mireille Autrepart', 'fr'), ('P-in2', 'Ismael Autrepart', 'fr'), ('P-ad2', 'Aristide Autrepart', 'fr');
INSERT INTO membership (person_id, household_id, from_date, to_date) VALUES ('P-amina', 'F-amina', '2025-01-15', NULL), ('P-left', 'F-amina', '2025-01-15', '2026-03-01'),
 ('P-dora', 'F-dora', '2025-12-01', NULL), ('P-bruno', 'F-bruno', '2026-02-10', NULL), ('P-celeste', 'F-celeste', '2025-01-15', '2026-02-10'), ('P-sarah', 'F-sarah', '2025-01-15', NULL);
INSERT INTO mandate (id, household_id, giver_id, helper_id, scope, channel, recorded_by, from_date, to_date, created_ms, revoked_ms) VALUES
 ('M-see', 'F-amina', 'P-amina', 'P-see', 'see', 'page', 'P-amina', '2026-01-01', '2027-01-01', 1767225600000, NULL),
 ('M-act', 'F-amina', 'P-amina', 'P-act', 'act', 'page', 'P-amina', '2026-01-01', '2027-01-01', 1767225600000, NULL),
 ('M-end', 'F-amina', 'P-amina', 'P-end', 'act', 'page', 'P-amina', '2026-01-01', '2026-03-18', 1767225600000, NULL),
 ('M-rev', 'F-amina', 'P-amina', 'P-rev', 'act', 'page', 'P-amina', '2026-01-01', '2027-01-01', 1767225600000, 1773000000000);
INSERT INTO staff_role (person_id, role, residence_id) VALUES ('P-adv', 'advisor', 'R'), ('P-man', 'manager', 'R'), ('P-tec', 'technician', 'R'), ('P-tra', 'trainer', 'R'),
 ('P-ins', 'installer', 'R'), ('P-adm', 'administrator', 'R'), ('P-ma2', 'manager', 'S'), ('P-in2', 'installer', 'S'), ('P-ad2', 'administrator', 'S');
INSERT INTO way_in (person_id, name, email) VALUES ('P-amina', 'zelmira.amandine', 'zelmira@amandine.example'), ('P-bruno', 'quirin.brunoy', 'quirin@brunoy.example'), ('P-sarah', 'sarah.sablonnier', NULL);
INSERT INTO consent (id, household_id, tenancy_id, purpose, text_version, language, channel, given_by, collected_by, from_ms, to_ms) VALUES
 ('C-amina', 'F-amina', 'T-amina', 'daily_follow_up', 1, 'fr', 'page', 'P-amina', 'P-amina', 1764600000000, 1796000000000),
 ('C-amina-fine', 'F-amina', 'T-amina', 'fine_curve', 1, 'fr', 'page', 'P-amina', 'P-amina', 1764600000000, 1796000000000);
INSERT INTO outbox (id, channel, kind, person_id, subject, recipient, state, attempts, created_ms, next_ms) VALUES
 ('L-amina', 'letter', 'invitation', 'P-see', 'P-see', '', 'waiting', 0, 1773838000000, 1773838000000), ('L-sarah', 'letter', 'invitation', 'P-sarah', 'P-sarah', '', 'waiting', 0, 1773838000000, 1773838000000);
`

const matrixImports = `
INSERT INTO stock_import (id, person_id, state, file, line_count, made, changed, unchanged, fault_count, faults, begun_ms, moved_ms) VALUES
 ('I-man', 'P-man', 'ready', $1, 1, 1, 0, 0, 0, '[]', 1773838000000, 1773838000000), ('I-ma2', 'P-ma2', 'faulty', $1, 1, 0, 0, 0, 1, '[]', 1773838000000, 1773838000000)`

const matrixDevices = `
INSERT INTO gateway (id, residence_id, name, place) VALUES ('gw-r', 'R', 'Cave-Rouge', 'sous-sol'), ('gw-s', 'S', 'Cave-Safran', 'sous-sol');
INSERT INTO bus (gateway_id, name, url, baud, parity, stop_bits, timeout_ms, interval_s, rs485, rts_on_send, delay_before_ms, delay_after_ms) VALUES
 ('gw-r', 'cave', 'rtu:///dev/ttyUSB0', 19200, 'even', 1, 500, 600, 0, 0, 0, 0);
INSERT INTO point (id, dwelling_id, kind) VALUES ('PT-amina', 'D-amina', 'cold_water'), ('PT-bruno', 'D-bruno', 'cold_water'), ('PT-dora', 'D-dora', 'cold_water'),
 ('PT-sarah', 'D-sarah', 'cold_water'), ('PT-free', 'D-empty', 'cold_water'), ('PT-free-s', 'D-empty-s', 'cold_water');
INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution, serial) VALUES
 ('cw-amina', 'gw-r', 'cold_water', 0, 0, 600, 'fine', 'SN-71'), ('cw-bruno', 'gw-r', 'cold_water', 0, 0, 600, 'day', 'SN-72'), ('cw-dora', 'gw-r', 'cold_water', 0, 0, 600, 'day', 'SN-73'),
 ('cw-sarah', 'gw-s', 'cold_water', 0, 0, 600, 'day', 'SN-8842197'), ('cw-free', 'gw-r', 'cold_water', 0, 0, 600, 'day', 'SN-70'), ('cw-free-s', 'gw-s', 'cold_water', 0, 0, 600, 'day', 'SN-80');
INSERT INTO binding (meter_id, point_id, from_ms) VALUES ('cw-amina', 'PT-amina', 1735689600000), ('cw-bruno', 'PT-bruno', 1735689600000), ('cw-dora', 'PT-dora', 1735689600000), ('cw-sarah', 'PT-sarah', 1735689600000);
INSERT INTO incident (id, residence_id, kind, gateway_id, meter_id, from_ms) VALUES ('N-r', 'R', 'meter_silent', 'gw-r', 'cw-bruno', 1773838000000), ('N-s', 'S', 'meter_silent', 'gw-s', 'cw-sarah', 1773838000000);
INSERT INTO meter_report (residence_id, gateway_id, meter_id, serial, kind, resolution, last_good_ms, faults, heard_ms) VALUES
 ('R', 'gw-r', 'stray-rouge', 'SN-79', 'cold_water', 'day', 1773838000000, 0, 1773838000000), ('S', 'gw-s', 'stray-safran', 'SN-89', 'cold_water', 'day', 1773838000000, 0, 1773838000000);
INSERT INTO tariff (id, residence_id, kind, from_date, bill, fixed_monthly_cents, price_micro_eur, per, heat_micro_eur, wh_per_m3, individual_percent, source) VALUES
 ('TF-r', 'R', 'cold_water', '2025-01-01', 'charges', 0, 4130000, 'm3', 0, 0, 100, ''), ('TF-s', 'S', 'cold_water', '2025-01-01', 'charges', 0, 4690000, 'm3', 0, 0, 100, '');
INSERT INTO provision (dwelling_id, from_date, monthly_cents) VALUES ('D-amina', '2025-01-01', 4100), ('D-sarah', '2025-01-01', 4200),
 ('D-amina', '2026-04-01', 4100), ('D-bruno', '2026-04-01', 4100), ('D-sarah', '2026-04-01', 4200);
INSERT INTO meter_check (meter_id, point_id, bound_ms, state) VALUES ('cw-amina', 'PT-amina', 1735689600000, 'verified'), ('cw-bruno', 'PT-bruno', 1735689600000, 'verified'),
 ('cw-dora', 'PT-dora', 1735689600000, 'verified'), ('cw-sarah', 'PT-sarah', 1735689600000, 'verified');
INSERT INTO alert_case (id, subject, point_id, household_id, state, finding, quiet_nights, opened_ms, first_date, last_date) VALUES
 ('AC-amina', 'water', 'PT-amina', 'F-amina', 'opened', '{"cause":{"subject":"water","point":"PT-amina"},"source":"curve","class":"running_cistern","flow":{"low_ml_per_hour":24000,"likely_ml_per_hour":25000,"high_ml_per_hour":26000},"since":{"earliest":"2026-03-12T06:00:00Z","latest":"2026-03-13T06:00:00Z"},"last":"2026-03-18T06:00:00Z","nights":5,"chance":1e-05,"level":2,"day_window_ns":1800000000000,"window_ns":1800000000000,"smallest_ml_per_hour":4000}', 0, 1773800000000, '2026-03-12', '2026-03-18'),
 ('AC-sarah', 'water', 'PT-sarah', 'F-sarah', 'opened', '{"cause":{"subject":"water","point":"PT-sarah"},"source":"curve","class":"running_cistern","flow":{"low_ml_per_hour":24000,"likely_ml_per_hour":25000,"high_ml_per_hour":26000},"since":{"earliest":"2026-03-12T06:00:00Z","latest":"2026-03-13T06:00:00Z"},"last":"2026-03-18T06:00:00Z","nights":5,"chance":1e-05,"level":2,"day_window_ns":1800000000000,"window_ns":1800000000000,"smallest_ml_per_hour":4000}', 0, 1773800000000, '2026-03-12', '2026-03-18');
INSERT INTO outbox (id, channel, kind, person_id, subject, recipient, state, attempts, created_ms, next_ms) VALUES
 ('AL-amina', 'letter', 'alert', 'P-amina', 'AC-amina', '', 'waiting', 0, 1773838000000, 1773838000000), ('AL-sarah', 'letter', 'alert', 'P-sarah', 'AC-sarah', '', 'waiting', 0, 1773838000000, 1773838000000);
INSERT INTO alert_question (id, point_id, household_id, on_date, first_date, last_date, finding, asked_ms) VALUES
 ('AQ-amina', 'PT-amina', 'F-amina', '2026-03-18', '2026-03-17', '2026-03-17', '{"cause":{"subject":"water","point":"PT-amina"},"source":"days","class":"burst","flow":{"low_ml_per_hour":40000,"likely_ml_per_hour":40000,"high_ml_per_hour":90000},"since":{"earliest":"2026-03-16T23:00:00Z","latest":"2026-03-17T23:00:00Z"},"last":"2026-03-17T23:00:00Z","day_window_ns":86400000000000,"window_ns":86400000000000}', 1773800000000),
 ('AQ-sarah', 'PT-sarah', 'F-sarah', '2026-03-18', '2026-03-17', '2026-03-17', '{"cause":{"subject":"water","point":"PT-sarah"},"source":"days","class":"burst","flow":{"low_ml_per_hour":40000,"likely_ml_per_hour":40000,"high_ml_per_hour":90000},"since":{"earliest":"2026-03-16T23:00:00Z","latest":"2026-03-17T23:00:00Z"},"last":"2026-03-17T23:00:00Z","day_window_ns":86400000000000,"window_ns":86400000000000}', 1773800000000);
INSERT INTO house_absence (id, tenancy_id, household_id, from_date, to_date, at_ms, by_whom) VALUES
 ('HA-amina', 'T-amina', 'F-amina', '2026-03-20', '2026-03-30', 1773800000000, 'P-amina'), ('HA-sarah', 'T-sarah', 'F-sarah', '2026-03-20', '2026-03-30', 1773800000000, 'P-sarah');
INSERT INTO alert_step (case_id, number, state, at_ms, on_date, by_whom) VALUES ('AC-amina', 1, 'opened', 1773800000000, '2026-03-18', 'nights'), ('AC-sarah', 1, 'opened', 1773800000000, '2026-03-18', 'nights');
INSERT INTO tip_instance (id, household_id, tenancy_id, tip, state, since_date, proposed_date, chosen_date, place, score, finding, first_date, last_date) VALUES
 ('TI-amina', 'F-amina', 'T-amina', 'help_with_bills', 'proposed', '2026-03-18', '2026-03-18', '2026-03-18', 1, 0, '{"Figures":{"watts":110},"From":"2026-03-04","To":"2026-03-18","Kinds":["electricity"],"Quality":"measured","Coverage":1}', '2026-03-04', '2026-03-17'),
 ('TI-sarah', 'F-sarah', 'T-sarah', 'help_with_bills', 'proposed', '2026-03-18', '2026-03-18', '2026-03-18', 1, 0, '{"Figures":{"watts":110},"From":"2026-03-04","To":"2026-03-18","Kinds":["electricity"],"Quality":"measured","Coverage":1}', '2026-03-04', '2026-03-17');
`

// matrixTables are emptied before the matrix is seeded again, in an order that
// references allow.
var matrixTables = []string{"house_answer", "house_absence", "alert_question", "tip_step", "tip_need", "tip_instance", "alert_step", "alert_refusal", "alert_case", "training_follow_up", "training_position", "training_reminder", "training_step", "training_enrolment", "training_seat", "training_session", "training_course", "training_duty",
	"repair_step", "repair_ticket", "machine_wait", "machine_sale", "machine", "machine_name", "machine_slip", "machine_event", "machine_drive", "machine_wipe", "machine_test", "machine_defect",
	"registration_check", "computer_programme", "workshop_price", "workshop_price_change", "machine_counter", "outdoor_day", "typical_month", "tariff", "provision", "idempotency", "api_token", "session", "email_code", "sign_in", "way_in", "outbox", "stock_import", "access_log", "move_event",
	"erasure_part", "erasure", "consent", "mandate", "staff_role", "gateway_config", "incident", "meter_standing", "meter_still", "meter_report", "gateway_report",
	"meter_check_step", "meter_check", "binding", "meter", "point", "bus", "gateway", "membership", "tenancy", "household", "person", "dwelling", "staircase", "building", "residence"}

// stockOfR is a file of one new dwelling.
const stockOfR = "résidence;identifiant;logement\nR;D-imported;Porte-I75\n"

// An actor sends requests, with a cookie or a token of a program.
type actor struct {
	name    string
	person  string // empty for nobody
	scopes  string // of a token; empty for a browser
	own     string // sets of markers that are its own, whatever the route
	reaches string // sets that a route may show to its role
}

// The actors, in the order of the table's columns.
var matrixActors = []actor{
	{"nob", "", "", "", ""},
	{"ami", "P-amina", "", "AR", ""}, {"dor", "P-dora", "", "DR", ""}, {"bru", "P-bruno", "", "BR", ""}, {"cel", "P-celeste", "", "", ""},
	{"lef", "P-left", "", "", ""}, {"sar", "P-sarah", "", "SQ", ""},
	{"see", "P-see", "", "AR", ""}, {"act", "P-act", "", "AR", ""}, {"end", "P-end", "", "", ""}, {"rev", "P-rev", "", "", ""},
	{"adv", "P-adv", "", "R", "ABCD"}, {"man", "P-man", "", "R", "ABCD"}, {"tec", "P-tec", "", "R", "ABCD"}, {"tra", "P-tra", "", "R", "ABCD"},
	{"ins", "P-ins", "", "R", "ABCD"}, {"adm", "P-adm", "", "R", "ABCD"},
	{"ma2", "P-ma2", "", "Q", "S"}, {"in2", "P-in2", "", "Q", "S"}, {"ad2", "P-ad2", "", "Q", "S"},
	{"kC", "P-amina", "consumption:read", "AR", ""}, {"kP", "P-amina", "premises:read premises:write people:write meters:read meters:write", "AR", ""},
	{"kM", "P-adm", "meters:read meters:write", "R", "ABCD"}, {"kH", "P-adm", "premises:read premises:write people:write", "R", "ABCD"},
}

func (a actor) secret() string {
	return "xnet_" + a.name + strings.Repeat("-", 38-len(a.name))
}

func (a actor) formToken() string { return a.name + strings.Repeat("f", 43-len(a.name)) }

// A marker must stand in no answer to whom its set is not shown. Kinds: n names,
// c contact, d door, m meter, u use, p place (residence).
type marker struct{ set, kind, text string }

var markers = []marker{
	{"A", "n", "Zelmira"}, {"A", "n", "Lazare"}, {"A", "n", "Voyante"}, {"A", "n", "Agissant"}, {"A", "n", "Finissant"}, {"A", "n", "Revoque"},
	{"A", "c", "0671111171"}, {"A", "c", "amandine.example"}, {"A", "d", "Porte-A71"}, {"A", "m", "SN-71"}, {"A", "u", "41957"}, {"A", "u", "41,957"},
	{"D", "n", "Doriane"}, {"D", "c", "0673111173"}, {"D", "c", "doriane.example"}, {"D", "m", "SN-73"}, {"D", "u", "63709"}, {"D", "u", "63,709"},
	{"E", "u", "57793"}, {"E", "u", "57,793"}, // of nobody: before Zelmira came
	{"E", "u", "99750"}, {"E", "u", "99,75"}, {"E", "u", "105666"}, {"E", "u", "105,666"}, // her days and those of others in her two flats, together
	{"AD", "d", "Porte-D73"},
	{"B", "n", "Quirin"}, {"B", "c", "0672111172"}, {"B", "c", "brunoy.example"}, {"B", "u", "73651"}, {"B", "u", "73,651"},
	{"BC", "d", "Porte-B72"}, {"BC", "m", "SN-72"},
	{"C", "n", "Ysolde"}, {"C", "c", "0682111182"}, {"C", "c", "celestin.example"}, {"C", "u", "82153"}, {"C", "u", "82,153"},
	{"S", "n", "Sablonnier"}, {"S", "c", "0688111188"}, {"S", "c", "sablonnier.example"}, {"S", "d", "Porte-S88"}, {"S", "m", "SN-8842197"}, {"S", "m", "stray-safran"},
	{"S", "u", "95819"}, {"S", "u", "95,819"}, {"S", "n", "Autrepart"},
	{"R", "p", "Roseraie-Rouge"}, {"R", "p", "Cave-Rouge"}, {"R", "p", "SN-79"}, {"Q", "p", "Sablons-Safran"}, {"Q", "p", "Cave-Safran"}, {"Q", "p", "SN-89"},
}

// seedMatrix empties the database and fills it as it was, with few round trips.
func seedMatrix(t testing.TB, db *sql.DB) {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	exec := func(statement string, args ...any) {
		if _, err := tx.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatalf("%.80s: %v", strings.TrimSpace(statement), err)
		}
	}
	exec(matrixSeed(fixedNow(t)))
	exec(matrixImports, []byte(stockOfR))
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// matrixSeed is the statements that do so.
func matrixSeed(now time.Time) string {
	var all strings.Builder
	for _, table := range slices.Concat(programmeTables, matrixTables) {
		fmt.Fprintf(&all, "DELETE FROM %s;\n", table)
	}
	all.WriteString(matrixPeople + matrixDevices + matrixMachines + matrixTrainings + matrixProgramme)
	for _, a := range matrixActors {
		sum := sha256.Sum256([]byte(a.secret()))
		hash, at, until := hex.EncodeToString(sum[:]), now.UnixMilli(), now.Add(time.Hour).UnixMilli()
		switch {
		case a.person == "":
		case a.scopes == "":
			fmt.Fprintf(&all, "INSERT INTO session (id, token_hash, person_id, way, browser, created_ms, seen_ms, expires_ms, form_token) VALUES ('V-%s', '%s', '%s', 'code', '', %d, %d, %d, '%s');\n",
				a.name, hash, a.person, at, at, until, a.formToken())
		default:
			fmt.Fprintf(&all, "INSERT INTO api_token (id, person_id, label, hash, scopes, created_ms, expires_ms, used_ms) VALUES ('K-%s', '%s', '%s', '%s', '%s', %d, %d, %d);\n",
				a.name, a.person, a.name, hash, a.scopes, at, until, at)
		}
	}
	return all.String()
}

// furnishMatrix writes each household's own unmistakable litres a day.
func furnishMatrix(t *testing.T, client *influx.Client) {
	t.Helper()
	zone, index := paris(t), map[metering.MeterID]metering.Amount{}
	var daily []influx.Consumption
	before := func(d civil.Date, y, m, day int) bool {
		return d.Before(civil.Date{Year: y, Month: time.Month(m), Day: day})
	}
	for d := (civil.Date{Year: 2025, Month: 11, Day: 1}); before(d, 2026, 3, 18); d = d.AddDays(1) {
		litres := map[metering.MeterID]metering.Amount{"cw-amina": 41_957_000, "cw-dora": 63_709_000, "cw-bruno": 73_651_000, "cw-sarah": 95_819_000}
		if before(d, 2025, 12, 1) {
			litres["cw-dora"], litres["cw-amina"] = 41_957_000, 57_793_000
		}
		if before(d, 2026, 2, 10) {
			litres["cw-bruno"] = 82_153_000
		}
		for m, used := range litres {
			index[m] += used
			daily = append(daily, influx.Consumption{Meter: m, Start: d.Start(zone), Index: index[m], Used: used, Quality: metering.Measured})
		}
	}
	if err := client.WriteConsumption(t.Context(), influx.Daily, daily); err != nil {
		t.Fatal(err)
	}
	var readings []metering.Reading
	for m, i := range index {
		readings = append(readings, metering.Reading{Meter: m, Quantity: metering.Index, At: fixedNow(t).Add(-8 * time.Second), Amount: i})
	}
	if err := client.WriteReadings(t.Context(), readings); err != nil {
		t.Fatal(err)
	}
}

// digestOf is what a database holds, for who must have changed nothing.
func digestOf(t testing.TB, db *sql.DB, looks bool) string {
	t.Helper()
	sum := sha256.New()
	for _, table := range slices.Concat(programmeTables, matrixTables) {
		if table == "access_log" && !looks {
			continue
		}
		rows, err := db.QueryContext(t.Context(), "SELECT * FROM "+table)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for rows.Next() {
			cells := make([]any, len(columns))
			for i := range cells {
				cells[i] = new(any)
			}
			if err := rows.Scan(cells...); err != nil {
				t.Fatal(err)
			}
			var line strings.Builder
			for _, c := range cells {
				fmt.Fprintf(&line, "%v|", *c.(*any))
			}
			lines = append(lines, line.String())
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		_ = rows.Close()
		slices.Sort(lines)
		fmt.Fprintln(sum, table, lines)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
