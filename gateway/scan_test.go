package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave/slavetest"
	"github.com/xnetroseraie/xnet/firmware-config/profiletest"
)

// A bench is meters on a line, each with its fixture; slave 7 answers and has no
// register that a profile knows.
type bench map[byte]*profiletest.Fixture

func (b bench) Read(unit, function byte, address, quantity uint16) ([]uint16, error) {
	fixture, there := b[unit]
	switch {
	case unit == 7:
		return nil, slave.IllegalAddress
	case !there:
		return nil, slave.ErrSilent
	}
	words, exist := fixture.Read(function, address, quantity)
	if !exist {
		return nil, slave.IllegalAddress
	}
	return words, nil
}

func (b bench) Names(unit byte) (map[byte]string, error) {
	if fixture, there := b[unit]; there {
		return fixture.Names, nil
	}
	return nil, nil
}

// serveMeters serves the fixtures of profiles as slaves on a network and returns
// the line's URL.
func serveMeters(t *testing.T, meters map[byte]string) string {
	t.Helper()
	b := bench{}
	for unit, name := range meters {
		fixture, err := profiletest.Load("../firmware-config/testdata", name)
		if err != nil {
			t.Fatal(err)
		}
		b[unit] = fixture
	}
	return slavetest.TCP(t, b, slave.Options{})
}

// runBare runs the program without a configuration.
func runBare(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	args = append([]string{"--config", filepath.Join(t.TempDir(), "none.yaml")}, args...)
	err = run(t.Context(), args, func(string) string { return "" }, &out, &errs)
	return out.String(), errs.String(), err
}

// line returns the line of text that begins with a word.
func line(text, word string) string {
	for l := range strings.Lines(text) {
		if fields := strings.Fields(l); len(fields) > 0 && fields[0] == word {
			return strings.Join(fields, " ")
		}
	}
	return ""
}

func TestScan(t *testing.T) {
	url := serveMeters(t, map[byte]string{2: "sdm630", 3: "eltako-dsz15", 5: "abb-b23"})
	stdout, stderr, err := runBare(t, "scan", "--url", url, "--to", "8", "--timeout", "50ms", "--pause", "0")
	if err != nil {
		t.Fatal(err)
	}
	for slave, want := range map[string][]string{
		"2": {"sdm630 plausible A", "Eastron SDM630", "voltage L1 (V) 230.2"},
		"3": {"eltako-dsz15 plausible B", "voltage L1 (V) 230"},
		"5": {"abb-b23 certain B", `model's name "B23"`},
		"7": {"unknown - -", "none of the profiles"},
	} {
		for _, part := range want {
			if got := line(stdout, slave); !strings.Contains(got, part) {
				t.Errorf("slave %s: %q, want %q in it", slave, got, part)
			}
		}
	}
	if !strings.Contains(stdout, "4 slaves answer") || line(stdout, "1") != "" {
		t.Errorf("output:\n%s", stdout)
	}
	if !strings.Contains(stderr, "slave 5 answers: abb-b23") {
		t.Errorf("progress:\n%s", stderr)
	}
}

func TestScanOfASerialLine(t *testing.T) {
	fixture, err := profiletest.Load("../firmware-config/testdata", "sdm120")
	if err != nil {
		t.Fatal(err)
	}
	url := slavetest.RTU(t, bench{4: fixture}, slave.Options{})
	stdout, _, err := runBare(t, "scan", "--url", url, "--baud", "19200", "--parity", "even", "--from", "3", "--to", "5", "--timeout", "50ms", "--pause", "0")
	if err != nil || !strings.Contains(stdout, "19200 8E1: 1 slaves answer") || !strings.HasPrefix(line(stdout, "4"), "4 sdm120 plausible B") {
		t.Errorf("%v, output:\n%s", err, stdout)
	}
	stdout, _, err = runBare(t, "read", "--url", url, "--slave", "4", "--profile", "sdm120")
	if err != nil || !strings.Contains(stdout, "1234567") {
		t.Errorf("%v, output:\n%s", err, stdout)
	}
}

