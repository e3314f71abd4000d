package firmwareconfig_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const sound = `site: roseraie
gateway: gw-a
spool: {dir: spool}
buses:
  - url: rtu:///dev/ttyUSB0
    interval: 10s
    devices:
      - slave: 1
        profile: iem3155
        meters: [{id: EL-1, resolution: fine}]
      - slave: 2
        profile: pulse-counter-4
        meters:
          - {id: CW-1, kind: cold_water, channel: 1, pulse_ml: 1000}
          - {id: HW-1, kind: hot_water, channel: 2, pulse_ml: 1000}
`

func load(t *testing.T, text string) (firmwareconfig.Gateway, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c := firmwareconfig.DefaultGateway()
	return c, config.Load(&c, file, "XNET_GATEWAY", func(string) string { return "" })
}

func TestGatewayDefaults(t *testing.T) {
	c, err := load(t, sound)
	if err != nil {
		t.Fatal(err)
	}
	b := c.Buses[0]
	if b.Name != "bus-1" || b.Baud != 9600 || b.Parity != "none" || b.Timeout != time.Second || b.Interval != 10*time.Second {
		t.Errorf("bus %+v lacks its defaults", b)
	}
	want := map[metering.MeterID]metering.Resolution{"EL-1": metering.Fine, "CW-1": metering.Day, "HW-1": metering.Month}
	for _, m := range c.Meters() {
		if m.Resolution != want[m.ID] {
			t.Errorf("meter %s has resolution %s, want %s", m.ID, m.Resolution, want[m.ID])
		}
	}
	if c.Meters()[0].Kind != metering.Electricity {
		t.Errorf("kind of EL-1 is %s, want the profile's", c.Meters()[0].Kind)
	}
}

func TestGatewayFaults(t *testing.T) {
	for _, tt := range []struct{ name, from, to, want string }{
		{"unknown key", "interval: 10s", "intervall: 10s", "intervall"},
		{"unknown profile", "iem3155", "iem9999", "known are"},
		{"slave twice", "slave: 2", "slave: 1", "slave 1 stands twice"},
		{"meter twice", "HW-1", "CW-1", "meter CW-1 stands twice"},
		{"channel", "channel: 2", "channel: 9", "no channel 9"},
		{"pulse weight missing", "channel: 1, pulse_ml: 1000", "channel: 1", "pulse_ml"},
		{"slave out of range", "slave: 1", "slave: 250", "1 to 247"},
		{"meter id", "EL-1", "EL 1", `meter "EL 1"`},
		{"url", "rtu:///dev/ttyUSB0", "usb:0", "rtu"},
		{"zone", "site: roseraie", "site: roseraie\nzone: Paris", "Europe/Paris"},
		{"parity", "interval: 10s", "interval: 10s\n    parity: mark", `parity "mark"`},
		{"interval", "interval: 10s", "interval: 10ms", "at least 1s"},
		{"kind against the profile", "id: EL-1", "id: EL-1, kind: heat", `counts "electricity"`},
		{"no site", "site: roseraie\n", "", `site ""`},
		{"clock", "site: roseraie", "site: roseraie\nclock: {trust: hope}", "kernel, rtc or always"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(t, strings.Replace(sound, tt.from, tt.to, 1))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

// A fault is placed where it was made: file, line, column, remedy. The texts are
// what an installer sees.
func TestGatewayFaultsArePlaced(t *testing.T) {
	for _, tt := range []struct{ name, from, to, want string }{
		{"slave twice", "slave: 2", "slave: 1",
			"line 11, column 16: bus bus-1: slave 1 stands twice: put its meters into one device"},
		{"meter twice", "HW-1", "EL-1",
			"line 15, column 18: meter EL-1 stands twice: a meter has one place, take one of the two out"},
		{"overlapping registers", "channel: 2", "channel: 1",
			"line 15, column 50: bus bus-1: slave 2: meter HW-1: channel 1 is read as meter CW-1: a channel counts for one meter"},
		{"registers of the device twice", "[{id: EL-1, resolution: fine}]", "[{id: EL-1}, {id: EL-2}]",
			"line 10, column 35: bus bus-1: slave 1: meter EL-2: reads the same registers as meter EL-1: the device is one meter, name its channel or leave one out"},
		{"slave out of range", "slave: 2", "slave: 250",
			"line 11, column 16: bus bus-1: slave 250: want a slave from 1 to 247"},
		{"profile without the channel", "channel: 2", "channel: 9",
			"line 15, column 50: bus bus-1: slave 2: meter HW-1: profile pulse-counter-4 has no channel 9"},
		{"what is not there is placed at its meter", "channel: 2, pulse_ml: 1000", "channel: 2",
			"line 15, column 13: bus bus-1: slave 2: meter HW-1: profile pulse-counter-4 counts pulses: say what one is worth, pulse_ml or pulse_wh"},
		{"line twice", "buses:\n", "buses:\n  - url: rtu:///dev/ttyUSB0\n",
			"line 6, column 10: bus bus-2: rtu:///dev/ttyUSB0 belongs to another bus: a line has one owner, put its devices together"},
		{"no devices' meters", "meters: [{id: EL-1, resolution: fine}]", "interval: 20s",
			"line 8, column 9: bus bus-1: slave 1: no meters: name at least one"},
		{"parity", "interval: 10s", "interval: 10s\n    parity: mark",
			`line 7, column 13: bus bus-1: parity "mark": want none, even or odd`},
		{"setting of the board", "site: roseraie", "site: roseraie\nclock: {trust: hope}",
			`line 2, column 16: clock.trust "hope": want kernel, rtc or always`},
		{"imported meter", "site: roseraie", "site: roseraie\nimported: [{id: EL-1, kind: electricity}, {id: X}]",
			"line 2, column 48: meter X: nothing says what it counts: say it with kind\n" +
				"line 2, column 17: meter EL-1 stands twice: a meter has one place, take one of the two out"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(t, strings.Replace(sound, tt.from, tt.to, 1))
			if err == nil {
				t.Fatal("no error")
			}
			file, got, _ := strings.Cut(err.Error(), "\n")
			if diff := cmp.Diff(tt.want, got); diff != "" || !strings.HasSuffix(file, "gateway.yaml:") {
				t.Errorf("fault of %q (-want +got):\n%s", file, diff)
			}
		})
	}
	_, err := load(t, strings.Replace(sound, "iem3155", "iem9999", 1))
	if want := `line 9, column 18: bus bus-1: slave 1: profile "iem9999" is not known, known are `; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("unknown profile: %v, want %q in it", err, want)
	}
}

// What a program writes it can read: what is not set is left out, not empty.
func TestConfigurationsAreWrittenAsTheyAreRead(t *testing.T) {
	want := firmwareconfig.DefaultGateway()
	want.Site, want.Gateway = "roseraie", "gw-a"
	want.Buses = []firmwareconfig.Bus{{URL: "rtu:///dev/ttyUSB0", Devices: []firmwareconfig.Device{{Slave: 1, Profile: "iem3155",
		Meters: []firmwareconfig.Meter{{ID: "EL-1"}}}}}}
	text, err := yaml.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := load(t, string(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if err := want.Validate(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	for _, name := range firmwareconfig.Profiles() {
		want, err := firmwareconfig.LoadProfile(name)
		if err != nil {
			t.Fatal(err)
		}
		text, err := yaml.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := firmwareconfig.ParseProfile(name, text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("profile %s read back: %v (-want +got):\n%s", name, err, diff)
		}
	}
}
