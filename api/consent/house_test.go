package consent_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

func TestMain(m *testing.M) { os.Exit(influxtest.Main(m)) }

// A house is dwelling D, where the household Before lived until 10 February 2026
// and Now since; its neighbour N, where Next lives; and a building's main meter.
// Cold water CW hung there all the time, electricity EL and heat HT too.
type house struct {
	t      *testing.T
	db     *sql.DB
	store  *consent.Store
	homes  *premises.Store
	ledger string
}

const houseRows = `
INSERT INTO residence (id, name, zone, earliest_ms) VALUES ('R', 'Roseraie', 'Europe/Paris', 0), ('S', 'Autre', 'Europe/Paris', 0);
INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2)
VALUES ('D', 'R', 'A', '1', '12', 1, 3, 60), ('N', 'R', 'A', '1', '13', 1, 3, 60), ('E', 'R', 'A', '1', '14', 1, 3, 60), ('O', 'S', 'A', '1', '1', 1, 3, 60);
INSERT INTO household (id, occupants, language, telephone, email, contact_by)
VALUES ('H-before', 1, 'fr', '', '', 'letter'), ('H-now', 2, 'fr', '0611223344', 'amina@example.org', 'telephone'), ('H-next', 1, 'fr', '', '', 'letter'), ('H-other', 1, 'fr', '', '', 'letter');
INSERT INTO person (id, name, language)
VALUES ('P-before', 'Marc Ancien', 'fr'), ('P-now', 'Amina Diallo', 'fr'), ('P-son', 'Ibrahim Diallo', 'fr'), ('P-next', 'Jean Voisin', 'fr'), ('P-sees', 'Lea Regarde', 'fr'),
       ('P-acts', 'Paul Decide', 'fr'), ('P-advisor', 'Claire Moreau', 'fr'), ('P-manager', 'Luc Gerant', 'fr'), ('P-elsewhere', 'Rita Ailleurs', 'fr');
INSERT INTO tenancy (id, household_id, dwelling_id, moved_in, moved_out)
VALUES ('T-before', 'H-before', 'D', '2025-01-15', '2026-02-10'), ('T-now', 'H-now', 'D', '2026-02-10', NULL), ('T-next', 'H-next', 'N', '2025-06-01', NULL), ('T-other', 'H-other', 'O', '2025-06-01', NULL);
INSERT INTO membership (person_id, household_id, from_date, to_date)
VALUES ('P-before', 'H-before', '2025-01-15', '2026-02-10'), ('P-now', 'H-now', '2026-02-10', NULL), ('P-son', 'H-now', '2026-02-10', '2026-03-01'), ('P-next', 'H-next', '2025-06-01', NULL);
INSERT INTO mandate (id, household_id, giver_id, helper_id, scope, channel, recorded_by, from_date, to_date, created_ms)
VALUES ('M-sees', 'H-now', 'P-now', 'P-sees', 'see', 'page', 'P-now', '2026-02-10', '2027-01-01', 1), ('M-acts', 'H-now', 'P-now', 'P-acts', 'act', 'page', 'P-now', '2026-02-10', '2027-01-01', 1);
INSERT INTO staff_role (person_id, role, residence_id) VALUES ('P-advisor', 'advisor', 'R'), ('P-manager', 'manager', 'R'), ('P-elsewhere', 'manager', 'S');
INSERT INTO gateway (id, residence_id) VALUES ('G', 'R');
INSERT INTO point (id, dwelling_id, kind) VALUES ('D-cw', 'D', 'cold_water'), ('D-el', 'D', 'electricity'), ('D-ht', 'D', 'heat'), ('N-cw', 'N', 'cold_water'), ('E-cw', 'E', 'cold_water');
INSERT INTO point (id, residence_id, building, kind) VALUES ('A-cw', 'R', 'A', 'cold_water');
INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution)
VALUES ('CW', 'G', 'cold_water', 0, 0, 600, 'off'), ('EL', 'G', 'electricity', 0, 0, 600, 'off'), ('HT', 'G', 'heat', 0, 0, 600, 'off'),
       ('CN', 'G', 'cold_water', 0, 0, 600, 'off'), ('CE', 'G', 'cold_water', 0, 0, 600, 'off'), ('MAIN', 'G', 'cold_water', 0, 0, 600, 'off');
INSERT INTO binding (meter_id, point_id, from_ms) VALUES ('CW', 'D-cw', 0), ('EL', 'D-el', 0), ('HT', 'D-ht', 0), ('CN', 'N-cw', 0), ('CE', 'E-cw', 0), ('MAIN', 'A-cw', 0)`

// inHouse runs the test on SQLite and on PostgreSQL.
func inHouse(t *testing.T, test func(t *testing.T, h house)) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) { test(t, newHouse(t, db)) })
}

// onSQLite is for what does not ask the database in an own way: its parts are
// tested on both elsewhere.
func onSQLite(t *testing.T, test func(t *testing.T, h house)) {
	test(t, newHouse(t, sqldbtest.Open(t, filepath.Join(t.TempDir(), "api.db"))))
}

