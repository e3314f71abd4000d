package firmwareconfig_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// pair is the key of RFC 8032, 7.1, test 1.
func pair(t testing.TB) (ed25519.PublicKey, ed25519.PrivateKey) {
	t.Helper()
	private, err := firmwareconfig.ParsePrivateKey("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n")
	if err != nil {
		t.Fatal(err)
	}
	public, err := firmwareconfig.ParsePublicKey("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n")
	if err != nil {
		t.Fatal(err)
	}
	if !public.Equal(private.Public()) {
		t.Fatal("the two keys are not a pair")
	}
	return public, private
}

func TestVerify(t *testing.T) {
	public, private := pair(t)
	_, stranger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	document := []byte("site: s\n")
	for _, tt := range []struct {
		name   string
		change func(*wire.SignedConfig)
		want   error
	}{
		{"as signed", func(*wire.SignedConfig) {}, nil},
		{"changed document", func(c *wire.SignedConfig) { c.Document = []byte("site: t\n") }, firmwareconfig.ErrSignature},
		{"longer document", func(c *wire.SignedConfig) { c.Document = append(slices.Clone(c.Document), '\n') }, firmwareconfig.ErrSignature},
		{"changed version", func(c *wire.SignedConfig) { c.Version = "43" }, firmwareconfig.ErrSignature},
		{"changed signature", func(c *wire.SignedConfig) { c.Signature[0] ^= 1 }, firmwareconfig.ErrSignature},
		{"no signature", func(c *wire.SignedConfig) { c.Signature = nil }, firmwareconfig.ErrSignature},
		{"another's key", func(c *wire.SignedConfig) { *c = firmwareconfig.Sign(stranger, "42", document) }, firmwareconfig.ErrSignature},
		{"a line moved from the document to the version", func(c *wire.SignedConfig) {
			*c = firmwareconfig.Sign(private, "42", []byte("site: s\nx"))
			c.Version, c.Document = "42\nsite: s", []byte("x")
		}, firmwareconfig.ErrVersion},
		{"version that is no number", func(c *wire.SignedConfig) { *c = firmwareconfig.Sign(private, "42.1", document) }, firmwareconfig.ErrVersion},
		{"version with a zero before", func(c *wire.SignedConfig) { *c = firmwareconfig.Sign(private, "042", document) }, firmwareconfig.ErrVersion},
		{"version with a sign", func(c *wire.SignedConfig) { *c = firmwareconfig.Sign(private, "+42", document) }, firmwareconfig.ErrVersion},
		{"version beyond 64 bits", func(c *wire.SignedConfig) { *c = firmwareconfig.Sign(private, "18446744073709551616", document) }, firmwareconfig.ErrVersion},
		{"no version", func(c *wire.SignedConfig) { *c = firmwareconfig.Sign(private, "", document) }, firmwareconfig.ErrVersion},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := firmwareconfig.Sign(private, "42", document)
			tt.change(&c)
			if err := firmwareconfig.Verify(public, c); !errors.Is(err, tt.want) {
				t.Errorf("Verify = %v, want %v", err, tt.want)
			}
		})
	}
	if err := firmwareconfig.Verify(nil, firmwareconfig.Sign(private, "42", document)); !errors.Is(err, firmwareconfig.ErrSignature) {
		t.Errorf("without a key: %v, want %v", err, firmwareconfig.ErrSignature)
	}
}

func TestKeys(t *testing.T) {
	public, private := pair(t)
	whole, err := firmwareconfig.ParsePrivateKey(base64.StdEncoding.EncodeToString(private))
	if err != nil || !whole.Equal(private) {
		t.Errorf("a private key of 64 bytes: %v", err)
	}
	mixed := slices.Concat(private.Seed(), make([]byte, ed25519.PublicKeySize))
	for _, tt := range []struct {
		name, text      string
		public, private string
	}{
		{"empty", "", "0 bytes", "0 bytes"},
		{"not base64", "secret!", "want base64", "want base64"},
		{"too short", base64.StdEncoding.EncodeToString(public[:31]), "31 bytes", "31 bytes"},
		{"private for public", base64.StdEncoding.EncodeToString(private), "keep the private one", ""},
		{"halves of two keys", base64.StdEncoding.EncodeToString(mixed), "keep the private one", "halves"},
	} {
		_, err := firmwareconfig.ParsePublicKey(tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.public) || tt.text != "" && strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: public key: %v, want %q and nothing of the text", tt.name, err, tt.public)
		}
		_, err = firmwareconfig.ParsePrivateKey(tt.text)
		if (err == nil) != (tt.private == "") || err != nil && (!strings.Contains(err.Error(), tt.private) || tt.text != "" && strings.Contains(err.Error(), tt.text)) {
			t.Errorf("%s: private key: %v, want %q and nothing of the text", tt.name, err, tt.private)
		}
	}
}

