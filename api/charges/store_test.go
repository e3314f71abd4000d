package charges_test

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// furnish makes two residences with a manager each, and an advisor of the first.
func furnish(t *testing.T, db *sql.DB) *charges.Store {
	t.Helper()
	for _, statement := range []string{
		`INSERT INTO residence (id, name, zone, earliest_ms, heat_individual_percent) VALUES ('R', 'Rouge', 'Europe/Paris', 0, 65), ('S', 'Safran', 'Europe/Paris', 0, 70)`,
		`INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2) VALUES ('D', 'R', 'A', '1', '12', 1, 3, 60)`,
		`INSERT INTO person (id, name, language) VALUES ('man', 'Marius', 'fr'), ('ma2', 'Mireille', 'fr'), ('adv', 'Claire', 'fr'), ('ten', 'Rose', 'fr')`,
		`INSERT INTO staff_role (person_id, role, residence_id) VALUES ('man', 'manager', 'R'), ('ma2', 'manager', 'S'), ('adv', 'advisor', 'R')`,
	} {
		sqldbtest.Exec(t, db, statement)
	}
	return charges.NewStore(db)
}

func kindOf(err error) problem.Kind {
	if err == nil {
		return -1
	}
	return problem.Of(err).Kind
}

func TestStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s, ctx := furnish(t, db), t.Context()
		heat := charges.Tariff{Residence: "R", Kind: metering.Heat, From: date(t, "2026-01-01"), Until: date(t, "2026-07-01"), Bill: metering.Charges,
			FixedMonthlyCents: 500, MicroEUR: 102_000, Per: "kWh", IndividualPercent: charges.UsualShare, Source: "contrat"}
		made, err := s.Create(ctx, "man", heat)
		if err != nil {
			t.Fatal(err)
		}
		heat.ID, heat.Version, heat.IndividualPercent = made.ID, 1, 65 // the residence's split
		if diff := cmp.Diff(heat, made); diff != "" {
			t.Errorf("made (-want +got):\n%s", diff)
		}
		water := charges.Tariff{Residence: "R", Kind: metering.ColdWater, From: date(t, "2026-01-01"), Bill: metering.Charges, MicroEUR: 4_130_000, Per: "m3", IndividualPercent: charges.UsualShare}
		if got, err := s.Create(ctx, "man", water); err != nil || got.IndividualPercent != 100 || !got.Until.IsZero() {
			t.Errorf("water: %+v, %v", got, err)
		}
		for who, want := range map[accounts.PersonID]problem.Kind{"man": problem.Conflict, "adv": problem.NotFound, "ma2": problem.NotFound, "ten": problem.NotFound} {
			if _, err := s.Create(ctx, who, heat); kindOf(err) != want {
				t.Errorf("%s creates it again: %v", who, err)
			}
		}
		for who, want := range map[accounts.PersonID]int{"man": 2, "adv": 2, "ma2": 0, "ten": 0} {
			list, err := s.List(ctx, who, "", resource.Page{Limit: 10})
			if err != nil || len(list) != want {
				t.Errorf("%s lists %d, %v, want %d", who, len(list), err, want)
			}
			if _, err := s.ByID(ctx, who, made.ID); (err == nil) != (want > 0) {
				t.Errorf("%s reads it: %v", who, err)
			}
		}
		testChange(t, s, made)
		testRemove(t, s, made.ID)
	})
}

