package consent_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Who left and asked to be forgotten is nowhere any more; others stay.
func TestForget(t *testing.T) {
	inHouse(t, func(t *testing.T, h house) {
		at := paris(t, "2026-03-18 12:00:00")
		h.exec(`INSERT INTO staff_role (person_id, role) VALUES ('P-son', 'trainer')`)
		if err := h.store.Forget(t.Context(), "H-now", consent.ByRequest, "P-manager", at); err == nil || !strings.Contains(err.Error(), "lives in a dwelling") {
			t.Errorf("who lives there: %v", err)
		}
		h.exec(`UPDATE tenancy SET moved_out = '2026-03-10' WHERE id = 'T-now'`)
		h.must(h.store.Forget(t.Context(), "H-now", consent.ByRequest, "P-manager", at))
		if got := h.text(`SELECT id FROM person WHERE id NOT LIKE 'P-%r' AND id <> 'P-elsewhere' ORDER BY id`); got != "P-before\nP-next\nP-son\n" {
			t.Errorf("persons left: %q, want nobody of the household but the trainer", got)
		}
		for _, gone := range []string{`SELECT person_id FROM membership WHERE household_id = 'H-now'`, `SELECT id FROM mandate WHERE household_id = 'H-now'`,
			`SELECT id FROM household WHERE telephone <> '' OR email <> '' OR id = 'H-now' AND (occupants > 1 OR erased_ms IS NULL)`} {
			if got := h.text(gone); got != "" {
				t.Errorf("%s: %q", gone, got)
			}
		}
		want := "CW month\nEL off\nHT month\n" // the charges may be questioned
		if diff := cmp.Diff(want, h.text(`SELECT meter_id || ' ' || keep FROM erasure_part ORDER BY meter_id`)); diff != "" {
			t.Errorf("what stays (-want +got):\n%s", diff)
		}
		if got := h.text(`SELECT id FROM tenancy WHERE id = 'T-now'`); got == "" {
			t.Error("the tenancy's dates are gone too")
		}
	})
}

// Who lives there has readings erased and stays.
func TestEraseReadingsOfWhoLivesThere(t *testing.T) {
	onSQLite(t, func(t *testing.T, h house) {
		client := influxtest.Open(t)
		at := paris(t, "2026-03-18 12:00:00")
		h.pour(client, paris(t, "2026-02-08 00:00:00"), at, "CW", "EL", "HT")
		h.must(h.decides("P-now", "H-now", consent.FineCurve, true, at))
		forgot, err := h.store.EraseAll(t.Context(), "H-now", consent.ByRequest, "P-manager", at)
		if err != nil || forgot {
			t.Fatalf("forgot = %v, %v", forgot, err)
		}
		h.must(h.eraser(client, func() time.Time { return at.Add(time.Minute) }).Round(t.Context()))
		movedIn := paris(t, "2026-02-10 00:00:00")
		for m, want := range map[metering.MeterID]string{"CW": "2 0 0 1", "EL": "0 0 0 0", "HT": "2 0 0 1"} {
			if got := h.stored(client, m, movedIn, at); got != want {
				t.Errorf("%s: readings, hours, days, months = %s, want %s", m, got, want)
			}
			if got := h.stored(client, m, paris(t, "2026-02-08 00:00:00"), movedIn); got != "48 48 2 0" {
				t.Errorf("%s of the former household: %s", m, got)
			}
		}
		if got := h.resolution("CW"); got != metering.Day {
			t.Errorf("resolution = %s: the yes should have ended", got)
		}
		if got := h.text(`SELECT name FROM person WHERE id = 'P-now'`); got != "Amina Diallo\n" {
			t.Errorf("person = %q", got)
		}
	})
}

func TestEraseFineLeavesConsents(t *testing.T) {
	onSQLite(t, func(t *testing.T, h house) {
		at := paris(t, "2026-03-18 12:00:00")
		h.must(h.decides("P-now", "H-now", consent.FineCurve, true, at))
		homes, err := h.store.ActHomes(t.Context(), "P-now", "H-now", at)
		h.must(err)
		h.must(h.store.EraseFine(t.Context(), homes, "P-now", at))
		if got := h.text(`SELECT meter_id || ' ' || keep FROM erasure_part ORDER BY meter_id`); got != "CW day\nEL day\nHT day\n" {
			t.Errorf("what stays = %q", got)
		}
		if got := h.resolution("EL"); got != metering.Fine {
			t.Errorf("resolution = %s", got)
		}
	})
}