func board(t *testing.T) firmwareconfig.Gateway {
	t.Helper()
	c, err := load(t, sound)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const document = `site: roseraie
gateway: gw-a
buses:
  - url: rtu:///dev/ttyUSB1
    devices:
      - {slave: 7, profile: iem3155, meters: [{id: EL-7, resolution: fine}]}
      - slave: 8
        profile: pulse-counter-4
        meters:
          - {id: CW-8, kind: cold_water, channel: 1, pulse_ml: 1000, resolution: fine}
          - {id: CW-9, kind: cold_water, channel: 2, pulse_ml: 1000, resolution: month}
          - {id: HW-8, kind: hot_water, channel: 3, pulse_ml: 1000}
imported: [{id: HT-1, kind: heat, resolution: day}]
`

func TestDocument(t *testing.T) {
	own := board(t)
	before := board(t)
	got, err := own.With([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, own); diff != "" {
		t.Errorf("the board's own configuration (-before +after):\n%s", diff)
	}
	resolutions := map[metering.MeterID]metering.Resolution{}
	for _, m := range got.Meters() {
		resolutions[m.ID] = m.Resolution
	}
	// Nothing is finer than what the law allows without consent.
	want := map[metering.MeterID]metering.Resolution{"EL-7": metering.Off, "CW-8": metering.Day, "CW-9": metering.Month,
		"HW-8": metering.Month, "HT-1": metering.Month}
	if diff := cmp.Diff(want, resolutions); diff != "" {
		t.Errorf("resolutions (-want +got):\n%s", diff)
	}
	if b := got.Buses[0]; b.URL != "rtu:///dev/ttyUSB1" || b.Baud != 9600 || b.Devices[0].Resolved == nil {
		t.Errorf("bus %+v, want that of the document with its defaults", b)
	}
	got.Buses, got.Imported = own.Buses, own.Imported
	if diff := cmp.Diff(&own, got); diff != "" {
		t.Errorf("the rest is the board's (-want +got):\n%s", diff)
	}
}

func TestDocumentFaults(t *testing.T) {
	for _, tt := range []struct{ name, from, to, want string }{
		{"setting of the board", "imported:", "spool: {dir: /tmp}\nimported:", `unknown field "spool"`},
		{"broker", "imported:", "broker: {url: tcp://evil:1883}\nimported:", `unknown field "broker"`},
		{"profiles", "imported:", "profiles_dir: /tmp\nimported:", `unknown field "profiles_dir"`},
		{"key", "imported:", "config_key_file: /tmp/key\nimported:", `unknown field "config_key_file"`},
		{"another gateway", "gateway: gw-a", "gateway: gw-b", `for gateway "gw-b" of site "roseraie", this is "gw-a" of "roseraie"`},
		{"another site", "site: roseraie\n", "site: lilas\n", `of site "lilas"`},
		{"no gateway", "gateway: gw-a\n", "", `for gateway ""`},
		{"slave twice", "slave: 8", "slave: 7", "line 7, column 16: bus bus-1: slave 7 stands twice: put its meters into one device"},
		{"unknown profile", "iem3155", "iem9999", `line 6, column 29: bus bus-1: slave 7: profile "iem9999" is not known`},
		{"two documents", "imported:", "---\nimported:", "second document"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			own := board(t)
			_, err := own.With([]byte(strings.Replace(document, tt.from, tt.to, 1)))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "document:") {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	own := board(t)
	if _, err := own.With(nil); err == nil {
		t.Error("an empty document is for nobody, and no error")
	}
}

func FuzzVersion(f *testing.F) {
	for _, text := range []string{"0", "42", "042", "+1", "18446744073709551615", "18446744073709551616", "1\n2", "٣"} {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, errA := firmwareconfig.ParseVersion(a)
		y, errB := firmwareconfig.ParseVersion(b)
		if errA == nil && errB == nil && (x == y) != (a == b) {
			t.Errorf("versions %q and %q are the numbers %d and %d", a, b, x, y)
		}
		if errA == nil && strings.ContainsAny(a, "\n+- ") {
			t.Errorf("version %q was read", a)
		}
	})
}
