package charges_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/roster"
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
		for _, who := range []accounts.PersonID{"adv", "ma2", "ten"} {
			if err := s.RemoveProvision(t.Context(), who, "D", want[1].From); kindOf(err) != problem.NotFound {
				t.Errorf("%s takes it back: %v", who, err)
			}
		}
		if err := s.RemoveProvision(t.Context(), "man", "D", want[1].From); err != nil {
			t.Error(err)
		}
		if err := s.RemoveProvision(t.Context(), "man", "D", want[1].From); kindOf(err) != problem.NotFound {
			t.Errorf("taken back twice: %v", err)
		}
		if got, err := s.Provisions(t.Context(), "D"); err != nil || !cmp.Equal(got, want[:1]) {
			t.Errorf("left is %v, %v", got, err)
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
		// A manager moves it to another day: the next loads go on, and leave it there.
		moved, err := s.ByID(t.Context(), "man", "x")
		if err != nil {
			t.Fatal(err)
		}
		moved.From, moved.MicroEUR = date(t, "2026-02-01"), 9
		if err := s.Update(t.Context(), "man", moved); err != nil {
			t.Fatal(err)
		}
		load(6)
		load(7)
		var got []string
		all, err := s.Of(t.Context(), "R")
		for _, one := range all {
			got = append(got, fmt.Sprint(one.From, " ", one.MicroEUR))
		}
		if diff := cmp.Diff([]string{"2026-01-01 7", "2026-02-01 9"}, got); diff != "" || err != nil {
			t.Errorf("after the manager's change (-want +got):\n%s%v", diff, err)
		}
	})
}

