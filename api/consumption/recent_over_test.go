package consumption_test

import (
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// Of days that are over the last reading is kept as their figures are, and is dropped
// with them; who may not look any more is not shown what is kept.
func TestRememberTheEndOfWhatIsOver(t *testing.T) {
	server := testkit.Influx(t)
	reader, client, db := homeAndStore(t, server, head+onePoint)
	write(t, client, []closedDay{{"a", "2026-05-02", 500, 500}}, map[string]metering.Amount{"2026-05-03 12:00:00": 600})
	between := func() (consumption.Home, error) {
		return reader.Between(t.Context(), premises.Own("p"), local(t, "2026-05-05 12:30:01"), date(t, "2026-05-01"), date(t, "2026-05-04"))
	}
	checkThird := func(when string, want metering.Amount) {
		t.Helper()
		home, err := between()
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := home.Series[0].Day(date(t, "2026-05-03")); !ok || got.Used != want {
			t.Errorf("3 May %s: %d, %v; want %d", when, got.Used, ok, want)
		}
	}
	reader.Remember(time.Hour)
	checkThird("at first", 100)
	write(t, client, nil, map[string]metering.Amount{"2026-05-03 18:00:00": 650})
	checkThird("as it is kept", 100)
	reader.Forget()
	checkThird("after a change", 150)
	sqldbtest.Exec(t, db, `UPDATE membership SET to_date = '2026-05-05'`)
	if home, err := between(); err == nil {
		t.Errorf("shown to who has left: %+v", home.Series)
	}
}