// A back-up restored after an erasure shows nothing of what was erased.
func TestRestoredBackupShowsNothingErased(t *testing.T) {
	folder := t.TempDir()
	dsn, file := filepath.Join(folder, "api.db"), filepath.Join(folder, "copy.db")
	db, err := sqldb.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, db)
	at := paris(t, "2026-03-18 12:00:00")
	h.must(h.decides("P-now", "H-now", consent.FineCurve, true, at))
	h.must(h.decides("P-now", "H-now", consent.PersonalAdvice, true, at))
	h.exec(`INSERT INTO household (id, occupants, language) VALUES ('H-stays', 1, 'fr')`)
	h.exec(`INSERT INTO tenancy (id, household_id, dwelling_id, moved_in) VALUES ('T-stays', 'H-stays', 'E', '2026-01-01')`)
	h.exec(`INSERT INTO membership (person_id, household_id, from_date) VALUES ('P-before', 'H-stays', '2026-01-01')`)
	h.must(h.decides("P-before", "H-stays", consent.PersonalAdvice, true, at))
	h.must(sqldb.Backup(t.Context(), dsn, file))

	h.exec(`UPDATE tenancy SET moved_out = '2026-03-17' WHERE id = 'T-now'`)
	h.must(h.store.Forget(t.Context(), "H-now", consent.ByRequest, "P-manager", at.Add(time.Hour)))
	h.must(h.decides("P-before", "H-stays", consent.PersonalAdvice, false, at.Add(time.Hour))) // nothing to erase, but taken back
	h.must(db.Close())
	h.must(sqldb.Restore(t.Context(), dsn, file, true))
	db = sqldbtest.Open(t, dsn)
	again := house{t, db, consent.NewStore(db, consent.OpenLedger(h.ledger)), premises.NewStore(db), h.ledger}
	if got := again.text(`SELECT name FROM person WHERE id = 'P-now'`); got != "Amina Diallo\n" {
		t.Fatalf("the back-up holds %q: this test shows nothing", got)
	}
	applied, err := again.store.Replay(t.Context())
	if err != nil || applied != 2 {
		t.Errorf("replayed %d, %v, want 2", applied, err)
	}
	if got := again.text(`SELECT name FROM person WHERE name LIKE '%Diallo' OR name LIKE 'Lea%' OR name LIKE 'Paul%'`); got != "" {
		t.Errorf("after the replay: %q", got)
	}
	if got := again.text(`SELECT id FROM consent WHERE ended_ms IS NULL`); got != "" {
		t.Errorf("consents run again: %q", got)
	}
	if got := again.text(`SELECT what FROM erasure WHERE done_ms IS NULL`); got != "all\n" {
		t.Errorf("readings to be erased again: %q", got)
	}
	if got := again.text(`SELECT id FROM meter WHERE erased_until_ms > 0 ORDER BY id`); got != "CW\nEL\nHT\n" {
		t.Errorf("meters whose past is refused: %q", got)
	}
	if applied, err := again.store.Replay(t.Context()); err != nil || applied != 0 {
		t.Errorf("replayed again: %d, %v", applied, err)
	}
	bare := filepath.Join(folder, "after.db")
	again.must(sqldb.Backup(t.Context(), dsn, bare))
	raw, err := os.ReadFile(bare)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Amina Diallo", "Ibrahim Diallo", "0611223344", "amina@example.org", "Lea Regarde"} {
		if bytes.Contains(raw, []byte(name)) {
			t.Errorf("the file holds %q", name)
		}
	}
	ledger, err := os.ReadFile(h.ledger)
	if err != nil || bytes.Contains(ledger, []byte("Diallo")) {
		t.Errorf("the ledger names people: %v", err)
	}
}

