package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/deploy/simulator/registers"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave/slavetest"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// A building is building A of the simulated residence at three in the night,
// when nobody draws anything but the test.
type building struct {
	residence *household.Residence
	at        time.Time
	url       string

	mu     sync.Mutex
	open   *household.Meter // whose tap runs, or whose kettle is on
	kettle float32          // kW that it draws
	drawn  map[byte]uint16  // pulses of channel 1 beyond the simulator's, by slave
	twists map[byte]bool    // slaves that send the low word first
}

func newBuilding(t *testing.T) *building {
	t.Helper()
	b := &building{residence: household.New(1, civil.Date{Year: 2025, Month: time.October, Day: 20}),
		drawn: map[byte]uint16{}, twists: map[byte]bool{}}
	b.at = b.residence.Epoch.AddDays(300).Start(b.residence.Zone).Add(3 * time.Hour)
	source, err := registers.New(b.residence, "gw-a", func() time.Time { return b.at }, false)
	if err != nil {
		t.Fatal(err)
	}
	b.url = slavetest.TCP(t, slave.SourceFunc(func(s, function byte, address, quantity uint16) ([]uint16, error) {
		words, err := source.Read(s, function, address, quantity)
		return b.change(s, address, words), err
	}), slave.Options{})
	return b
}

// change adds what the test has drawn to what the simulator shows.
func (b *building) change(s byte, address uint16, words []uint16) []uint16 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open != nil && b.open.Slave == s && b.open.Kind == metering.ColdWater {
		b.drawn[s]++ // 1 L at each look
	}
	const power = 0x0BF3 // of the profile iem3155, in kW
	if b.open != nil && b.open.Slave == s && b.open.Kind == metering.Electricity && address == power && len(words) == 2 {
		drawn := math.Float32bits(math.Float32frombits(uint32(words[0])<<16|uint32(words[1])) + b.kettle)
		words[0], words[1] = uint16(drawn>>16), uint16(drawn)
	}
	if s < 100 && address == 0 && len(words) >= 2 {
		words[1] += b.drawn[s]
	}
	if b.twists[s] && len(words) == 2 {
		words[0], words[1] = words[1], words[0]
	}
	return words
}

// meter is the meter of a kind that truly counts for a flat.
func (b *building) meter(t *testing.T, flat household.DwellingID, k metering.Kind) *household.Meter {
	t.Helper()
	for _, m := range b.residence.ByID(flat).Meters {
		if m.Kind == k && m.HangsAt(b.at) {
			return m
		}
	}
	t.Fatalf("flat %s has no %s meter", flat, k)
	return nil
}

// listed is the meter that the landlord's list has for a flat.
func (b *building) listed(t *testing.T, flat household.DwellingID, k metering.Kind) *household.Meter {
	t.Helper()
	for _, m := range b.residence.Meters() {
		if m.Bound == flat && m.Kind == k && m.HangsAt(b.at) {
			return m
		}
	}
	t.Fatalf("the list has no %s meter for flat %s", k, flat)
	return nil
}

// dial is what a person reads on the meter in a flat.
func (b *building) dial(m *household.Meter) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	index := int64(b.residence.Index(m, b.at))
	if m.Kind == metering.Electricity {
		return fmt.Sprintf("%d,%d", index/1000, index%1000/100) // 0.1 kWh
	}
	return fmt.Sprintf("%05d.%03d", index/1e6, index%1e6/1000)
}

// opener opens the tap of a flat, or switches its kettle on, when the program asks
// for it.
type opener struct {
	bytes.Buffer
	b *building
	m *household.Meter
}

func (o *opener) Write(text []byte) (int, error) {
	if strings.Contains(string(text), "open a tap") || strings.Contains(string(text), "switch on a kettle") {
		o.b.mu.Lock()
		o.b.open = o.m
		o.b.mu.Unlock()
	}
	return o.Buffer.Write(text)
}

