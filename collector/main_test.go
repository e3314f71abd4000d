package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

func TestMain(m *testing.M) { os.Exit(influxtest.Main(m)) }

func noEnv(string) string { return "" }

func command(t *testing.T, getenv func(string) string, args ...string) (stdout string, err error) {
	t.Helper()
	var out bytes.Buffer
	err = run(t.Context(), args, getenv, &out, io.Discard)
	return out.String(), err
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "collector.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCheckConfig(t *testing.T) {
	sound := "broker: {url: 'tcp://broker:1883'}\ninflux: {url: 'http://influx:8086', keep: {readings_days: 0}}\ningest: {batch_age: 100ms}\nlog: debug\n"
	for _, tt := range []struct {
		name, text string
		env        map[string]string
		want       []string // of the output, or of the error
		fails      bool
	}{
		{"sound", sound, nil, []string{"is sound", "tcp://broker:1883"}, false},
		{"environment wins", sound, map[string]string{"XNET_COLLECTOR_BROKER_URL": "tcp://other:1"}, []string{"tcp://other:1"}, false},
		{"every fault and its remedy", "broker: {url: nowhere, password_file: /absent}\ninflux: {prefix: 'A B'}\nquarantine: {max_bytes: 5}\ningest: {batch_age: 0s}\nfigures: here\n", nil,
			[]string{"broker.url", "tcp://host:1883", "broker.password_file", "influx.prefix", "quarantine.max_bytes", "ingest.batch_age", "figures"}, true},
		{"unknown key", "brokr: {}\n", nil, []string{"brokr"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := command(t, func(key string) string { return tt.env[key] }, "check-config", "--config", file(t, tt.text))
			if (err != nil) != tt.fails {
				t.Fatalf("error %v", err)
			}
			for _, want := range tt.want {
				if said := out + fmt.Sprint(err); !strings.Contains(said, want) {
					t.Errorf("%q does not say %q", said, want)
				}
			}
		})
	}
}

func TestCommandLine(t *testing.T) {
	out, err := command(t, noEnv, "--help")
	if err != nil || !strings.Contains(out, "check-config") {
		t.Errorf("help: %v, %s", err, out)
	}
	for _, args := range [][]string{{"fly"}, {"rollup", "--from", "2026-02-30", "--to", "2026-03-01"},
		{"rollup", "--from", "2026-03-02", "--to", "2026-03-01"}, {"run", "--config", "/absent.yaml"}} {
		if _, err := command(t, noEnv, args...); err == nil {
			t.Errorf("%v succeeded", args)
		}
	}
}

// TestRun runs the program from a gateway's pack to the stored hour, and the
// rebuild beside it.
func TestRun(t *testing.T) {
	c, broker := influxtest.Config(t), testkit.Broker(t)
	figures, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	path := file(t, fmt.Sprintf("broker: {url: %q}\ninflux: {url: %q, org: %q, token_file: %q, prefix: %s, keep: {readings_days: 0, hourly_days: 0, daily_days: 0}}\nquarantine: {dir: %q}\nfigures: %q\n",
		broker.URL, c.URL, c.Org, c.TokenFile, c.Prefix, t.TempDir(), figures))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"run", "-c", path}, noEnv, io.Discard, io.Discard) }()
	testkit.Eventually(t, 20*time.Second, func() error { return ask("http://"+figures+"/readyz", "ready") })

	from := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	publish(t, broker.URL, from)
	store := influxtest.OpenWith(t, c)
	hours := func() error {
		found, err := store.Consumption(t.Context(), influx.Hourly, []metering.MeterID{"M1"}, from, from.Add(24*time.Hour))
		if err != nil || len(found["M1"]) != 2 || found["M1"][1].Used != 60 {
			return fmt.Errorf("hours %v, %v", found, err)
		}
		return nil
	}
	testkit.Eventually(t, 20*time.Second, hours)
	if err := ask("http://"+figures+"/metrics", "xnet_collector_stored_readings_total 13"); err != nil {
		t.Error(err)
	}
	out, err := command(t, noEnv, "rollup", "-c", path, "--from", "2026-05-04", "--to", "2026-05-04", "--meter", "M1")
	if err != nil || !strings.Contains(out, "2 periods of 1 meters") {
		t.Errorf("rebuild: %q, %v", out, err)
	}
	if _, err := command(t, noEnv, "rollup", "-c", path, "--from", "2026-05-04", "--to", "2026-05-04", "--meter", "M9"); err == nil {
		t.Error("a meter of no registry was rebuilt")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}

// A configuration that keeps less than InfluxDB does ends the program with the
// remedy; only a person on the command line may let go.
func TestRunRefusesToShorten(t *testing.T) {
	c, broker := influxtest.Config(t), testkit.Broker(t)
	c.Keep = influx.Retention{Readings: 400, Hourly: 731, Daily: 1096}
	store := influxtest.OpenWith(t, c)
	figures, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	path := file(t, fmt.Sprintf("broker: {url: %q}\ninflux: {url: %q, org: %q, token_file: %q, prefix: %s, keep: {readings_days: 30}}\nquarantine: {dir: %q}\nfigures: %q\n",
		broker.URL, c.URL, c.Org, c.TokenFile, c.Prefix, t.TempDir(), figures))
	if _, err := command(t, noEnv, "run", "-c", path); err == nil || !strings.Contains(err.Error(), "from 400 days to 30 days") {
		t.Fatalf("ran, or ended with %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"run", "--allow-shorter", "-c", path}, noEnv, io.Discard, io.Discard)
	}()
	testkit.Eventually(t, 20*time.Second, func() error {
		kept, err := store.Retention(t.Context())
		if err != nil || kept[0].Is != 30*24*time.Hour {
			return fmt.Errorf("keeps %v, %v", kept, err)
		}
		return nil
	})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func ask(url, want string) error {
	response, err := http.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(text), want) {
		return fmt.Errorf("%s says %.300s, %v; want %q", url, text, err, want)
	}
	return nil
}

func publish(t *testing.T, broker string, from time.Time) {
	t.Helper()
	client := paho.NewClient(paho.NewClientOptions().AddBroker(broker).SetClientID("gateway"))
	send := func(token paho.Token) {
		t.Helper()
		if !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Fatalf("broker: %v", token.Error())
		}
	}
	send(client.Connect())
	defer client.Disconnect(100)
	registry, err := wire.Registry{Site: "S1", Zone: "Europe/Paris", Meters: []wire.RegistryMeter{
		{Meter: "M1", Gateway: "G1", Kind: metering.Electricity, IntervalS: 600, Resolution: metering.Fine}}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	send(client.Publish(wire.RegistryTopic("S1"), 1, true, registry))
	pack := wire.Pack{Spool: "SP1", Seq: 1}
	for i := range 13 {
		r := metering.Reading{Meter: "M1", Quantity: metering.Index, At: from.Add(time.Duration(i) * 10 * time.Minute), Amount: metering.Amount(10 * i)}
		pack.Readings = append(pack.Readings, wire.UnitReading{Reading: r, Unit: metering.WattHour})
	}
	payload, err := wire.AppendPack(nil, pack)
	if err != nil {
		t.Fatal(err)
	}
	send(client.Publish(wire.Source{Site: "S1", Gateway: "G1"}.Topic(wire.ReadingsChannel), 1, false, payload))
}
