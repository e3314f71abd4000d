package configuration_test

import (
	"crypto/ed25519"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/configuration"
	"github.com/xnetroseraie/xnet/api/meters/meterstest"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/metering"
)

func wet(id metering.MeterID, slave, channel int, interval time.Duration) meters.Meter {
	return meters.Meter{ID: id, Gateway: "gw-r", Kind: metering.ColdWater, Interval: interval, Pulse: 1000, Resolution: metering.Fine,
		Socket: meters.Socket{Profile: "pulse-counter-4", Bus: "cave", Slave: slave, Channel: channel}}
}

func TestMake(t *testing.T) {
	g := meters.Gateway{ID: "gw-r", Residence: "R", Buses: []meters.Bus{
		{Name: "tcp", URL: "tcp://10.0.0.7:502", Baud: 9600, Parity: "none", StopBits: 1, Timeout: time.Second, Interval: time.Minute},
		{Name: "cave", URL: "rtu:///dev/ttyUSB0", Baud: 19200, Parity: "even", StopBits: 1, Timeout: 500 * time.Millisecond, Interval: 10 * time.Minute,
			RS485: meters.RS485{Enabled: true, RTSOnSend: true, DelayAfter: 2 * time.Millisecond}}}}
	water := wet("cw-1", 7, 1, 10*time.Minute)
	water.StartIndex, water.Serial, water.IndexModulus = 5_000_000, "30110001", 100_000_000_000
	all := []meters.Meter{wet("cw-3", 9, 1, time.Minute), wet("cw-2", 7, 2, 10*time.Minute), water, wet("cw-4", 9, 2, 10*time.Minute),
		{ID: "el-1", Kind: metering.Electricity, Interval: time.Minute, Socket: meters.Socket{Profile: "iem3155", Bus: "tcp", Slave: 101}},
		{ID: "te-1", Kind: metering.Temperature, Interval: time.Minute, Socket: meters.Socket{Profile: meters.Imported}},
		{ID: "lost", Kind: metering.ColdWater, Interval: time.Minute}}
	d, err := configuration.Make(g, all)
	if err != nil {
		t.Fatal(err)
	}
	want := `site: R
gateway: gw-r
buses:
  - name: cave
    url: rtu:///dev/ttyUSB0
    baud: 19200
    parity: even
    stop_bits: 1
    rs485:
      enabled: true
      rts_on_send: true
      delay_after: 2ms
    timeout: 500ms
    interval: 10m0s
    devices:
      - slave: 7
        profile: pulse-counter-4
        meters:
          - id: cw-1
            kind: cold_water
            serial: "30110001"
            channel: 1
            pulse_ml: 1000
            start_index: 5000000
            index_modulus: 100000000000
          - id: cw-2
            kind: cold_water
            channel: 2
            pulse_ml: 1000
      - slave: 9
        profile: pulse-counter-4
        interval: 1m0s
        meters:
          - id: cw-3
            kind: cold_water
            channel: 1
            pulse_ml: 1000
          - id: cw-4
            kind: cold_water
            channel: 2
            pulse_ml: 1000
  - name: tcp
    url: tcp://10.0.0.7:502
    timeout: 1s
    interval: 1m0s
    devices:
      - slave: 101
        profile: iem3155
        meters:
          - id: el-1
            kind: electricity
imported:
  - id: te-1
    kind: temperature
`
	if diff := cmp.Diff(want, d.Document); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	if d.Fault != "" || d.Meters != 6 || !slices.Equal(d.Left, []metering.MeterID{"lost"}) {
		t.Errorf("fault %q, %d meters, left out %v", d.Fault, d.Meters, d.Left)
	}
	slices.Reverse(all)
	slices.Reverse(g.Buses)
	if again, err := configuration.Make(g, all); err != nil || again.Document != d.Document {
		t.Errorf("another order makes another document: %v\n%s", err, again.Document)
	}
	// What a meter may be read at is no part of it.
	if strings.Contains(d.Document, "resolution") || strings.Contains(d.Document, "fine") {
		t.Error("the document speaks of resolutions")
	}
	base := firmwareconfig.DefaultGateway()
	base.Site, base.Gateway = "R", "gw-r"
	applied, err := base.With([]byte(d.Document))
	if err != nil || len(applied.Meters()) != 6 {
		t.Errorf("the gateway takes %v, %v", applied, err)
	}
}

