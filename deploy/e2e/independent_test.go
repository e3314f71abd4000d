package e2e_test

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/go-cmp/cmp"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// independentServer is a Modbus server of another hand: pymodbus lays numbers
// into registers with its own encoder and frames them with its own framer.
//
//go:embed testdata/independent_server.py
var independentServer string

// python is Debian's own, for which its package python3-pymodbus is made.
const python = "/usr/bin/python3"

// A register is a number that the independent server holds.
type register struct {
	Unit    byte   `json:"unit"`
	Table   string `json:"table"` // holding or input
	Address uint16 `json:"address"`
	Type    string `json:"type"` // of pymodbus's encoder, as in 64bit_int
	Number  any    `json:"number"`
}

// A case is a device as the independent server shows it, as the gateway is told
// of it, and what must come of it: amounts by meter and quantity.
type independentCase struct {
	profile   string
	registers []register
	meters    []firmwareconfig.Meter
	want      map[string]metering.Amount
}

// independentCases have numbers that no wrong order of bytes or words, no wrong
// sign and no wrong width would leave as they are.
var independentCases = []independentCase{
	{"iem3155",
		[]register{{1, "holding", 0x0C83, "64bit_int", 123_456_789_012}, {1, "holding", 0x0BF3, "32bit_float", 2.345}},
		[]firmwareconfig.Meter{{ID: "EL", Kind: metering.Electricity, Resolution: metering.Fine}},
		map[string]metering.Amount{"EL/index": 123_456_789_012, "EL/power": 2345}},
	{"pulse-counter-4",
		[]register{{2, "input", 0, "32bit_uint", 0x01020304}, {2, "input", 2, "32bit_uint", 0xFFFEFDFC}},
		[]firmwareconfig.Meter{
			{ID: "CW", Kind: metering.ColdWater, Channel: 1, PulseML: 1000, StartIndex: 7, Resolution: metering.Fine},
			{ID: "HW", Kind: metering.HotWater, Channel: 2, PulseML: 10, Resolution: metering.Fine}},
		map[string]metering.Amount{"CW/index": 0x01020304*1000 + 7, "HW/index": 0xFFFEFDFC * 10}},
	{"room-sensor",
		[]register{{3, "input", 0, "16bit_int", -35}},
		[]firmwareconfig.Meter{{ID: "TE", Kind: metering.Temperature, Resolution: metering.Fine}},
		map[string]metering.Amount{"TE/temperature": -3500}},
	{"sdm630", // import at 0x0048 and total at 0x0156 show the same here
		[]register{{4, "input", 0x0048, "32bit_float", 1234.5}, {4, "input", 0x0156, "32bit_float", 1234.5}, {4, "input", 0x0034, "32bit_float", 678.0}},
		[]firmwareconfig.Meter{{ID: "SD", Kind: metering.Electricity, Resolution: metering.Fine}},
		map[string]metering.Amount{"SD/index": 1_234_500, "SD/power": 678}},
}

// TestIndependentServerIsReadRight: the simulator is of the same hand as the
// gateway, and both might be wrong in the same way.
func TestIndependentServerIsReadRight(t *testing.T) {
	if err := exec.CommandContext(t.Context(), python, "-c", "import pymodbus").Run(); err != nil {
		testkit.Unavailable(t, "no pymodbus: install Debian's package python3-pymodbus")
	}
	for name, line := range map[string]func(*testing.T, string) firmwareconfig.Bus{"tcp": independentTCP, "serial": independentSerial} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			bus := line(t, writeIndependent(t, dir))
			bus.Name, bus.Timeout, bus.Interval = name, time.Second, time.Second
			want := map[string]metering.Amount{}
			for i, c := range independentCases {
				if !slices.Contains(firmwareconfig.Profiles(), c.profile) {
					t.Errorf("there is no profile %s", c.profile)
					continue
				}
				bus.Devices = append(bus.Devices, firmwareconfig.Device{Slave: byte(i + 1), Profile: c.profile, Meters: c.meters})
				for quantity, amount := range c.want {
					want[quantity] = amount
				}
			}
			got := readOnce(t, dir, bus, len(want))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("amounts (-want +got):\n%s", diff)
			}
		})
	}
}

