package firmwareconfig_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
)

const own = `maker: site-made
model: converter in the cellar
source: the site
confidence: site
function: 3
limit: 10
registers: [{channel: 3, address: 100, type: bcd32, unit: count, quantity: index, modulus: 100000000}]
`

// ownProfiles makes a folder with a file of each name.
func ownProfiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOwnProfilesStandBesideTheShipped(t *testing.T) {
	dir := ownProfiles(t, map[string]string{"cellar.yaml": own, "notes.txt": "not a profile"})
	l, err := firmwareconfig.OpenLibrary(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := l.Names()
	if !slices.Contains(names, "cellar") || !slices.Contains(names, "sdm630") || slices.Contains(names, "notes") || !slices.IsSorted(names) {
		t.Errorf("names %v", names)
	}
	p, err := l.ByName("cellar")
	if err != nil || p.Name != "cellar" || l.File("cellar") != filepath.Join(dir, "cellar.yaml") || l.File("sdm630") != "" {
		t.Errorf("cellar is %+v of %q, %v", p, l.File("cellar"), err)
	}
	all, err := l.All()
	if err != nil || len(all) != len(names) {
		t.Errorf("%d profiles of %d names, %v", len(all), len(names), err)
	}
	if _, err := l.ByName("attic"); err == nil || !strings.Contains(err.Error(), "cellar") {
		t.Errorf("got %v, want the names there are, the site's own too", err)
	}
}

func TestOwnProfileFaults(t *testing.T) {
	for _, tt := range []struct {
		name string
		dir  string
		want []string
	}{
		{"shadows a shipped one", ownProfiles(t, map[string]string{"sdm630.yaml": own}), []string{"sdm630.yaml", "ships with the gateway", "name of its own"}},
		{"no such folder", "/nowhere", []string{"profiles_dir", "/nowhere"}},
		{"every fault", ownProfiles(t, map[string]string{"a.yaml": "function: 9", "b.yaml": "limitt: 1"}), []string{"a.yaml", "function 9", "b.yaml", "limitt"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := firmwareconfig.OpenLibrary(tt.dir)
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q in it", err, want)
				}
			}
		})
	}
}

const withOwn = `site: roseraie
gateway: gw-a
profiles_dir: DIR
buses:
  - url: tcp://127.0.0.1:502
    devices:
      - slave: 1
        profile: cellar
        meters: [{id: CW-1, kind: cold_water, channel: 3, pulse_ml: 1000}]
      - slave: 2
        profile: sbc-ale3
        doubtful_registers: true
        meters: [{id: EL-1}]
`

func TestGatewayWithOwnProfiles(t *testing.T) {
	c, err := load(t, strings.Replace(withOwn, "DIR", ownProfiles(t, map[string]string{"cellar.yaml": own}), 1))
	if err != nil {
		t.Fatal(err)
	}
	d := c.Buses[0].Devices[0]
	p, err := d.Map()
	if err != nil || p.Model != "converter in the cellar" {
		t.Errorf("profile of slave 1 is %q, %v", p.Model, err)
	}
	if got := d.Meters[0].IndexModulus; got != 100_000_000_000 {
		t.Errorf("the index rolls over at %d mL, want at 10^8 counts of 1000 mL", got)
	}
	if !c.Buses[0].Devices[1].DoubtfulRegisters {
		t.Error("doubtful_registers is lost")
	}
	unvalidated := firmwareconfig.Device{Profile: "sdm630"}
	if p, err := unvalidated.Map(); err != nil || p.Name != "sdm630" {
		t.Errorf("without validation: %q, %v, want the shipped profile", p.Name, err)
	}
}

func TestMeterAgainstItsProfile(t *testing.T) {
	for _, tt := range []struct{ name, device, want string }{
		{"kind that nothing says", "{slave: 1, profile: pulse-counter-4, meters: [{id: M, channel: 1, pulse_ml: 1}]}", "say it with kind"},
		{"unit of another kind", "{slave: 1, profile: room-sensor, meters: [{id: M, kind: heat}]}", `counts "temperature"`},
		{"count without weight", "{slave: 1, profile: kamstrup-multical-300, meters: [{id: M}]}", "pulse_wh"},
		{"weight of another kind", "{slave: 1, profile: kamstrup-multical-300, meters: [{id: M, pulse_ml: 1000}]}", "pulse_wh"},
		{"water on a heat meter's pulse input", "{slave: 1, profile: kamstrup-multical-301, meters: [{id: M, kind: cold_water, channel: 1, pulse_ml: 1000}]}", ""},
		{"litres for a heat meter", "{slave: 1, profile: litres, meters: [{id: M, kind: heat}]}", "no unit of kind heat"},
		{"litres for a water meter", "{slave: 1, profile: litres, meters: [{id: M, kind: cold_water}]}", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			litres := "source: s\nconfidence: site\nfunction: 3\nlimit: 4\nregisters: [{address: 0, type: u32, unit: L, quantity: index}]\n"
			_, err := load(t, "site: s\ngateway: g\nprofiles_dir: "+ownProfiles(t, map[string]string{"litres.yaml": litres})+
				"\nbuses: [{url: 'tcp://127.0.0.1:502', devices: ["+tt.device+"]}]\n")
			if (tt.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestModulusOfPulses(t *testing.T) {
	c, err := load(t, strings.Replace(sound, "channel: 1, pulse_ml: 1000", "channel: 1, pulse_ml: 1000, index_modulus: 5000", 1))
	if err != nil {
		t.Fatal(err)
	}
	m := c.Meters()
	if m[1].IndexModulus != 5000 || m[2].IndexModulus != 1<<32*1000 || m[0].IndexModulus != 0 {
		t.Errorf("moduli %d, %d, %d: want none for the iEM3155, the site's own, and that of 32 bits of 1000 mL",
			m[0].IndexModulus, m[1].IndexModulus, m[2].IndexModulus)
	}
}
