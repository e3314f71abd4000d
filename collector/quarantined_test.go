package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/xnetroseraie/xnet/collector/quarantine"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// refused keeps a pack of the hourly indexes that M1 showed from at on.
func refused(t *testing.T, q *quarantine.Quarantine, seq wire.Seq, at time.Time, indexes ...metering.Amount) {
	t.Helper()
	pack := wire.Pack{Spool: "SP1", Seq: seq}
	for i, index := range indexes {
		r := metering.Reading{Meter: "M1", Quantity: metering.Index, At: at.Add(time.Duration(i) * 10 * time.Minute), Amount: index}
		pack.Readings = append(pack.Readings, wire.UnitReading{Reading: r, Unit: metering.WattHour})
	}
	payload, err := wire.AppendPack(nil, pack)
	if err != nil {
		t.Fatal(err)
	}
	keep(t, q, quarantine.Refused{Spool: "SP1", Seq: seq, Reason: fmt.Sprintf("reason %d", seq), Payload: payload})
}

func keep(t *testing.T, q *quarantine.Quarantine, r quarantine.Refused) {
	t.Helper()
	r.At, r.Source = time.Date(2026, 5, 5, 0, 0, 0, 0, time.UTC), wire.Source{Site: "S1", Gateway: "G1"}
	r.Topic = r.Source.Topic(wire.ReadingsChannel)
	if err := q.Keep(r); err != nil {
		t.Fatal(err)
	}
}

// A step is one command and what it must say, and must not.
type step struct {
	args  string
	says  []string
	not   []string
	fails string
}

func play(t *testing.T, config string, steps ...step) {
	t.Helper()
	for _, s := range steps {
		out, err := command(t, noEnv, append(strings.Fields(s.args), "--config", config)...)
		if (err == nil) != (s.fails == "") || err != nil && !strings.Contains(err.Error(), s.fails) {
			t.Errorf("%s: error %v, want %q", s.args, err, s.fails)
		}
		for _, want := range s.says {
			if !strings.Contains(out, want) {
				t.Errorf("%s says %q, want %q", s.args, out, want)
			}
		}
		for _, unwanted := range s.not {
			if strings.Contains(out, unwanted) {
				t.Errorf("%s says %q, and must not say %q", s.args, out, unwanted)
			}
		}
	}
}