// writeIndependent writes the server and its registers, and returns the command
// line up to where it serves.
func writeIndependent(t *testing.T, dir string) string {
	t.Helper()
	var all []register
	for _, c := range independentCases {
		all = append(all, c.registers...)
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "server.py")
	if err := errors.Join(os.WriteFile(script, []byte(independentServer), 0o600),
		os.WriteFile(filepath.Join(dir, "registers.json"), text, 0o600)); err != nil {
		t.Fatal(err)
	}
	return script
}

func independentTCP(t *testing.T, script string) firmwareconfig.Bus {
	addr, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	background(t, python, script, filepath.Join(filepath.Dir(script), "registers.json"), "tcp", addr)
	testkit.Eventually(t, 20*time.Second, func() error {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return err
		}
		return conn.Close()
	})
	return firmwareconfig.Bus{URL: "tcp://" + addr}
}

// independentSerial joins two pseudo-terminals with socat, which stands for the
// cable.
func independentSerial(t *testing.T, script string) firmwareconfig.Bus {
	socat, err := exec.LookPath("socat")
	if err != nil {
		testkit.Unavailable(t, "no socat: install Debian's package socat")
	}
	near, far := filepath.Join(filepath.Dir(script), "near"), filepath.Join(filepath.Dir(script), "far")
	background(t, socat, "pty,raw,echo=0,link="+near, "pty,raw,echo=0,link="+far)
	for _, end := range []string{near, far} {
		testkit.Eventually(t, 10*time.Second, func() error { _, err := os.Stat(end); return err })
	}
	background(t, python, script, filepath.Join(filepath.Dir(script), "registers.json"), "serial", far)
	return firmwareconfig.Bus{URL: "rtu://" + near, Baud: 19200, Parity: "none", StopBits: 1} // a pseudo-terminal has no parity
}

// background runs a program until the test ends.
func background(t *testing.T, path string, args ...string) {
	t.Helper()
	log, err := os.CreateTemp(t.TempDir(), "*.log")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(path, args...)
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		log.Close()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("%s said:\n%s", filepath.Base(path), text)
		}
	})
}

// readOnce runs the gateway until it has told so many different quantities, and
// returns the first amount of each.
func readOnce(t *testing.T, dir string, bus firmwareconfig.Bus, quantities int) map[string]metering.Amount {
	t.Helper()
	broker := testkit.Broker(t)
	figures, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	c := firmwareconfig.DefaultGateway()
	c.Site, c.Gateway, c.Broker.URL, c.Figures, c.Clock.Trust = "s", "g", broker.URL, figures, "always"
	c.Spool = firmwareconfig.Spool{Dir: filepath.Join(dir, "spool"), MaxMB: 8}
	c.Buses = []firmwareconfig.Bus{bus}
	got, mu := map[string]metering.Amount{}, sync.Mutex{}
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(broker.URL))
	if token := client.Connect(); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	t.Cleanup(func() { client.Disconnect(0) })
	topic := wire.Source{Site: "s", Gateway: "g"}.Topic(wire.ReadingsChannel)
	client.Subscribe(topic, 1, func(_ mqtt.Client, m mqtt.Message) {
		pack, err := wire.DecodePack(m.Payload())
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, r := range pack.Readings {
			if _, known := got[string(r.Meter)+"/"+string(r.Quantity)]; !known {
				got[string(r.Meter)+"/"+string(r.Quantity)] = r.Amount
			}
		}
	}).Wait()
	s := &system{dir: dir}
	start(t, "gateway", "--config", s.write(t, "gateway.yaml", c), "run")
	testkit.Eventually(t, 30*time.Second, func() error {
		mu.Lock()
		defer mu.Unlock()
		if len(got) < quantities {
			return fmt.Errorf("the gateway told %v, want %d quantities", got, quantities)
		}
		return nil
	})
	mu.Lock()
	defer mu.Unlock()
	return got
}
