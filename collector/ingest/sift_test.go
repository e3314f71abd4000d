package ingest_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/collector/quarantine"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

func erasedUntil(m wire.RegistryMeter, at time.Time) wire.RegistryMeter {
	m.ErasedUntilMs = at.UnixMilli()
	return m
}

// quarantined returns the readings that the quarantine holds, by pack.
func quarantined(t *testing.T, col *collector) map[wire.Seq][]string {
	t.Helper()
	found := map[wire.Seq][]string{}
	paths, err := filepath.Glob(filepath.Join(col.dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var r quarantine.Refused
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		pack, err := wire.DecodePack(r.Payload)
		if err != nil {
			t.Fatal(err)
		}
		for _, reading := range pack.Readings {
			found[r.Seq] = append(found[r.Seq], fmt.Sprintf("%s %d", reading.Meter, reading.Amount))
		}
	}
	return found
}

// What was erased comes back on no way: not stored, not kept, whatever else is
// in its pack or wrong with it.
func TestErasedComesBackOnNoWay(t *testing.T) {
	t.Parallel()
	const m = time.Minute
	_, store, col, g := begin(t, meter("M1", metering.Fine), meter("M2", metering.Fine))
	g.send(1, index("M1", -10*m, 1), index("M1", 0, 2))
	g.waitAnswered(1)
	if err := store.Erase(t.Context(), []metering.MeterID{"M1"}, dawn, base.Add(m)); err != nil {
		t.Fatal(err)
	}
	g.registry(erasedUntil(meter("M1", metering.Fine), base.Add(m)), meter("M2", metering.Fine))
	testkit.Eventually(t, 10*time.Second, func() error {
		g.send(2, index("M1", 0, 2)) // until the registry has come
		if _, refused := g.answers(); len(refused) == 0 {
			return fmt.Errorf("not refused")
		}
		return nil
	})
	if err := store.Erase(t.Context(), []metering.MeterID{"M1"}, dawn, base.Add(m)); err != nil {
		t.Fatal(err)
	}

	g.send(1, index("M1", -10*m, 1), index("M1", 0, 2))                     // replayed from a spool
	g.send(3, index("M1", 0, 2), index("M2", 0, 7), index("M1", m, 3))      // beside what is not erased
	g.send(4, index("M1", 0, 2), index("M2", 5*m, -1))                      // beside what is wrong
	g.send(5, index("M1", 0, -5), index("M1", m-time.Millisecond, 999_999)) // wrong and erased
	g.waitAnswered(6)                                                       // the first pack twice, in either way

	stored, refused := g.answers()
	if diff := cmp.Diff([][]wire.Seq{{1, 3}, {1, 2, 4, 5}}, [][]wire.Seq{stored, refused}); diff != "" {
		t.Errorf("stored, refused (-want +got):\n%s", diff)
	}
	for seq, want := range map[wire.Seq]string{1: "erased", 2: "erased", 4: "index_negative", 5: "erased"} {
		if got := g.reason(seq); !strings.HasPrefix(got, want) {
			t.Errorf("pack %d refused for %q, want %q", seq, got, want)
		}
	}
	if diff := cmp.Diff([][]metering.Amount{{3}, {7}}, [][]metering.Amount{kept(t, store, "M1"), kept(t, store, "M2")}); diff != "" {
		t.Errorf("stored of M1, M2 (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[wire.Seq][]string{4: {"M2 -1"}}, quarantined(t, col)); diff != "" {
		t.Errorf("quarantine (-want +got):\n%s", diff)
	}
	if got := col.figure(t, "erased_readings_total"); got < 7 {
		t.Errorf("%v erased readings counted, want 7 at least", got)
	}
}

// A batch that waits for InfluxDB does not bring back what was erased meanwhile.
func TestErasedWhileABatchWaits(t *testing.T) {
	t.Parallel()
	broker, server := testkit.Broker(t), testkit.Influx(t)
	c := influx.DefaultConfig()
	c.URL, c.Keep = server.URL, influx.Retention{}
	store := influxtest.OpenWith(t, c)
	col := start(t, quick(broker.URL), store)
	col.waitReady(t)
	g := newGateway(t, broker.URL)
	g.registry(meter("M1", metering.Fine))
	server.Kill()
	g.send(1, index("M1", 0, 1), index("M1", time.Minute, 2))
	g.send(2, index("M1", 2*time.Minute, 3))
	testkit.Eventually(t, 10*time.Second, func() error {
		if n := col.figure(t, "readings_total"); n != 3 {
			return fmt.Errorf("%v readings taken in", n)
		}
		return nil
	})
	g.registry(erasedUntil(meter("M1", metering.Fine), base.Add(2*time.Minute)), meter("SEEN", metering.Fine))
	testkit.Eventually(t, 10*time.Second, func() error {
		if n := col.figure(t, "erased_readings_total"); n != 2 {
			return fmt.Errorf("%v erased readings counted", n)
		}
		return nil
	})
	server.Start()
	g.waitAnswered(2)
	if diff := cmp.Diff([]metering.Amount{3}, kept(t, store, "M1")); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}

// A gateway that says it read another gateway's meter would put one family's
// figures into another's home.
func TestMeterOfAnotherGateway(t *testing.T) {
	t.Parallel()
	broker, store := testkit.Broker(t), influxtest.Open(t)
	col := start(t, quick(broker.URL), store)
	g := newGateway(t, broker.URL)
	elsewhere := meter("M9", metering.Fine)
	elsewhere.Gateway = "G2"
	g.registry(meter("M1", metering.Fine), elsewhere)
	col.waitReady(t)
	g.send(1, index("M9", 0, 1))
	g.send(2, index("M1", 0, 2), index("M9", time.Minute, 3))
	g.waitAnswered(2)
	stored, refused := g.answers()
	if diff := cmp.Diff([][]wire.Seq{nil, {1, 2}}, [][]wire.Seq{stored, refused}); diff != "" {
		t.Errorf("stored, refused (-want +got):\n%s", diff)
	}
	if got := g.reason(1); !strings.HasPrefix(got, "other_gateway") || !strings.Contains(got, "M9") {
		t.Errorf("reason %q", got)
	}
	if got := kept(t, store, "M9"); got != nil {
		t.Errorf("stored %v of a meter that another gateway reads", got)
	}
	if diff := cmp.Diff([]metering.Amount{2}, kept(t, store, "M1")); diff != "" {
		t.Errorf("stored of the gateway's own meter (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[wire.Seq][]string{1: {"M9 1"}, 2: {"M9 3"}}, quarantined(t, col)); diff != "" {
		t.Errorf("quarantine (-want +got):\n%s", diff)
	}
	if got := col.figure(t, "refused_readings_total"); got != 2 {
		t.Errorf("%v readings counted, want 2", got)
	}
}

// The same meter id at another site is another site's meter.
func TestMeterOfAnotherSite(t *testing.T) {
	t.Parallel()
	broker, store := testkit.Broker(t), influxtest.Open(t)
	col := start(t, quick(broker.URL), store)
	g := newGateway(t, broker.URL)
	g.registry(meter("M1", metering.Fine))
	payload, err := wire.Registry{Site: "S2", Zone: "Europe/Paris", EarliestMs: 1, Meters: []wire.RegistryMeter{meter("M2", metering.Fine)}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	wait(t, g.client.Publish(wire.RegistryTopic("S2"), 1, true, payload))
	col.waitReady(t)
	testkit.Eventually(t, 10*time.Second, func() error {
		g.send(1, index("M2", 0, 1))
		if _, refused := g.answers(); len(refused) == 0 {
			return fmt.Errorf("not refused")
		}
		return nil
	})
}

// whole reads everything that the quarantine's folder holds.
func whole(t *testing.T, col *collector) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(col.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		var r quarantine.Refused
		if json.Unmarshal(text, &r) == nil {
			all.Write(r.Payload) // not only as base64
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// What lies in the quarantine when a household's readings are erased goes with
// them, also where nobody can tell whose it is, and nothing else goes.
func TestErasureSweepsTheQuarantine(t *testing.T) {
	t.Parallel()
	broker, store := testkit.Broker(t), influxtest.Open(t)
	col := start(t, quick(broker.URL), store)
	g := newGateway(t, broker.URL)
	other := &gateway{t: t, client: g.client, source: wire.Source{Site: "S1", Gateway: "G2"}}
	elsewhere := meter("M8", metering.Fine)
	elsewhere.Gateway = "G2"
	const m = time.Minute
	g.registry(meter("M1", metering.Fine), meter("M2", metering.Fine), elsewhere)
	col.waitReady(t)
	g.send(1, index("M1", 0, -4711))                          // all of it goes
	g.send(2, index("M1", 0, -4711), index("M2", 0, -4722))   // a part
	g.send(3, index("M1", m, -4733), index("M1", 2*m, -4734)) // nothing: it is the next household's
	g.sendRaw([]byte("illegible of G1"))
	other.sendRaw([]byte("illegible of G2"))
	other.sendRaw([]byte("illegible of G2 about M1"))
	testkit.Eventually(t, 10*time.Second, func() error {
		if n := col.figure(t, "refused_packs_total"); n != 6 {
			return fmt.Errorf("%v packs refused", n)
		}
		return nil
	})
	if err := os.WriteFile(filepath.Join(col.dir, "S1~G1~SP1~77.json"), []byte("damaged -4711"), 0o600); err != nil {
		t.Fatal(err)
	}

	g.registry(erasedUntil(meter("M1", metering.Fine), base.Add(m)), meter("M2", metering.Fine), elsewhere)
	swept := func(want float64) {
		t.Helper()
		testkit.Eventually(t, 10*time.Second, func() error {
			if n := col.figure(t, "quarantine_swept_packs_total"); n != want {
				return fmt.Errorf("%v packs swept, want %v", n, want)
			}
			return nil
		})
	}
	swept(5)
	left := whole(t, col)
	for _, gone := range []string{"-4711", "illegible of G1", "about M1"} {
		if strings.Contains(left, gone) {
			t.Errorf("the quarantine still holds %q", gone)
		}
	}
	for _, stays := range []string{"-4722", "-4733", "-4734", "illegible of G2"} {
		if !strings.Contains(left, stays) {
			t.Errorf("the quarantine lost %q", stays)
		}
	}

	// What is refused after the erasure is not swept again, neither now nor after
	// a restart; another erasure sweeps again.
	g.sendRaw([]byte("illegible of G1, later"))
	testkit.Eventually(t, 10*time.Second, func() error {
		if n := col.figure(t, "refused_packs_total"); n != 7 {
			return fmt.Errorf("%v packs refused", n)
		}
		return nil
	})
	col = col.restart(t, quick(broker.URL), store)
	col.waitReady(t)
	g.send(9, index("M2", m, 1))
	g.waitAnswered(4)
	if !strings.Contains(whole(t, col), "later") {
		t.Error("the quarantine lost what came after the erasure")
	}
	g.registry(erasedUntil(meter("M1", metering.Fine), base.Add(m)), erasedUntil(meter("M2", metering.Fine), base.Add(m)), elsewhere)
	swept(2)
	if left := whole(t, col); strings.Contains(left, "-4722") || strings.Contains(left, "later") || !strings.Contains(left, "-4733") {
		t.Errorf("after the second erasure the quarantine holds %q", left)
	}
}

// Consent does not forget over a restart: of a period that has its reading no
// other is kept, and the one that is kept is taken again.
func TestConsentAcrossRestarts(t *testing.T) {
	t.Parallel()
	broker, store, col, g := begin(t, meter("HOUR", metering.Hour), meter("DAY", metering.Day), meter("MONTH", metering.Month))
	const m, day = time.Minute, 24 * time.Hour
	var hours []metering.Reading // more than one process remembers
	for i := range 40 {
		hours = append(hours, index("HOUR", time.Duration(i-40)*time.Hour, metering.Amount(i)))
	}
	g.send(1, append(hours, index("DAY", 0, 1), index("MONTH", 0, 1))...)
	g.waitAnswered(1)
	col = col.restart(t, quick(broker.URL), store)
	col.waitReady(t)
	late := index("HOUR", -40*time.Hour+m, 1000)
	g.send(2, late, index("HOUR", -30*time.Hour+m, 1001), index("HOUR", 0, 40), index("HOUR", m, 1002), index("DAY", m, 1003), index("DAY", day, 2), index("MONTH", day, 1004))
	g.send(3, append(hours, index("DAY", 0, 1), index("DAY", day, 2), index("DAY", day+m, 1005))...)
	g.waitAnswered(3)
	want := make([]metering.Amount, 41)
	for i := range want {
		want[i] = metering.Amount(i)
	}
	for id, want := range map[metering.MeterID][]metering.Amount{"HOUR": want, "DAY": {1, 2}, "MONTH": {1}} {
		if diff := cmp.Diff(want, kept(t, store, id)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
	if got := col.figure(t, "dropped_by_consent_total"); got != 6 {
		t.Errorf("%v readings dropped, want 6: what is sent again is no drop", got)
	}
}
