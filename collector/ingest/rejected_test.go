package ingest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// conflict writes a field of another type into the week of an instant, so that
// InfluxDB itself refuses every power of that week.
func conflict(t *testing.T, c influx.Config, at time.Time) {
	t.Helper()
	line := fmt.Sprintf("reading,meter=STRANGER power=1.5 %d", at.UnixMilli())
	response, err := http.Post(c.URL+"/write?precision=ms&db="+c.Prefix+"_readings", "text/plain", strings.NewReader(line))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		t.Fatalf("status %s", response.Status)
	}
}

func power(m metering.MeterID, after time.Duration, watts metering.Amount) metering.Reading {
	return metering.Reading{Meter: m, Quantity: metering.Power, At: base.Add(after), Amount: watts}
}

// TestRejectedByInfluxDB has InfluxDB refuse two readings of one pack of many,
// for a reason that only it can know, and all of another.
func TestRejectedByInfluxDB(t *testing.T) {
	t.Parallel()
	influxtest.Is18(t)
	c := influxtest.Config(t)
	broker, store := testkit.Broker(t), influxtest.OpenWith(t, c)
	const month = 30 * 24 * time.Hour
	conflict(t, c, base.Add(-month))
	slow := quick(broker.URL)
	slow.BatchAge = 300 * time.Millisecond // so that all share a batch
	col := start(t, slow, store)
	g := newGateway(t, broker.URL)
	g.registry(meter("M1", metering.Fine), meter("M2", metering.Fine))
	col.waitReady(t)
	for seq := range wire.Seq(8) {
		rs := []metering.Reading{index("M1", time.Duration(seq)*time.Minute, metering.Amount(seq))}
		switch seq {
		case 5:
			rs = append(rs, power("M2", -month, 1), index("M2", 0, 2), power("M1", -month, 3))
		case 6:
			rs = []metering.Reading{power("M1", -month+time.Minute, 4)}
		}
		g.send(seq+1, rs...)
	}
	g.waitAnswered(8)
	stored, refused := g.answers()
	if diff := cmp.Diff([][]wire.Seq{{1, 2, 3, 4, 5, 8}, {6, 7}}, [][]wire.Seq{stored, refused}); diff != "" {
		t.Errorf("stored, refused (-want +got):\n%s", diff)
	}
	if !strings.Contains(g.reason(6), "field type conflict") {
		t.Errorf("reason %q", g.reason(6))
	}
	if diff := cmp.Diff([][]metering.Amount{{0, 1, 2, 3, 4, 5, 7}, {2}}, [][]metering.Amount{kept(t, store, "M1"), kept(t, store, "M2")}); diff != "" {
		t.Errorf("stored of M1, M2 (-want +got):\n%s", diff)
	}
	want := map[wire.Seq][]string{6: {"M2 1", "M1 3"}, 7: {"M1 4"}}
	if diff := cmp.Diff(want, quarantined(t, col)); diff != "" {
		t.Errorf("quarantine (-want +got):\n%s", diff)
	}
	if got := col.figure(t, "stored_readings_total"); got != 8 {
		t.Errorf("%v readings counted as stored, want 8", got)
	}
}

// What the retention would not let live is not sent to InfluxDB.
func TestOlderThanTheRetention(t *testing.T) {
	t.Parallel()
	c := influxtest.Config(t)
	c.Keep.Readings = 3000
	broker, store := testkit.Broker(t), influxtest.OpenWith(t, c)
	col := start(t, quick(broker.URL), store)
	g := newGateway(t, broker.URL)
	payload, err := wire.Registry{Site: "S1", Zone: "Europe/Paris", EarliestMs: 1}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	wait(t, g.client.Publish(wire.RegistryTopic("S1"), 1, true, payload))
	col.waitReady(t)
	g.send(1, index("M1", -4000*24*time.Hour, 1), index("M1", 0, 2))
	g.waitAnswered(1)
	if got := g.reason(1); !strings.HasPrefix(got, "older_than_retention") {
		t.Errorf("reason %q", got)
	}
	if diff := cmp.Diff([]metering.Amount{2}, kept(t, store, "M1")); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}

// A moody stands before InfluxDB and answers its first writes by itself.
type moody struct {
	front  *httputil.ReverseProxy
	answer func(http.ResponseWriter, *http.Request)
	left   atomic.Int64 // writes that it still answers
	held   atomic.Int64 // writes that it has answered
}

func (m *moody) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/write") && m.left.Add(-1) >= 0 {
		m.held.Add(1)
		m.answer(w, r)
		return
	}
	m.front.ServeHTTP(w, r)
}

func refusing(status int, words string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Influxdb-Error", words)
		http.Error(w, words, status)
	}
}

// Whatever is said instead of InfluxDB for a while, and to all alike, costs no
// reading: none goes to the quarantine and all are stored.
func TestMoodsOfInfluxDB(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		writes int64
		answer func(http.ResponseWriter, *http.Request)
	}{
		{"wrong token", 3, refusing(401, "authorization failed")},
		{"too large", 4, refusing(413, "Request Entity Too Large")},
		{"too many", 3, refusing(429, "slow down")},
		{"away", 3, refusing(503, "timeout")},
		{"all is called bad", 8, refusing(400, "partial write: field type conflict dropped=1")},
		{"hangs", 1, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // else the server does not see the client leave
			<-r.Context().Done()
		}},
		{"kept, and the answer lost", 2, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			checkMood(t, tt.writes, tt.answer)
		})
	}
}