// What a power cut tore was never done; what is damaged otherwise stops the API.
func TestLedger(t *testing.T) {
	onSQLite(t, func(t *testing.T, h house) {
		at := paris(t, "2026-03-18 12:00:00")
		h.must(h.decides("P-now", "H-now", consent.FineCurve, true, at))
		h.must(h.decides("P-now", "H-now", consent.FineCurve, false, at))
		line, err := os.ReadFile(h.ledger)
		h.must(err)
		info, err := os.Stat(h.ledger)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("ledger: %v, %v", info.Mode(), err)
		}
		h.must(os.WriteFile(h.ledger, append(line, line[:len(line)/2]...), 0o600))
		h.must(h.decides("P-now", "H-now", consent.FineCurve, true, at))
		h.must(h.decides("P-now", "H-now", consent.FineCurve, false, at.Add(time.Second)))
		h.exec(`DELETE FROM erasure_part`)
		h.exec(`DELETE FROM erasure`)
		if n, err := h.store.Replay(t.Context()); n != 2 || err != nil {
			t.Errorf("replayed %d, %v, want the whole lines", n, err)
		}
		h.must(os.WriteFile(h.ledger, bytes.Replace(line, []byte(`"tenancy"`), []byte(`"ten#ncy"`), 1), 0o600))
		if _, err := h.store.Replay(t.Context()); err == nil || !strings.Contains(err.Error(), "line 1 is no erasure") {
			t.Errorf("a damaged line: %v", err)
		}
	})
}

// What cannot be written down is not done.
func TestNothingIsErasedWithoutTheLedger(t *testing.T) {
	onSQLite(t, func(t *testing.T, h house) {
		at := paris(t, "2026-03-18 12:00:00")
		h.must(h.decides("P-now", "H-now", consent.FineCurve, true, at))
		h.store = consent.NewStore(h.db, consent.OpenLedger(filepath.Join(t.TempDir(), "no", "folder")))
		if err := h.decides("P-now", "H-now", consent.FineCurve, false, at); err == nil || problem.Of(err).Kind != problem.Internal {
			t.Errorf("withdrawal: %v", err)
		}
		if got := h.text(`SELECT id FROM consent WHERE ended_ms IS NOT NULL`); got != "" || h.resolution("EL") != metering.Fine {
			t.Error("the withdrawal was half done")
		}
	})
}

// The archive holds all of one household, and nothing of who lived there before,
// lives next door, or of days before the reader joined.
func TestExport(t *testing.T) {
	inHouse(t, func(t *testing.T, h house) {
		client := influxtest.Open(t)
		at := paris(t, "2026-03-18 12:00:00")
		h.pour(client, paris(t, "2026-02-01 00:00:00"), at, "CW", "CN")
		h.must(h.decides("P-now", "H-now", consent.FineCurve, true, at.Add(-time.Hour)))
		h.exec(`INSERT INTO access_log (id, at_ms, person_id, role, household_id, what, reason)
			VALUES ('L1', $1, 'P-advisor', 'advisor', 'H-now', 'look.sheet', 'appel'), ('L2', $1, 'P-advisor', 'advisor', 'H-next', 'look.sheet', 'secret du voisin'),
			       ('L3', 1767000000000, 'P-advisor', 'advisor', 'H-before', 'look.sheet', 'secret d avant')`, at.UnixMilli()-1000)
		exporter := consent.NewExporter(h.store, h.homes, meters.NewStore(h.db), client)
		write := func(v premises.Viewer) map[string]string {
			t.Helper()
			subject, err := exporter.SubjectOf(t.Context(), v, at)
			h.must(err)
			var archive bytes.Buffer
			h.must(exporter.Write(t.Context(), &archive, subject, at, func(key string, _ ...any) string { return key }))
			return unzip(t, archive.Bytes())
		}
		files := write(premises.Own("P-now"))
		all := strings.Join(values(files), "\n")
		for _, want := range []string{"Amina Diallo", "Ibrahim Diallo", "0611223344", "fine_curve", "Lea Regarde", "appel", "2026-02-10T00:00:05+01:00"} {
			if want = strings.Replace(want, "2026-02-10T00:00:05+01:00", "2026-02-09T23:00:05Z", 1); !strings.Contains(all, want) {
				t.Errorf("the archive does not hold %q", want)
			}
		}
		for _, not := range []string{"Marc Ancien", "Jean Voisin", "H-before", "H-next", "secret", "CN,", `"CN"`, "2026-02-08", "2026-02-01", "2026-02-09T22"} {
			if strings.Contains(all, not) {
				t.Errorf("the archive holds %q", not)
			}
		}
		if got := strings.Count(files["jours.csv"], "\n"); got != 1+36 {
			t.Errorf("%d lines of days, want the 36 closed ones and a header", got)
		}
		if strings.Contains(files["mois.csv"], "2026-01-31") {
			t.Error("the month that two households share is in it")
		}
		helped := strings.Join(values(write(premises.Viewer{Person: "P-acts", Household: "H-now"})), "\n")
		if !strings.Contains(helped, "Amina Diallo") || strings.Contains(helped, "Marc Ancien") {
			t.Error("a helper's archive is another one")
		}
		for _, v := range []premises.Viewer{{Person: "P-sees", Household: "H-now"}, {Person: "P-next", Household: "H-now"}, {Person: "P-before", Household: "H-now"},
			premises.Own("P-before"), {Person: "P-advisor", Household: "H-now"}} {
			if _, err := exporter.SubjectOf(t.Context(), v, at); err == nil || problem.Of(err).Kind != problem.NotFound {
				t.Errorf("%v gets an archive: %v", v, err)
			}
		}
	})
}