// A meter that tells its name by function 43 is certain, on either kind of line.
func TestScanOfAMeterThatNamesItself(t *testing.T) {
	fixture, err := profiletest.Load("../firmware-config/testdata", "iem3155")
	if err != nil {
		t.Fatal(err)
	}
	for kind, url := range map[string]string{
		"tcp": slavetest.TCP(t, bench{5: fixture}, slave.Options{}),
		"rtu": slavetest.RTU(t, bench{5: fixture}, slave.Options{}),
	} {
		stdout, _, err := runBare(t, "scan", "--url", url, "--from", "5", "--to", "6", "--timeout", "50ms", "--pause", "0")
		if got := line(stdout, "5"); err != nil || !strings.HasPrefix(got, "5 iem3155 certain A") || !strings.Contains(got, `product code "A9MEM3155"`) {
			t.Errorf("%s: %v, output:\n%s", kind, err, stdout)
		}
	}
}

func TestScanFindsNobody(t *testing.T) {
	url := serveMeters(t, nil)
	_, _, err := runBare(t, "scan", "--url", url, "--to", "3", "--timeout", "20ms")
	if err == nil || !strings.Contains(err.Error(), "check the wiring") {
		t.Errorf("got %v, want what to check", err)
	}
}

func TestScanFaults(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"no line", nil, "--url"},
		{"slave 0", []string{"--url", "tcp://127.0.0.1:1", "--from", "0"}, "within 1 to 247"},
		{"backwards", []string{"--url", "tcp://127.0.0.1:1", "--from", "9", "--to", "3"}, "within 1 to 247"},
		{"parity", []string{"--url", "rtu:///dev/null", "--parity", "mark"}, `parity "mark"`},
		{"no such device", []string{"--url", "rtu:///nowhere/ttyUSB9"}, "/nowhere/ttyUSB9"},
		{"line is down", []string{"--url", "tcp://127.0.0.1:1"}, "line is down"},
		{"not a URL we know", []string{"--url", "usb://0"}, "rtu"},
		{"own profiles away", []string{"--url", "tcp://127.0.0.1:1", "--profiles-dir", "/nowhere"}, "profiles_dir"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := runBare(t, append([]string{"scan"}, tt.args...)...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestScanTriesRatesAndParities(t *testing.T) {
	c := scanCommand{URL: "rtu:///dev/ttyUSB0", Baud: []int{9600, 19200}, Parity: []string{"none", "even"}, StopBits: 1}
	var got []string
	for _, b := range c.buses() {
		got = append(got, label(b))
	}
	want := "rtu:///dev/ttyUSB0 9600 8N1|rtu:///dev/ttyUSB0 9600 8E1|rtu:///dev/ttyUSB0 19200 8N1|rtu:///dev/ttyUSB0 19200 8E1"
	if strings.Join(got, "|") != want {
		t.Errorf("lines %q", got)
	}
}

const ownProfile = `maker: site-made
model: heat pump
source: the site
confidence: site
function: 4
limit: 10
probe: [{what: a number, address: 100, type: u32, range: [7, 9]}]
registers: [{address: 100, type: u32, unit: kWh, quantity: index}]
`

func TestProfiles(t *testing.T) {
	stdout, _, err := runBare(t, "profiles")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(stdout, "\n"); n < 26 {
		t.Errorf("%d lines, want at least 25 profiles", n)
	}
	for name, want := range map[string]string{"sdm630": "electricity A Eastron SDM630 Modbus protocol", "pulse-counter-4": "by site site"} {
		if got := line(stdout, name); !strings.Contains(got, want) {
			t.Errorf("%q, want %q in it", got, want)
		}
	}
	stdout, _, err = runBare(t, "profiles", "itron-cf-echo")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"at most 22 registers, renewed every 1m0s", "999999", "C, from one public configuration", "0.1 kW", "0x0002 (2)"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in:\n%s", want, stdout)
		}
	}
	if _, _, err := runBare(t, "profiles", "sdm9000"); err == nil || !strings.Contains(err.Error(), "known are") {
		t.Errorf("got %v, want the list of profiles", err)
	}
}

func TestProfilesOfTheSite(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "heat-pump.yaml"), []byte(ownProfile), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, _, err := runBare(t, "profiles", "--profiles-dir", dir, "heat-pump")
	if err != nil || !strings.Contains(stdout, filepath.Join(dir, "heat-pump.yaml")) {
		t.Errorf("%v, output:\n%s", err, stdout)
	}
}