func TestQuarantineCommands(t *testing.T) {
	c, broker, dir := influxtest.Config(t), testkit.Broker(t), filepath.Join(t.TempDir(), "quarantine")
	path := file(t, fmt.Sprintf("broker: {url: %q}\ninflux: {url: %q, org: %q, token_file: %q, prefix: %s, keep: {readings_days: 0, hourly_days: 0, daily_days: 0}}\nquarantine: {dir: %q}\n",
		broker.URL, c.URL, c.Org, c.TokenFile, c.Prefix, dir))
	play(t, path, step{args: "quarantine list", fails: "quarantine.dir"})

	q, err := quarantine.Open(dir, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	play(t, path, step{args: "quarantine list", says: []string{"0 packs"}, not: []string{"REASON"}})
	refused(t, q, 1, from, 10, 20, 30, 40, 50, 60, 70)
	refused(t, q, 2, from.Add(time.Hour), 70, 80, -1)
	keep(t, q, quarantine.Refused{Reason: "undecodable", Payload: []byte("\x1b[2Jpoison")})
	if err := os.WriteFile(filepath.Join(dir, "S1~G1~SP1~9.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	play(t, path,
		step{args: "quarantine list", says: []string{"S1~G1~SP1~1 ", "reason 1", "reason 2", "undecodable", "remove it by hand", "4 packs"}},
		step{args: "quarantine show S1~G1~SP1~2", says: []string{"xnet/v1/S1/G1/readings", "reason 2", `"v":-1`}},
		step{args: "quarantine show S1~G1~SP1~3", fails: "no such pack"},
		step{args: "quarantine show ../../etc/passwd", fails: "no such pack"},
		step{args: "quarantine replay", fails: "--all"},
		step{args: "quarantine replay --all S1~G1~SP1~1", fails: "not both"},
		step{args: "quarantine replay --all", fails: "no registry"},
	)
	poison := poisonName(t, q)
	play(t, path, step{args: "quarantine show " + poison, says: []string{`\x1b[2Jpoison`}, not: []string{"\x1b"}})

	store := influxtest.OpenWith(t, c)
	announce(t, broker.URL)
	for range 2 { // again, as after a kill
		refused(t, q, 1, from, 10, 20, 30, 40, 50, 60, 70)
		play(t, path, step{args: "quarantine replay --all", fails: "remove it by hand",
			says: []string{"S1~G1~SP1~1: 7 readings stored", "index_negative", poison + ": 0 readings stored, the rest stays: undecodable", "2 packs stay"}})
	}
	play(t, path,
		step{args: "quarantine show S1~G1~SP1~1", fails: "no such pack"},
		step{args: "quarantine show S1~G1~SP1~2", says: []string{`"v":-1`, "index_negative"}, not: []string{`"v":80`}},
		step{args: "quarantine list", says: []string{"3 packs"}})
	hours, err := store.Consumption(t.Context(), influx.Hourly, []metering.MeterID{"M1"}, from, from.Add(24*time.Hour))
	if err != nil || len(hours["M1"]) != 1 || hours["M1"][0].Used != 60 {
		t.Errorf("hours %v, %v", hours, err)
	}
	readings, err := store.Readings(t.Context(), []metering.MeterID{"M1"}, metering.Index, from, from.Add(24*time.Hour))
	if err != nil || len(readings["M1"]) != 8 {
		t.Errorf("readings %v, %v; want 8", readings, err)
	}
}

// TestCommandsWaitForInfluxDB: one that restarts keeps nobody from replaying.
func TestCommandsWaitForInfluxDB(t *testing.T) {
	server, broker, dir := testkit.Influx(t), testkit.Broker(t), filepath.Join(t.TempDir(), "quarantine")
	path := file(t, fmt.Sprintf("broker: {url: %q}\ninflux: {url: %q, keep: {readings_days: 0, hourly_days: 0, daily_days: 0}}\nquarantine: {dir: %q}\n",
		broker.URL, server.URL, dir))
	store, err := influx.Open(influx.Config{URL: server.URL, Prefix: "xnet"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	q, err := quarantine.Open(dir, 1<<20)
	if err := errors.Join(err, store.SetUp(t.Context())); err != nil {
		t.Fatal(err)
	}
	announce(t, broker.URL)
	refused(t, q, 1, time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC), 10, 20, 30)
	server.Kill()
	back := make(chan struct{})
	go func() { defer close(back); time.Sleep(2 * time.Second); server.Start() }()
	play(t, path, step{args: "quarantine replay --all", says: []string{"3 readings stored"}})
	<-back
}

func poisonName(t *testing.T, q *quarantine.Quarantine) string {
	t.Helper()
	names, err := q.Names()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !strings.Contains(name, "SP1") {
			return name
		}
	}
	t.Fatalf("no poison among %v", names)
	return ""
}

// announce publishes the registry of meter M1.
func announce(t *testing.T, broker string) {
	t.Helper()
	client := paho.NewClient(paho.NewClientOptions().AddBroker(broker).SetClientID("api"))
	if token := client.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatalf("broker: %v", token.Error())
	}
	defer client.Disconnect(100)
	registry, err := wire.Registry{Site: "S1", Zone: "Europe/Paris", Meters: []wire.RegistryMeter{
		{Meter: "M1", Gateway: "G1", Kind: metering.Electricity, IntervalS: 600, Resolution: metering.Fine}}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if token := client.Publish(wire.RegistryTopic("S1"), 1, true, registry); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatalf("broker: %v", token.Error())
	}
}