func checkMood(t *testing.T, writes int64, answer func(http.ResponseWriter, *http.Request)) {
	c, broker := influxtest.Config(t), testkit.Broker(t)
	target, err := url.Parse(c.URL)
	if err != nil {
		t.Fatal(err)
	}
	m := &moody{front: httputil.NewSingleHostReverseProxy(target), answer: answer}
	m.front.Transport = &http.Transport{} // the default one is everybody's: a server that closes closes it
	m.front.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	if answer == nil {
		m.answer = func(w http.ResponseWriter, r *http.Request) {
			m.front.ServeHTTP(httptest.NewRecorder(), r)
			refusing(503, "the answer was lost")(w, r)
		}
	}
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	direct := influxtest.OpenWith(t, c)
	c.URL = server.URL
	quickly := quick(broker.URL)
	quickly.GiveUp, quickly.AttemptTimeout = 400*time.Millisecond, time.Second
	through, err := influx.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(through.Close)
	col := start(t, quickly, through)
	g := newGateway(t, broker.URL)
	g.registry(meter("M1", metering.Fine))
	col.waitReady(t)
	m.left.Store(writes)
	g.send(1, index("M1", 0, 1), index("M1", time.Minute, 2), index("M1", 2*time.Minute, 3))
	testkit.Eventually(t, 30*time.Second, func() error {
		if stored, refused := g.answers(); len(stored) == 1 && len(refused) == 0 {
			return nil
		}
		if m.left.Load() <= 0 { // the broker may have been left: a gateway sends again
			g.send(1, index("M1", 0, 1), index("M1", time.Minute, 2), index("M1", 2*time.Minute, 3))
		}
		return fmt.Errorf("not answered after %d moods", m.held.Load())
	})
	if got := m.held.Load(); got != writes {
		t.Errorf("%d writes were answered instead of InfluxDB, want %d", got, writes)
	}
	if diff := cmp.Diff([]metering.Amount{1, 2, 3}, kept(t, direct, "M1")); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	if got := quarantined(t, col); len(got) > 0 {
		t.Errorf("quarantine holds %v", got)
	}
}

// InfluxDB that lost its buckets gets them again, and all is stored.
func TestBucketsThatGetLost(t *testing.T) {
	t.Parallel()
	influxtest.Is18(t)
	c, broker := influxtest.Config(t), testkit.Broker(t)
	store := influxtest.OpenWith(t, c)
	col := start(t, quick(broker.URL), store)
	g := newGateway(t, broker.URL)
	g.registry(meter("M1", metering.Fine))
	col.waitReady(t)
	form := url.Values{"q": {fmt.Sprintf("DROP DATABASE %q", c.Prefix+"_readings")}}
	response, err := http.PostForm(c.URL+"/query", form)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(io.Discard, response.Body) // InfluxDB begins its answer before it drops
	if err := errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
	g.send(1, index("M1", 0, 1))
	g.waitAnswered(1)
	if diff := cmp.Diff([]metering.Amount{1}, kept(t, store, "M1")); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}

// Packs that hold a megabyte of nothing do not fill the memory while InfluxDB is
// away: the broker has to wait.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	broker, server := testkit.Broker(t), testkit.Influx(t)
	c := influx.DefaultConfig()
	c.URL, c.Keep = server.URL, influx.Retention{}
	store := influxtest.OpenWith(t, c)
	patient := quick(broker.URL)
	patient.GiveUp, patient.RoomBytes = time.Hour, 6<<20
	col := start(t, patient, store)
	g := newGateway(t, broker.URL)
	g.registry(meter("M1", metering.Fine))
	col.waitReady(t)
	server.Kill()
	padding := bytes.Repeat([]byte(" "), 1<<20-200)
	const packs, most = 40, 20
	send := func(seq int) {
		payload := fmt.Appendf(nil, `[{"bver":26,"n":"spool","vs":"SP1"},{"n":"seq","v":%d},{"n":"M1/index","u":"Wh","t":%d,"v":%d}%s]`,
			seq+1, base.Unix()+int64(seq), seq, padding)
		g.client.Publish(g.source.Topic(wire.ReadingsChannel), 1, false, payload)
	}
	for seq := range packs {
		send(seq)
	}
	last, since := 0.0, time.Now()
	testkit.Eventually(t, 20*time.Second, func() error {
		if n := col.figure(t, "packs_total"); n != last {
			last, since = n, time.Now()
		}
		if last < 5 || time.Since(since) < time.Second {
			return fmt.Errorf("%v packs arrived", last)
		}
		return nil
	})
	if last > most {
		t.Errorf("%v packs of a megabyte are held in memory", last)
	}
	server.Start()
	sent := time.Now()
	testkit.Eventually(t, 60*time.Second, func() error {
		stored, _ := g.answers()
		if len(stored) == packs {
			return nil
		}
		if time.Since(sent) > 5*time.Second { // a link that was held up for long may have been cut: a gateway sends again
			sent = time.Now()
			for seq := range packs {
				if !slices.Contains(stored, wire.Seq(seq+1)) {
					send(seq)
				}
			}
		}
		return fmt.Errorf("stored %v", stored)
	})
}
