package roster_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/roster"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
)

func residence(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../testdata/residence.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func load(t *testing.T, db *sql.DB, text string) error {
	t.Helper()
	r, err := roster.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return roster.Store(t.Context(), db, r)
}

// dump writes every row of every table of the roster.
func dump(t *testing.T, db *sql.DB) string {
	t.Helper()
	var all strings.Builder
	for _, q := range []string{
		`SELECT id || name || zone FROM residence ORDER BY id`, `SELECT id || residence_id || label || rooms FROM dwelling ORDER BY id`,
		`SELECT id || occupants || language FROM household ORDER BY id`, `SELECT id || name FROM person ORDER BY id`,
		`SELECT person_id || household_id || from_date FROM membership ORDER BY person_id`,
		`SELECT id || household_id || dwelling_id || moved_in || COALESCE(moved_out, '-') FROM tenancy ORDER BY id`,
		`SELECT id || residence_id FROM gateway ORDER BY id`, `SELECT id || dwelling_id || kind FROM point ORDER BY id`,
		`SELECT id || gateway_id || resolution || interval_s FROM meter ORDER BY id`,
		`SELECT meter_id || point_id || from_ms || COALESCE(last_index, 0) FROM binding ORDER BY meter_id, from_ms`,
	} {
		rows, err := db.QueryContext(context.WithoutCancel(t.Context()), q)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&all, line)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}

func TestStoreTwiceEqualsOnce(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		if err := load(t, db, residence(t)); err != nil {
			t.Fatal(err)
		}
		once := dump(t, db)
		if err := load(t, db, residence(t)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(once, dump(t, db)); diff != "" || strings.Count(once, "\n") < 30 {
			t.Errorf("after the second load (-once +twice):\n%s", diff)
		}
	})
}

func TestStoreUpdates(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		if err := load(t, db, residence(t)); err != nil {
			t.Fatal(err)
		}
		changed := strings.NewReplacer("rooms: 3", "rooms: 4", "Amina Diallo", "Amina Diallo-Roy",
			"{id: F-bare, occupants: 1, language: fr, moved_in: 2025-06-01,", "{id: F-bare, occupants: 1, language: fr, moved_in: 2025-06-01, moved_out: 2026-01-01,").Replace(residence(t))
		if err := load(t, db, changed); err != nil {
			t.Fatal(err)
		}
		got := dump(t, db)
		for _, want := range []string{"A-12roseraie124", "P-newAmina Diallo-Roy", "2025-06-012026-01-01"} {
			if !strings.Contains(got, want) {
				t.Errorf("%q is not stored:\n%s", want, got)
			}
		}
	})
}

// What a file may say besides is stored, and versions grow with what changes only.
func TestStoreKeepsVersions(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		rich := strings.NewReplacer("zone: Europe/Paris,", "zone: Europe/Paris, street: 3 rue des Roses, town: Angers, heat_individual_percent: 60,",
			"rooms: 3", "rooms: 3\n    heating: gas", "occupants: 2,", "occupants: 2, contact: {by: e-mail, email: a@example.org},").Replace(residence(t))
		for range 2 {
			if err := load(t, db, rich); err != nil {
				t.Fatal(err)
			}
		}
		if err := load(t, db, strings.ReplaceAll(strings.Replace(rich, "rooms: 3", "rooms: 4", 1), "a@example.org", "b@example.org")); err != nil {
			t.Fatal(err)
		}
		for query, want := range map[string]string{
			`SELECT street || town || heat_individual_percent || '/' || version FROM residence`:       "3 rue des RosesAngers60/1",
			`SELECT heating_kind || hot_water_kind || '/' || version FROM dwelling WHERE id = 'A-12'`: "gasunknown/2",
			`SELECT heating_kind || '/' || version FROM dwelling WHERE id = 'A-13'`:                   "unknown/1",
			`SELECT contact_by || email || '/' || version FROM household WHERE id = 'F-new'`:          "e-mailb@example.org/2",
			`SELECT contact_by || '/' || version FROM household WHERE id = 'F-old'`:                   "letter/1",
			`SELECT residence_id || building || name FROM staircase`:                                  "roseraieA1",
			`SELECT COUNT(*) || '' FROM building WHERE residence_id = 'roseraie' AND name = 'A'`:      "1",
		} {
			var got string
			if err := db.QueryRowContext(t.Context(), query).Scan(&got); err != nil || got != want {
				t.Errorf("%s = %q, %v; want %q", query, got, err, want)
			}
		}
	})
}

