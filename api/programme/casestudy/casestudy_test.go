package casestudy_test

import (
	"database/sql"
	"math"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/api/programme/casestudy"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

const manager accounts.PersonID = "M-case"

// The figures of the case, as records tell them and as they were declared.
func TestCase(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		sqldbtest.Exec(t, db, `INSERT INTO person (id, name, language) VALUES ($1, 'Maude Gestion', 'fr')`, string(manager))
		readers := []casestudy.Reader{{Person: manager, Role: accounts.Manager}}
		for range 2 { // loaded again it changes nothing
			if err := casestudy.Load(t.Context(), db, readers, nil); err != nil {
				t.Fatal(err)
			}
		}
		from, until := casestudy.Period()
		now := time.Date(2010, 1, 4, 9, 0, 0, 0, time.UTC)
		all, err := programme.NewStore(db).Indicators(t.Context(), manager, programme.Period{Residence: casestudy.Residence, From: from, Until: until}, now)
		if err != nil {
			t.Fatal(err)
		}
		byKey := map[programme.Key]programme.Indicator{}
		for _, i := range all {
			byKey[i.Key] = i
		}
		for _, want := range []struct {
			key                programme.Key
			computed, declared float64 // −1 where nothing was declared
			about              bool
		}{
			{"sold_used", 30, 30, true}, {"sold_new", 10, 10, true},
			{"revenue", 2800, 4800, false}, // 30 × 60 + 10 × 100, where 4,800 is declared
			{"cost_used", 3165, 3165, false}, {"cost_new", 7912, 7912, false},
			{"net", -8277, -1, false}, {"cover", 25.278, -1, false}, {"mean_subsidy", 206.925, -1, false},
			{"families_equipped", 40, 40, false}, {"share_used", 75, -1, false},
			{"obliged", 40, -1, false}, {"trained", 24, 24, true}, {"trained_rate", 60, -1, false}, {"sessions", 3, 3, false},
			{"equipment_rate", 85, 85, false}, {"internet_rate", 77, 77, false},
			{"equipment_rise", 150, -1, false}, {"programme_share", 26.667, -1, false}, // 40 of 150
			{"staff_hours", 884, -1, false}, // 3 years of a tenth and a year of a quarter of 1,607 hours
		} {
			i := byKey[want.key]
			if i.Computed == nil || math.Abs(float64(*i.Computed)/1000-want.computed) > 0.001 {
				t.Errorf("%s: computed %v, want %v", want.key, i.Computed, want.computed)
				continue
			}
			if (i.Declared == nil) != (want.declared < 0) || i.Declared != nil && float64(*i.Declared)/1000 != want.declared || i.About != want.about {
				t.Errorf("%s: declared %v, about %v, want %v, %v", want.key, i.Declared, i.About, want.declared, want.about)
			}
			if i.Declared != nil && (i.Gap == nil || *i.Gap != *i.Declared-*i.Computed) {
				t.Errorf("%s: gap %v of %v and %v", want.key, i.Gap, i.Declared, i.Computed)
			}
		}
		if gap := byKey["revenue"].Gap; gap == nil || *gap != 2_000_000 {
			t.Errorf("gap of the revenue: %v, want 2,000 €", gap)
		}
		if rows := count(t, db, `SELECT COUNT(*) FROM outbox`); rows != 0 {
			t.Errorf("%d letters of those years wait to be printed", rows)
		}
	})
}

func count(t *testing.T, db *sql.DB, query string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