// config writes the configuration of all meters of the building, with the pulses
// of one meter at another weight.
func (b *building) config(t *testing.T, wrong metering.MeterID, pulseML int64) string {
	t.Helper()
	devices := map[byte]map[string]any{}
	for _, m := range b.residence.Meters() {
		if m.Gateway != "gw-a" || !m.HangsAt(b.at) {
			continue
		}
		meter := map[string]any{"id": m.ID, "kind": m.Kind, "channel": m.Channel}
		if m.PulseML > 0 {
			if meter["pulse_ml"] = int64(m.PulseML); m.ID == wrong {
				meter["pulse_ml"] = pulseML
			}
		}
		d := devices[m.Slave]
		if d == nil {
			d = map[string]any{"slave": m.Slave, "profile": m.Profile, "meters": []any{}}
			devices[m.Slave] = d
		}
		d["meters"] = append(d["meters"].([]any), meter)
	}
	var list []any
	for _, d := range devices {
		list = append(list, d)
	}
	dir := t.TempDir()
	text, err := yaml.Marshal(map[string]any{"site": "roseraie", "gateway": "gw-a", "spool": map[string]any{"dir": filepath.Join(dir, "spool")},
		"buses": []any{map[string]any{"name": "tcp", "url": b.url, "devices": list}}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "gateway.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCheckAMeterAgainstDialAndTap(t *testing.T) {
	b := newBuilding(t)
	sound := b.meter(t, "A1-01", metering.ColdWater)
	other := b.meter(t, "A1-02", metering.ColdWater)
	power := b.meter(t, "A1-01", metering.Electricity)
	neighbour := b.meter(t, "A1-02", metering.Electricity)
	mine, listed := b.meter(t, "A2-05", metering.ColdWater), b.listed(t, "A2-05", metering.ColdWater)
	if mine == listed {
		t.Fatal("the simulator does not swap the meters of A2-05")
	}
	for _, tt := range []struct {
		name     string
		wrong    metering.MeterID // its pulse weight is 10 L
		twist    bool
		check    *household.Meter // the one that is named
		dialOf   *household.Meter
		tapOf    *household.Meter
		args     []string
		ok       bool
		want     []string
		wantNone []string
		kettle   float32
	}{
		{name: "sound meter", check: sound, dialOf: sound, tapOf: sound, ok: true,
			want: []string{"agrees", "tap: meter " + string(sound.ID) + " moved"}},
		{name: "sound electricity meter, dial alone", check: power, dialOf: power, args: []string{"--wait", "0s"}, ok: true,
			want: []string{"agrees"}, wantNone: []string{"tap"}},
		{name: "sound electricity meter and a kettle", check: power, dialOf: power, tapOf: power, kettle: 2, ok: true,
			want: []string{"agrees", "switch on a kettle", "tap: meter " + string(power.ID) + " moved by 2000 W"}, wantNone: []string{"close all taps"}},
		{name: "a lamp is not enough", check: power, dialOf: power, tapOf: power, kettle: 0.1,
			want: []string{"agrees", "did not move", "nor did another of", "was enough drawn"}, wantNone: []string{"swapped"}},
		{name: "swapped electricity meters, by the kettle", check: power, dialOf: power, tapOf: neighbour, kettle: 2,
			want: []string{"agrees", "did not move", "meter " + string(neighbour.ID) + " moved by 2000 W instead", "swapped"}},
		{name: "swapped flats, by the dial", check: listed, dialOf: mine, tapOf: mine,
			want: []string{"dial fits meter " + string(mine.ID), "swapped"}, wantNone: []string{"open a tap"}},
		{name: "swapped flats, by the tap", check: listed, dialOf: listed, tapOf: mine,
			want: []string{"agrees", "did not move", "meter " + string(mine.ID) + " moved by", "swapped"}},
		{name: "pulse weight ten times too large", wrong: sound.ID, check: sound, dialOf: sound,
			want: []string{"worth 1000, not 10000"}, wantNone: []string{"swapped"}},
		{name: "dial of a meter that is not here", check: sound, dialOf: b.meter(t, "B1-01", metering.ColdWater),
			want: []string{"nothing that is known explains it"}},
		{name: "words the other way round", twist: true, check: sound, dialOf: sound,
			want: []string{"byte order CDAB"}},
		{name: "closed tap", check: sound, dialOf: sound,
			want: []string{"nor did another of", "was enough drawn"}, wantNone: []string{"swapped"}},
		{name: "water runs already", check: other, dialOf: other, tapOf: nil, args: []string{"--quiet", "5s"},
			want: []string{"while all taps of the flat are closed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b.mu.Lock()
			b.open, b.twists[sound.Slave], b.kettle = nil, tt.twist, tt.kettle
			b.mu.Unlock()
			dial := b.dial(tt.dialOf)
			if tt.name == "water runs already" {
				b.mu.Lock()
				b.open, b.drawn[other.Slave] = other, 0
				b.mu.Unlock()
			}
			b.mu.Lock()
			clear(b.drawn)
			b.mu.Unlock()
			args := append([]string{"--config", b.config(t, tt.wrong, 10_000), "check", "--meter", string(tt.check.ID), "--dial", dial,
				"--quiet", "100ms", "--wait", "1500ms"}, tt.args...)
			out := &opener{b: b, m: tt.tapOf}
			err := run(t.Context(), args, func(string) string { return "" }, out, &bytes.Buffer{})
			said := out.String()
			if err != nil {
				said += err.Error()
			}
			if (err == nil) != tt.ok {
				t.Errorf("error %v, want none: %v", err, tt.ok)
			}
			for _, want := range tt.want {
				if !strings.Contains(said, want) {
					t.Errorf("said nothing of %q:\n%s", want, said)
				}
			}
			for _, not := range tt.wantNone {
				if strings.Contains(said, not) {
					t.Errorf("said %q:\n%s", not, said)
				}
			}
		})
	}
}

func TestCheckOfWhatCannotBeChecked(t *testing.T) {
	b := newBuilding(t)
	config := b.config(t, "", 0)
	known := string(b.meter(t, "A1-01", metering.ColdWater).ID)
	for _, tt := range []struct {
		name, meter, dial, want string
		args                    []string
	}{
		{"unknown meter", "CW-0", "1", "not on a bus", nil},
		{"dial in words", known, "lots", "digits of the dial", nil},
		{"dial in the wrong unit", known, "1", "counts in m3", []string{"--unit", "kWh"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			args := append([]string{"--config", config, "check", "--meter", tt.meter, "--dial", tt.dial}, tt.args...)
			err := run(t.Context(), args, func(string) string { return "" }, &out, &out)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

// TestCheckLeavesTheLineOfARunningGatewayAlone: two masters on a serial line
// would read each other's answers.
func TestCheckLeavesTheLineOfARunningGatewayAlone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "gateway.yaml")
	text := fmt.Sprintf(`site: s
gateway: g
spool: {dir: %q}
clock: {trust: always}
figures: "127.0.0.1:0"
broker: {url: "tcp://127.0.0.1:1"}
buses: [{url: "rtu://%s", devices: [{slave: 1, profile: sdm120, meters: [{id: EL-1}]}]}]
`, filepath.Join(dir, "spool"), filepath.Join(dir, "tty"))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	getenv := func(string) string { return "" }
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"--config", path, "run"}, getenv, &bytes.Buffer{}, &bytes.Buffer{})
	}()
	defer func() { cancel(); <-ended }()
	testkit.Eventually(t, 10*time.Second, func() error {
		var out bytes.Buffer
		err := run(t.Context(), []string{"--config", path, "check", "--meter", "EL-1", "--dial", "1"}, getenv, &out, &out)
		if err == nil || !strings.Contains(err.Error(), "the gateway runs and owns the line") {
			return fmt.Errorf("check beside a running gateway: %w", err)
		}
		return nil
	})
}
