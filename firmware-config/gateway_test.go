package firmwareconfig_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