func newHouse(t *testing.T, db *sql.DB) house {
	t.Helper()
	sqldbtest.Exec(t, db, houseRows)
	ledger := filepath.Join(t.TempDir(), "ledger")
	return house{t, db, consent.NewStore(db, consent.OpenLedger(ledger)), premises.NewStore(db), ledger}
}

// anew is the house as it was, for another part of a test.
func (h house) anew(t *testing.T) house {
	t.Helper()
	h.t = t
	for _, reset := range []string{`DELETE FROM consent`, `DELETE FROM erasure_part`, `DELETE FROM erasure`,
		`UPDATE tenancy SET moved_out = NULL WHERE id = 'T-now'`, `UPDATE binding SET to_ms = NULL`,
		`UPDATE meter SET resolution = 'off', resolution_most = 'fine', erased_until_ms = 0`} {
		h.exec(reset)
	}
	return h
}

func paris(t *testing.T, text string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04:05", text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}

func (h house) settle(now time.Time) {
	h.t.Helper()
	if _, err := h.store.Settle(h.t.Context(), now); err != nil {
		h.t.Fatal(err)
	}
}

func (h house) resolution(m metering.MeterID) (r metering.Resolution) {
	h.t.Helper()
	if err := h.db.QueryRowContext(h.t.Context(), `SELECT resolution FROM meter WHERE id = $1`, string(m)).Scan((*string)(&r)); err != nil {
		h.t.Fatal(err)
	}
	return r
}

// decides lets the person of the household agree or not.
func (h house) decides(person accounts.PersonID, household premises.HouseholdID, p consent.Purpose, agrees bool, at time.Time) error {
	homes, err := h.store.ActHomes(h.t.Context(), person, household, at)
	if err != nil {
		return err
	}
	d := consent.Decision{Purpose: p, TextVersion: p.TextVersion(), Language: "fr", Channel: consent.OnPage, By: person, CollectedBy: person, At: at}
	if agrees {
		return h.store.Give(h.t.Context(), homes, d)
	}
	return h.store.Withdraw(h.t.Context(), homes, d)
}

func (h house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h house) exec(statement string, args ...any) {
	h.t.Helper()
	sqldbtest.Exec(h.t, h.db, statement, args...)
}

// text is what a query of one text says; the query joins its rows.
func (h house) text(query string, args ...any) (all string) {
	h.t.Helper()
	rows, err := h.db.QueryContext(context.WithoutCancel(h.t.Context()), query, args...)
	if err != nil {
		h.t.Fatal(err)
	}
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			h.t.Fatal(err)
		}
		all += one + "\n"
	}
	h.must(rows.Close())
	return all
}

// sees is what the person may read of the household at an instant.
func (h house) sees(person accounts.PersonID, household premises.HouseholdID, at time.Time) premises.Sight {
	h.t.Helper()
	g, err := h.homes.Seen(h.t.Context(), premises.Viewer{Person: person, Household: household}, at)
	h.must(err)
	return g
}

// eraser returns one that works at now, on the client.
func (h house) eraser(client *influx.Client, now func() time.Time) *consent.Eraser {
	h.t.Helper()
	e, err := consent.NewEraser(h.store, client, testkit.Logger(h.t), prometheus.NewRegistry(), now)
	h.must(err)
	return e
}

// pour writes hourly readings, hours, days and months of meters for the days
// [from, to).
func (h house) pour(client *influx.Client, from, to time.Time, meters ...metering.MeterID) {
	h.t.Helper()
	for _, m := range meters {
		var readings []metering.Reading
		periods := map[influx.Period][]influx.Consumption{}
		for i, at := 0, from; at.Before(to); i, at = i+1, at.Add(time.Hour) {
			local := at.In(zoneOf(h.t))
			readings = append(readings, metering.Reading{Meter: m, Quantity: metering.Index, At: at.Add(5 * time.Second), Amount: metering.Amount(i)})
			c := influx.Consumption{Meter: m, Start: at, Index: metering.Amount(i), Used: 1}
			periods[influx.Hourly] = append(periods[influx.Hourly], c)
			if local.Hour() == 0 {
				periods[influx.Daily] = append(periods[influx.Daily], c)
				if local.Day() == 1 {
					periods[influx.Monthly] = append(periods[influx.Monthly], c)
				}
			}
		}
		h.must(client.WriteReadings(h.t.Context(), readings))
		for p, cs := range periods {
			h.must(client.WriteConsumption(h.t.Context(), p, cs))
		}
	}
}

func zoneOf(t *testing.T) *time.Location {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// stored counts the readings, hours, days and months of the meter in [from, to).
func (h house) stored(client *influx.Client, m metering.MeterID, from, to time.Time) string {
	h.t.Helper()
	found, err := client.Readings(h.t.Context(), []metering.MeterID{m}, metering.Index, from, to)
	h.must(err)
	said := fmt.Sprint(len(found[m]))
	for _, p := range influx.Periods {
		found, err := client.Consumption(h.t.Context(), p, []metering.MeterID{m}, from, to)
		h.must(err)
		said += fmt.Sprint(" ", len(found[m]))
	}
	return said
}