func testChange(t *testing.T, s *charges.Store, made charges.Tariff) {
	t.Helper()
	made.MicroEUR = 110_000
	for who, want := range map[accounts.PersonID]problem.Kind{"adv": problem.NotFound, "ma2": problem.NotFound} {
		if err := s.Update(t.Context(), who, made); kindOf(err) != want {
			t.Errorf("%s changes it: %v", who, err)
		}
	}
	if err := s.Update(t.Context(), "man", made); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), "man", made); !errors.Is(err, resource.ErrStale) {
		t.Errorf("the version before: %v", err)
	}
	got, err := s.ByID(t.Context(), "adv", made.ID)
	if err != nil || got.MicroEUR != 110_000 || got.Version != 2 {
		t.Errorf("changed: %+v, %v", got, err)
	}
	later := made
	later.From, later.Until = date(t, "2026-07-01"), date(t, "2027-01-01")
	second, err := s.Create(t.Context(), "man", later)
	if err != nil {
		t.Fatal(err)
	}
	second.From = made.From
	if err := s.Update(t.Context(), "man", second); kindOf(err) != problem.Conflict {
		t.Errorf("moved onto the day of another: %v", err)
	}
	if err := s.Remove(t.Context(), "man", second.ID, 1); err != nil {
		t.Error(err)
	}
}

func testRemove(t *testing.T, s *charges.Store, id charges.TariffID) {
	t.Helper()
	if err := s.Remove(t.Context(), "ma2", id, 2); !errors.Is(err, charges.ErrNone) {
		t.Errorf("another's manager removes it: %v", err)
	}
	if err := s.Remove(t.Context(), "man", id, 1); !errors.Is(err, resource.ErrStale) {
		t.Errorf("the version before: %v", err)
	}
	if err := s.Remove(t.Context(), "man", id, 2); err != nil {
		t.Error(err)
	}
	if all, err := s.Of(t.Context(), "R"); err != nil || len(all) != 1 {
		t.Errorf("left are %d, %v", len(all), err)
	}
}

func TestProvisions(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := furnish(t, db)
		for who, want := range map[accounts.PersonID]problem.Kind{"adv": problem.NotFound, "ma2": problem.NotFound, "man": -1} {
			if err := s.SetProvision(t.Context(), who, charges.Provision{Dwelling: "D", From: date(t, "2026-01-01"), MonthlyCents: 4000}); kindOf(err) != want {
				t.Errorf("%s sets it: %v", who, err)
			}
		}
		want := []charges.Provision{{"D", date(t, "2025-01-01"), 3500}, {"D", date(t, "2026-01-01"), 4200}}
		for _, p := range want {
			if err := s.SetProvision(t.Context(), "man", p); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.ProvisionsFor(t.Context(), "adv", "D")
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("provisions (-want +got):\n%s%v", diff, err)
		}
		if _, err := s.ProvisionsFor(t.Context(), "ma2", "D"); kindOf(err) != problem.NotFound {
			t.Errorf("another's manager reads them: %v", err)
		}
	})
}

// Only a meter that passed its check where it hung then is believed.
func TestVerified(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := furnish(t, db)
		hung, moved, now := time.UnixMilli(1_000_000).UTC(), time.UnixMilli(2_000_000).UTC(), time.UnixMilli(3_000_000).UTC()
		for _, statement := range []string{
			`INSERT INTO gateway (id, residence_id) VALUES ('g', 'R')`,
			`INSERT INTO point (id, dwelling_id, kind) VALUES ('p', 'D', 'cold_water'), ('q', 'D', 'cold_water')`,
			`INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution) VALUES
			 ('a', 'g', 'cold_water', 0, 0, 600, 'day'), ('b', 'g', 'cold_water', 0, 0, 600, 'day'), ('c', 'g', 'cold_water', 0, 0, 600, 'day')`,
			`INSERT INTO binding (meter_id, point_id, from_ms, to_ms) VALUES ('a', 'p', 1000000, 2000000), ('a', 'q', 2000000, NULL), ('b', 'p', 2000000, NULL)`,
			`INSERT INTO meter_check (meter_id, point_id, bound_ms, state) VALUES ('a', 'p', 1000000, 'verified'), ('a', 'q', 2000000, 'disputed'), ('b', 'p', 2000000, 'verified')`,
		} {
			sqldbtest.Exec(t, db, statement)
		}
		verified, err := s.Verified(t.Context(), []metering.MeterID{"a", "b", "c"})
		if err != nil {
			t.Fatal(err)
		}
		part := func(m metering.MeterID, from, to time.Time) metering.Part {
			return metering.Part{From: metering.Boundary{Meter: m, At: from}, To: metering.Boundary{Meter: m, At: to}}
		}
		for _, tt := range []struct {
			name string
			part metering.Part
			want bool
		}{
			{"checked there", part("a", hung, moved), true},
			{"disputed since", part("a", moved, now), false},
			{"over both", part("a", hung, now), false},
			{"still there", part("b", moved, now), true},
			{"before it hung there", part("b", hung, now), false},
			{"never checked", part("c", hung, now), false},
		} {
			if got := verified(tt.part); got != tt.want {
				t.Errorf("%s: %v", tt.name, got)
			}
		}
		nobody, err := s.Verified(t.Context(), nil)
		if err != nil || nobody(part("a", hung, moved)) {
			t.Errorf("no meters were asked about, one is verified: %v", err)
		}
	})
}