func TestFaultsOfADraft(t *testing.T) {
	g := meters.Gateway{ID: "gw-r", Residence: "R", Buses: []meters.Bus{{Name: "cave", URL: "tcp://h:502", Timeout: time.Second, Interval: time.Minute}}}
	other := wet("cw-2", 7, 2, time.Minute)
	other.Socket.Profile = "iem3155"
	weightless := wet("cw-3", 8, 1, time.Minute)
	weightless.Pulse = 0
	for name, tt := range map[string]struct {
		meter meters.Meter
		says  string
	}{
		"profile of another device": {other, "slave 7 stands twice"},
		"pulses without a weight":   {weightless, "pulse_ml"},
		"profile that no one has":   {meters.Meter{ID: "x", Kind: metering.ColdWater, Interval: time.Minute, Socket: meters.Socket{Profile: "best", Bus: "cave", Slave: 3}}, "best"},
	} {
		d, err := configuration.Make(g, []meters.Meter{wet("cw-1", 7, 1, time.Minute), tt.meter})
		if err != nil || !strings.Contains(d.Fault, tt.says) {
			t.Errorf("%s: fault %q, %v", name, d.Fault, err)
		}
	}
}

func TestPublish(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		meterstest.Furnish(t, db)
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		fleet := meters.NewStore(db)
		s, mute := configuration.NewStore(db, fleet, key), configuration.NewStore(db, fleet, nil)
		ctx, now := t.Context(), meterstest.Now
		st, err := s.Status(ctx, meterstest.Installer, "gw-r")
		if err != nil || st.Draft.Fault != "" || st.Published != 0 || st.Pending() {
			t.Fatalf("status %+v, %v", st, err)
		}
		digest := st.Draft.Digest()
		for name, tt := range map[string]struct{ err, want error }{
			"without a key":     {third(mute.Publish(ctx, meterstest.Installer, "gw-r", digest, now)), meters.ErrNoKey},
			"another document":  {third(s.Publish(ctx, meterstest.Installer, "gw-r", "x", now)), resource.ErrStale},
			"a manager":         {third(s.Publish(ctx, meterstest.Manager, "gw-r", digest, now)), meters.ErrNone},
			"another residence": {third(s.Publish(ctx, meterstest.Elsewhere, "gw-r", digest, now)), meters.ErrNone},
		} {
			if !errors.Is(tt.err, tt.want) {
				t.Errorf("%s: %v, want %v", name, tt.err, tt.want)
			}
		}
		if payloads, err := s.Signed(ctx); err != nil || len(payloads) != 0 {
			t.Errorf("published without anybody's leave: %v, %v", payloads, err)
		}
		first, fresh, err := s.Publish(ctx, meterstest.Installer, "gw-r", digest, now)
		again, stale, errAgain := s.Publish(ctx, meterstest.Installer, "gw-r", digest, now.Add(time.Hour))
		if err != nil || errAgain != nil || !fresh || stale || first != again {
			t.Errorf("versions %d and %d, %v %v", first, again, err, errAgain)
		}
		// What a consent changes is not the document's affair.
		sqldbtest.Exec(t, db, `UPDATE meter SET resolution = 'off' WHERE id = 'cw-1'`)
		if st, err := s.Status(ctx, meterstest.Installer, "gw-r"); err != nil || !st.Same || !st.Pending() {
			t.Errorf("after a consent: %+v, %v", st, err)
		}
		sqldbtest.Exec(t, db, `UPDATE meter SET pulse = 10 WHERE id = 'cw-1'`)
		st, err = s.Status(ctx, meterstest.Installer, "gw-r")
		if err != nil || st.Same {
			t.Fatalf("after a change: %+v, %v", st, err)
		}
		// The clock of the server went back: versions grow all the same.
		second, fresh, err := s.Publish(ctx, meterstest.Installer, "gw-r", st.Draft.Digest(), now.Add(-meterstest.Day))
		if err != nil || !fresh || second <= first {
			t.Errorf("version %d after %d, %v", second, first, err)
		}
		if payloads, err := s.Signed(ctx); err != nil || len(payloads) != 1 {
			t.Errorf("payloads %v, %v", payloads, err)
		}
		if payloads, err := mute.Signed(ctx); err != nil || len(payloads) != 0 {
			t.Errorf("signed without a key: %v, %v", payloads, err)
		}
	})
}

func third[A, B any](_ A, _ B, err error) error { return err }