func TestFaults(t *testing.T) {
	sound := charges.Tariff{Kind: metering.ColdWater, From: date(t, "2026-01-01"), Bill: metering.Charges, MicroEUR: 4_000_000, Per: "m3", IndividualPercent: 100}
	for _, tt := range []struct {
		name   string
		change func(*charges.Tariff)
		want   []string
	}{
		{"sound", func(*charges.Tariff) {}, nil},
		{"a kind that is not sold", func(t *charges.Tariff) { t.Kind, t.Per = metering.Temperature, "m3" }, []string{"kind"}},
		{"nobody bills it", func(t *charges.Tariff) { t.Bill = "landlord" }, []string{"bill"}},
		{"ends before it begins", func(t *charges.Tariff) { t.Until = t.From }, []string{"until"}},
		{"water by the kWh", func(t *charges.Tariff) { t.Per = "kWh" }, []string{"per", "price_micro_eur"}},
		{"heat in cold water", func(t *charges.Tariff) { t.HeatMicroEUR, t.WhPerM3 = 100_000, 90_000 }, []string{"heat_micro_eur", "wh_per_m3"}},
		{"hot water whose energy is not known", func(t *charges.Tariff) { t.Kind, t.HeatMicroEUR = metering.HotWater, 100_000 }, []string{"wh_per_m3"}},
		{"hot water", func(t *charges.Tariff) { t.Kind, t.HeatMicroEUR, t.WhPerM3 = metering.HotWater, 100_000, 90_000 }, nil},
		{"gas by the kWh", func(t *charges.Tariff) { t.Kind, t.Per, t.MicroEUR = metering.Gas, "kWh", 130_000 }, []string{"wh_per_m3"}},
		{"gas by the m3", func(t *charges.Tariff) { t.Kind = metering.Gas }, nil},
		{"below nothing", func(t *charges.Tariff) { t.MicroEUR, t.FixedMonthlyCents, t.IndividualPercent = -1, -1, 101 },
			[]string{"fixed_monthly_cents", "individual_percent", "price_micro_eur"}},
		{"water in cents", func(t *charges.Tariff) { t.MicroEUR = 400_000_000 }, []string{"price_micro_eur"}},
		{"water for nearly nothing", func(t *charges.Tariff) { t.MicroEUR = 199_999 }, []string{"price_micro_eur"}},
		{"water at 50 EUR", func(t *charges.Tariff) { t.MicroEUR = 50_000_000 }, nil},
		{"electricity by the MWh", func(t *charges.Tariff) { t.Kind, t.Per, t.MicroEUR = metering.Electricity, "kWh", 194_000_000 }, []string{"price_micro_eur"}},
		{"electricity below a cent", func(t *charges.Tariff) { t.Kind, t.Per, t.MicroEUR = metering.Electricity, "kWh", 9_999 }, []string{"price_micro_eur"}},
		{"electricity", func(t *charges.Tariff) { t.Kind, t.Per, t.MicroEUR = metering.Electricity, "kWh", 2_000_000 }, nil},
		{"heat of hot water at 3 EUR a kWh", func(t *charges.Tariff) { t.Kind, t.HeatMicroEUR, t.WhPerM3 = metering.HotWater, 3_000_000, 90_000 }, []string{"heat_micro_eur"}},
		{"hot water at 29 kWh a m3", func(t *charges.Tariff) { t.Kind, t.HeatMicroEUR, t.WhPerM3 = metering.HotWater, 100_000, 29_999 }, []string{"wh_per_m3"}},
		{"hot water at 201 kWh a m3", func(t *charges.Tariff) { t.Kind, t.HeatMicroEUR, t.WhPerM3 = metering.HotWater, 100_000, 200_001 }, []string{"wh_per_m3"}},
		{"gas of 16 kWh a m3", func(t *charges.Tariff) {
			t.Kind, t.Per, t.MicroEUR, t.WhPerM3 = metering.Gas, "kWh", 130_000, 15_001
		}, []string{"wh_per_m3"}},
		{"gas of 11 kWh a m3", func(t *charges.Tariff) {
			t.Kind, t.Per, t.MicroEUR, t.WhPerM3 = metering.Gas, "kWh", 130_000, 11_200
		}, nil},
		{"a share of cold water", func(t *charges.Tariff) { t.IndividualPercent = 70 }, []string{"individual_percent"}},
		{"a share of hot water", func(t *charges.Tariff) { t.Kind, t.IndividualPercent = metering.HotWater, 70 }, nil},
		{"a share of heat that a supplier bills", func(t *charges.Tariff) {
			t.Kind, t.Per, t.MicroEUR, t.Bill, t.IndividualPercent = metering.Heat, "kWh", 100_000, metering.Supplier, 70
		}, []string{"individual_percent"}},
		{"of the last century", func(u *charges.Tariff) { u.From = date(t, "1999-12-31") }, []string{"from"}},
		{"the first day", func(u *charges.Tariff) { u.From = date(t, "2000-01-01") }, nil},
		{"ten years ahead", func(u *charges.Tariff) { u.From = date(t, "2036-03-18") }, nil},
		{"further ahead", func(u *charges.Tariff) { u.From = date(t, "2036-03-19") }, []string{"from"}},
		{"ends in a thousand years", func(u *charges.Tariff) { u.Until = date(t, "3026-01-01") }, []string{"until"}},
	} {
		one := sound
		tt.change(&one)
		var got []string
		for _, f := range one.Faults(date(t, "2026-03-18")) {
			got = append(got, f.Name)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// A residence's file is held to the same limits, and says where.
func TestFileBeyondTheLimits(t *testing.T) {
	for _, tt := range []struct{ name, from, to, want string }{
		{"water in cents", "price_micro_eur: 4000000, fixed", "price_micro_eur: 400000000, fixed", "price_micro_eur is not right"},
		{"a price of the last century", "kind: heat, from: 2024-01-01", "kind: heat, from: 1924-01-01", "from is not right"},
		{"a provision of the last century", "provisions: [{from: 2024-06-01", "provisions: [{from: 1924-06-01", "1924-06-01"},
		{"a provision far ahead", "provisions: [{from: 2024-06-01", "provisions: [{from: 2924-06-01", "2924-06-01"},
	} {
		if _, err := roster.Parse([]byte(strings.Replace(flat, tt.from, tt.to, 1))); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	for day, want := range map[string]string{"1999-12-31": "field.too_early", "2000-01-01": "", "2036-03-18": "", "2036-03-19": "field.too_late"} {
		if fault, wrong := charges.DateFault("from", date(t, day), date(t, "2026-03-18")); fault.Message != want || wrong != (want != "") {
			t.Errorf("%s: %+v", day, fault)
		}
	}
}