// A file that is loaded again changes nothing; what it does not name stays.
func TestLoad(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := furnish(t, db)
		load := func(micro int64) {
			t.Helper()
			err := sqldb.InTx(t.Context(), db, func(tx *sql.Tx) error {
				return charges.Load(t.Context(), tx, charges.Tariffs{{ID: "x", Residence: "R", Kind: metering.ColdWater, From: date(t, "2026-01-01"),
					Bill: metering.Charges, MicroEUR: micro, Per: "m3", IndividualPercent: 100}}, []charges.Provision{{"D", date(t, "2026-01-01"), 100}})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, step := range []struct{ micro, version int64 }{{5, 1}, {5, 1}, {6, 2}} {
			load(step.micro)
			got, err := s.ByID(t.Context(), "man", "x")
			if err != nil || got.MicroEUR != step.micro || got.Version != step.version {
				t.Errorf("loaded %d: %+v, %v, want version %d", step.micro, got, err, step.version)
			}
		}
	})
}

func TestFaults(t *testing.T) {
	sound := charges.Tariff{Kind: metering.ColdWater, From: date(t, "2026-01-01"), Bill: metering.Charges, MicroEUR: 1, Per: "m3", IndividualPercent: 100}
	for _, tt := range []struct {
		name   string
		change func(*charges.Tariff)
		want   []string
	}{
		{"sound", func(*charges.Tariff) {}, nil},
		{"a kind that is not sold", func(t *charges.Tariff) { t.Kind, t.Per = metering.Temperature, "m3" }, []string{"kind"}},
		{"nobody bills it", func(t *charges.Tariff) { t.Bill = "landlord" }, []string{"bill"}},
		{"ends before it begins", func(t *charges.Tariff) { t.Until = t.From }, []string{"until"}},
		{"water by the kWh", func(t *charges.Tariff) { t.Per = "kWh" }, []string{"per"}},
		{"heat in cold water", func(t *charges.Tariff) { t.HeatMicroEUR, t.WhPerM3 = 5, 5 }, []string{"heat_micro_eur", "wh_per_m3"}},
		{"hot water whose energy is not known", func(t *charges.Tariff) { t.Kind, t.HeatMicroEUR = metering.HotWater, 5 }, []string{"wh_per_m3"}},
		{"hot water", func(t *charges.Tariff) { t.Kind, t.HeatMicroEUR, t.WhPerM3 = metering.HotWater, 5, 90_000 }, nil},
		{"gas by the kWh", func(t *charges.Tariff) { t.Kind, t.Per = metering.Gas, "kWh" }, []string{"wh_per_m3"}},
		{"gas by the m3", func(t *charges.Tariff) { t.Kind = metering.Gas }, nil},
		{"below nothing", func(t *charges.Tariff) { t.MicroEUR, t.FixedMonthlyCents, t.IndividualPercent = -1, -1, 101 },
			[]string{"price_micro_eur", "fixed_monthly_cents", "individual_percent"}},
	} {
		one := sound
		tt.change(&one)
		var got []string
		for _, f := range one.Faults() {
			got = append(got, f.Name)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