// Who stands no more in the file sees nothing any more.
func TestStoreEndsAccess(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		if err := load(t, db, residence(t)); err != nil {
			t.Fatal(err)
		}
		homes, today := premises.NewStore(db), civil.Date{Year: 2026, Month: 3, Day: 18}
		if _, err := homes.During(t.Context(), premises.Own("P-new"), today.Start(time.UTC), today, today.AddDays(1)); err != nil {
			t.Fatal(err)
		}
		if err := load(t, db, strings.ReplaceAll(residence(t), "P-new", "P-other")); err != nil {
			t.Fatal(err)
		}
		if stays, err := homes.During(t.Context(), premises.Own("P-new"), today.Start(time.UTC), today, today.AddDays(1)); err == nil {
			t.Errorf("still sees %v", stays)
		}
	})
}

func TestStoreAllOrNothing(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		if err := load(t, db, residence(t)); err != nil {
			t.Fatal(err)
		}
		before := dump(t, db)
		stolen := strings.Replace(residence(t), "id: roseraie,", "id: other,", 1)
		stolen = strings.Replace(stolen, "Amina", "Anna", 1)
		if err := load(t, db, stolen); err == nil || !strings.Contains(err.Error(), "belongs to another residence") {
			t.Errorf("dwellings of another residence: %v", err)
		}
		if diff := cmp.Diff(before, dump(t, db)); diff != "" {
			t.Errorf("a refused load left something (-before +after):\n%s", diff)
		}
	})
}

func TestParseNamesEveryFault(t *testing.T) {
	faults := strings.NewReplacer("zone: Europe/Paris", "zone: Mars", "occupants: 2", "occupants: 0",
		"moved_out: 2026-02-10", "moved_out: 2026-02-30", "kind: electricity", "kind: steam",
		"resolution: month", "resolution: weekly", "{id: cw-3, gateway: gw-a, interval: 10m", "{id: cw-3, gateway: gw-b, interval: soon",
		"id: A-14", `id: "A 14"`, "P-next, name: Jean Voisin", `P-next, name: ""`).Replace(residence(t))
	_, err := roster.Parse([]byte(faults))
	if err == nil {
		t.Fatal("no fault was found")
	}
	for _, want := range []string{
		`residence: zone "Mars"`, "dwelling A-12: household F-new: occupants: want 1 to 30, got 0",
		"dwelling A-12: household F-old: moved_out: date \"2026-02-30\"", `dwelling A-12: point A-12-el: kind: unknown kind of meter "steam"`,
		`dwelling A-12: point A-12-hw: meter hw-1: resolution: unknown resolution "weekly"`,
		`dwelling A-13: point A-13-cw: meter cw-3: gateway "gw-b"`, `meter cw-3: interval "soon"`,
		`dwelling A 14: id "A 14"`, "household F-next: person P-next: name: want 1 to 200 characters",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ name, old, replaced, want string }{
		{"unknown key", "rooms: 3", "romms: 3", "romms"},
		{"two households at once", "moved_out: 2026-02-10", "moved_out: 2026-02-11", "dwelling A-12: households F-old and F-new live there at once"},
		{"two meters at once", `to: "2026-03-05T10:00:00+01:00"`, `to: "2026-03-06T10:00:00+01:00"`, "point A-12-cw: meter cw-1 and meter cw-2 at once"},
		{"meter at two points", "id: cw-3,", "id: el-1,", "meter el-1"},
		{"dwelling twice", "id: A-13\n", "id: A-12\n", "dwelling A-12: stands twice"},
		{"index past the modulus", "first_index: 1000", "first_index: 100000000000", "less than index_modulus"},
		{"last index of what hangs", "first_index: 1000", "last_index: 1000", "last_index without to"},
		{"way of heating", "rooms: 3", "rooms: 3\n    heating: steam", `dwelling A-12: heating "steam": want one of`},
		{"heat split", "zone: Europe/Paris,", "zone: Europe/Paris, heat_individual_percent: 101,", "residence: heat_individual_percent: want 0 to 100"},
		{"contact without its number", "occupants: 2,", "occupants: 2, contact: {by: telephone},", "household F-new: contact: telephone is not right or missing"},
		{"contact that is none", "occupants: 2,", "occupants: 2, contact: {by: pigeon},", "household F-new: contact: contact_by"},
		{"no text", "", "", "residence"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(residence(t), tt.old, tt.replaced, 1)
			if tt.old == "" {
				text = ""
			}
			if _, err := roster.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v; want one that says %q", err, tt.want)
			}
		})
	}
}