func values(files map[string]string) (all []string) {
	for _, text := range files {
		all = append(all, text)
	}
	return all
}

func unzip(t *testing.T, archive []byte) map[string]string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range r.File {
		opened, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if _, err := text.ReadFrom(opened); err != nil {
			t.Fatal(err)
		}
		files[f.Name] = text.String()
	}
	return files
}

// What is kept for how long.
func TestRetention(t *testing.T) {
	inHouse(t, func(t *testing.T, h house) {
		now := paris(t, "2026-03-18 12:00:00")
		ago := func(years, days int) int64 { return now.AddDate(-years, 0, -days).UnixMilli() }
		for id, atMs := range map[string]int64{"L-old": ago(3, 1), "L-young": ago(3, -1)} {
			h.exec(`INSERT INTO access_log (id, at_ms, person_id, role, household_id, what, reason) VALUES ($1, $2, 'P', 'advisor', 'H-now', 'look', '')`, id, atMs)
		}
		const c = `INSERT INTO consent (id, household_id, tenancy_id, purpose, text_version, language, channel, given_by, collected_by, from_ms, to_ms, ended_ms, ended_why)
			VALUES ($1, 'H', $1, 'fine_curve', 1, 'fr', 'page', 'P', 'P', 1600000000000, 1690000000000, $2, $3)`
		h.exec(c, "C-old", ago(3, 1), "withdrawn")
		h.exec(c, "C-young", ago(3, -1), "withdrawn")
		h.exec(c, "C-open", nil, nil)
		h.exec(`INSERT INTO idempotency (person_id, request_key, request_hash, status, media_type, body, created_ms)
			VALUES ('P-now', 'old', $1, 201, '', '', $2), ('P-now', 'young', $1, 201, '', '', $3)`, strings.Repeat("0", 64), ago(0, 2), now.UnixMilli())
		h.exec(`UPDATE tenancy SET moved_in = '2020-01-15', moved_out = '2023-03-17' WHERE id = 'T-before'`) // 3 years and a day ago
		dropped, err := h.store.Retain(t.Context(), now)
		h.must(err)
		got := map[string]int64{}
		for _, d := range dropped {
			if d.Rows > 0 {
				got[d.Rule] = d.Rows
			}
		}
		if diff := cmp.Diff(map[string]int64{"access log": 1, "consents": 1, "idempotency keys": 1, "former households": 1}, got); diff != "" {
			t.Errorf("dropped (-want +got):\n%s", diff)
		}
		for query, want := range map[string]string{`SELECT id FROM access_log`: "L-young\n", `SELECT id FROM consent ORDER BY id`: "C-open\nC-young\n",
			`SELECT request_key FROM idempotency`: "young\n", `SELECT name FROM person WHERE id = 'P-before'`: "", `SELECT name FROM person WHERE id = 'P-next'`: "Jean Voisin\n"} {
			if got := h.text(query); got != want {
				t.Errorf("%s: %q, want %q", query, got, want)
			}
		}
		if again, err := h.store.Retain(t.Context(), now); err != nil || again[len(again)-1].Rows != 0 {
			t.Errorf("a second run: %v, %v", again, err)
		}
	})
}