func TestDuringClipsToTheTenancy(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		if err := load(t, db, residence(t)); err != nil {
			t.Fatal(err)
		}
		homes := premises.NewStore(db)
		date := func(text string) civil.Date {
			d, err := civil.ParseDate(text)
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		now := time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)
		for _, tt := range []struct{ name, person, from, to, wantFrom, wantTo string }{
			{"within", "P-new", "2026-03-01", "2026-03-05", "2026-03-01", "2026-03-05"},
			{"over moving in", "P-new", "2026-01-01", "2026-03-01", "2026-02-10", "2026-03-01"},
			{"over moving out", "P-old", "2026-02-01", "2026-03-01", "2026-02-01", "2026-02-10"},
			{"before moving in", "P-new", "2026-01-01", "2026-02-10", "", ""},
			{"after moving out", "P-old", "2026-02-10", "2026-03-01", "", ""},
			{"nobody", "P-none", "2026-01-01", "2026-03-01", "", ""},
		} {
			t.Run(tt.name, func(t *testing.T) {
				stays, err := homes.During(t.Context(), premises.Own(accounts.PersonID(tt.person)), now, date(tt.from), date(tt.to))
				if tt.wantFrom == "" {
					if err == nil {
						t.Errorf("stays = %v, want none", stays)
					}
					return
				}
				if err != nil || len(stays) != 1 || stays[0].From.String() != tt.wantFrom || stays[0].To.String() != tt.wantTo {
					t.Errorf("stays = %+v, %v; want [%s, %s)", stays, err, tt.wantFrom, tt.wantTo)
				}
			})
		}
		// Once the membership ends, nothing of before is found either.
		sqldbtest.Exec(t, db, `UPDATE membership SET to_date = '2026-03-18' WHERE person_id = 'P-new'`)
		if stays, err := homes.During(t.Context(), premises.Own("P-new"), now, date("2026-03-01"), date("2026-03-05")); err == nil {
			t.Errorf("after the membership: %v", stays)
		}
		// Who joins later does not see what was before.
		sqldbtest.Exec(t, db, `UPDATE membership SET to_date = NULL, from_date = '2026-03-03' WHERE person_id = 'P-new'`)
		stays, err := homes.During(t.Context(), premises.Own("P-new"), now, date("2026-03-01"), date("2026-03-05"))
		if err != nil || stays[0].From.String() != "2026-03-03" || stays[0].MovedIn.String() != "2026-03-03" {
			t.Errorf("who joined on 3 March sees %+v, %v", stays, err)
		}
	})
}

func TestRegistryOfStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		if err := load(t, db, residence(t)); err != nil {
			t.Fatal(err)
		}
		all, err := premises.NewStore(db).Residences(t.Context())
		if err != nil || len(all) != 1 {
			t.Fatalf("residences = %v, %v", all, err)
		}
		got, err := meters.NewStore(db).Registry(t.Context(), all[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := got.Validate(); err != nil {
			t.Error(err)
		}
		end := time.Date(2026, 3, 5, 9, 0, 0, 0, time.UTC).UnixMilli()
		if len(got.Meters) != 6 || got.Meters[0].Meter != "cw-1" || got.Meters[0].ToMs != end || got.Meters[1].FromMs != end || got.Meters[1].ToMs != 0 {
			t.Errorf("registry = %+v", got)
		}
	})
}

func TestTariffs(t *testing.T) {
	const head = `
residence: {id: r, name: R, zone: Europe/Paris, earliest: 2025-01-01T00:00:00Z, heat_individual_percent: 65}
tariffs:
`
	sound := head + `
  - {kind: heat, from: 2026-01-01, price_micro_eur: 102000}
  - {kind: electricity, from: 2026-02-01, until: 2026-08-01, bill: supplier, price_micro_eur: 194000, source: regulated price}
dwellings: [{id: d, label: "1", provisions: [{from: 2026-01-01, monthly_cents: 4000}]}]
`
	r, err := roster.Parse([]byte(sound))
	if err != nil {
		t.Fatal(err)
	}
	if h, e := r.Tariffs[0], r.Tariffs[1]; h.IndividualPercent != 65 || h.Bill != "charges" || h.Per != "kWh" || e.IndividualPercent != 100 || e.Until.String() != "2026-08-01" {
		t.Errorf("tariffs = %+v", r.Tariffs)
	}
	if len(r.Advances) != 1 || r.Advances[0].MonthlyCents != 4000 || r.Advances[0].Dwelling != "d" {
		t.Errorf("provisions = %+v", r.Advances)
	}
	for text, want := range map[string]string{
		"  - {kind: steam, from: 2026-01-01, price_micro_eur: 1}":                                   "tariffs[0] steam from 2026-01-01: kind is not right",
		"  - {kind: heat, from: 2026-13-01, price_micro_eur: 1}":                                    "2026-13-01",
		"  - {kind: gas, from: 2026-01-01, price_micro_eur: 1}":                                     "per is not right or missing",
		"  - {kind: heat, from: 2026-01-01}\n  - {kind: heat, from: 2026-01-01}":                    "tariffs[1] heat from 2026-01-01: stands twice",
		"  - {kind: heat, from: 2026-01-01, price: 1}":                                              "price",
		"  []\ndwellings: [{id: d, label: x, provisions: [{from: 2026-01-01, monthly_cents: -1}]}]": "dwelling d: provisions: monthly_cents",
	} {
		if _, err := roster.Parse([]byte(head + text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
