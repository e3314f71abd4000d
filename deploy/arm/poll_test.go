package arm_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/goccy/go-yaml"

	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/deploy/simulator/served"
	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

const (
	busTimeout = time.Second
	// maxBinary is what a stripped gateway may weigh on ARMv6.
	maxBinary = 15 << 20
)

// TestGatewayPollsAndDelivers runs the gateway as it ships on each board for a
// minute: it reads two buildings of the simulated residence, one over Modbus TCP
// and one over RTU on a pseudo-terminal, and everything that the meters showed
// must reach the collector's side of the broker, at the instant it was read.
func TestGatewayPollsAndDelivers(t *testing.T) {
	every, span := 5*time.Second, time.Minute
	if testing.Short() {
		every, span = 2*time.Second, 10*time.Second
	}
	if err := testkit.Watch("../../gateway", "../../firmware-config", "../simulator", "../../internal"); err != nil {
		t.Fatal(err)
	}
	simulator := filepath.Join(t.TempDir(), "simulator")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", simulator, "./deploy/simulator")
	command.Dir = repository
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build the simulator: %v\n%s", err, output)
	}
	for _, b := range boards {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			b.path(t)
			s := newSite(t, simulator)
			gateway := filepath.Join(s.dir, "gateway")
			b.compile(t, "build", "-trimpath", "-ldflags=-s -w", "-o", gateway, "./gateway")
			stat, err := os.Stat(gateway)
			if err != nil {
				t.Fatal(err)
			}
			if b.name == "armv6" && stat.Size() > maxBinary {
				t.Errorf("the binary weighs %d bytes, want at most %d", stat.Size(), maxBinary)
			}
			got := s.poll(t, b.script(t, gateway), every, span)
			t.Logf("%s: %.1f MB stripped; %s", b.name, float64(stat.Size())/(1<<20), got)
		})
	}
}

// A site is the simulated residence with a broker, and what the collector's side
// of it has heard.
type site struct {
	dir       string
	residence *household.Residence
	urls      map[metering.GatewayID]string // of the buses
	broker    *testkit.BrokerServer

	mu    sync.Mutex
	heard map[shown][]time.Time
	fault error
}

// A shown is an index that a meter showed; no two reads see the same.
type shown struct {
	meter metering.MeterID
	index metering.Amount
}

// The building that is read over TCP, and the one over a serial line.
const byTCP, bySerial metering.GatewayID = "gw-a", "gw-b"

func newSite(t *testing.T, simulator string) *site {
	t.Helper()
	addr, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{dir: t.TempDir(), broker: testkit.Broker(t), heard: map[shown][]time.Time{}}
	line := filepath.Join(s.dir, "line")
	s.urls = map[metering.GatewayID]string{byTCP: "tcp://" + addr, bySerial: "rtu://" + line}
	epoch := civil.DateOf(time.Now().AddDate(0, -1, 0))
	s.residence = household.New(1, epoch)
	s.run(t, simulator, "run", "--seed", "1", "--epoch", epoch.String(), "--unique", "--served", s.log(),
		"--tcp", string(byTCP)+"="+addr, "--rtu", string(bySerial)+"="+line)
	testkit.Eventually(t, 30*time.Second, func() error { _, err := os.Stat(line); return err })
	s.collect(t)
	return s
}

func (s *site) log() string { return filepath.Join(s.dir, "served.csv") }

// run starts a program that ends with the test, and must end well.
func (s *site) run(t *testing.T, path string, args ...string) (stop func()) {
	t.Helper()
	var said bytes.Buffer
	command := exec.Command(path, args...)
	command.Stdout, command.Stderr = &said, &said
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = command.Process.Signal(os.Interrupt)
		err := command.Wait()
		if err != nil || t.Failed() {
			t.Errorf("%s %v ended with status %d\n%s", filepath.Base(path), args, exitOf(err), failures(said.String()))
		}
	})
	t.Cleanup(stop)
	return stop
}

// collect hears every pack and answers that it is stored.
func (s *site) collect(t *testing.T) {
	t.Helper()
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(s.broker.URL).SetClientID("collector"))
	if token := client.Connect(); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	t.Cleanup(func() { client.Disconnect(0) })
	source := wire.Source{Site: s.residence.SiteID, Gateway: "board"}
	token := client.Subscribe(source.Topic(wire.ReadingsChannel), 1, func(c mqtt.Client, m mqtt.Message) {
		pack, err := wire.DecodePack(m.Payload())
		s.hear(pack, err)
		if answer, err := (wire.Stored{Spool: pack.Spool, Stored: []wire.Seq{pack.Seq}}).Encode(); err == nil {
			c.Publish(source.Topic(wire.StoredChannel), 1, false, answer)
		}
	})
	if token.Wait(); token.Error() != nil {
		t.Fatal(token.Error())
	}
}

func (s *site) hear(pack wire.Pack, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = errors.Join(s.fault, err)
	for _, r := range pack.Readings {
		k := shown{r.Meter, r.Amount}
		if r.Quantity == metering.Index && !slices.Contains(s.heard[k], r.At) { // a pack may come twice
			s.heard[k] = append(s.heard[k], r.At)
		}
	}
}

// poll runs the gateway for a span and holds what arrived against what the
// meters showed until then.
func (s *site) poll(t *testing.T, gateway string, every, span time.Duration) string {
	t.Helper()
	config := s.configure(t, every)
	stop := s.run(t, gateway, "--config", config, "run")
	time.Sleep(span) // the minute itself
	until := time.Now()
	var report string
	testkit.Eventually(t, 60*time.Second, func() (err error) { report, err = s.compare(until, int(span/every)-2); return err })
	stop()
	waiting, err := exec.CommandContext(t.Context(), gateway, "--config", config, "spool").CombinedOutput()
	if err != nil {
		t.Errorf("the spool after the end: %v\n%s", err, waiting)
	}
	return report
}

// configure writes the gateway's configuration: both buildings, all meters read
// finely.
func (s *site) configure(t *testing.T, every time.Duration) string {
	t.Helper()
	addr, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	c := firmwareconfig.DefaultGateway()
	c.Site, c.Gateway, c.Zone = s.residence.SiteID, "board", s.residence.Zone.String()
	c.Broker.URL, c.Figures, c.Clock.Trust = s.broker.URL, addr, "always"
	c.Spool = firmwareconfig.Spool{Dir: filepath.Join(s.dir, "spool"), MaxMB: 64}
	for _, id := range []metering.GatewayID{byTCP, bySerial} {
		c.Buses = append(c.Buses, firmwareconfig.Bus{Name: string(id), URL: s.urls[id], Baud: 115200,
			Timeout: busTimeout, Interval: every, Devices: s.devices(id)})
	}
	text, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.dir, "gateway.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// devices are the slaves of a building as its gateway is told of them.
func (s *site) devices(id metering.GatewayID) (list []firmwareconfig.Device) {
	for _, m := range s.residence.Meters() {
		if m.Gateway != id || !m.HangsAt(time.Now()) {
			continue
		}
		i := slices.IndexFunc(list, func(d firmwareconfig.Device) bool { return d.Slave == m.Slave })
		if i < 0 {
			i, list = len(list), append(list, firmwareconfig.Device{Slave: m.Slave, Profile: m.Profile})
		}
		list[i].Meters = append(list[i].Meters, firmwareconfig.Meter{ID: m.ID, Kind: m.Kind, Channel: m.Channel,
			PulseML: int64(m.PulseML), IndexModulus: m.IndexModulus, Resolution: metering.Fine})
	}
	return list
}

// compare demands that all that was shown before until was heard, once and at
// the instant it was read, and that every meter of both buildings was read at
// least so many times.
func (s *site) compare(until time.Time, least int) (string, error) {
	entries, err := served.Read(s.log())
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	reads, faults := map[metering.MeterID]int{}, []string{}
	count := 0
	for _, e := range entries {
		if e.Quantity != metering.Index || e.Received.After(until) {
			continue
		}
		count++
		reads[e.Meter]++
		at := s.heard[shown{e.Meter, e.Index}]
		// An instant lies within the request, to the whole millisecond.
		if len(at) != 1 || at[0].Before(e.Received.Add(-time.Millisecond)) || at[0].After(e.Received.Add(busTimeout)) {
			faults = append(faults, fmt.Sprintf("%s showed %d at %s, heard at %v", e.Meter, e.Index, e.Received, at))
		}
	}
	meters := 0
	for _, m := range s.residence.Meters() {
		if (m.Gateway != byTCP && m.Gateway != bySerial) || !m.HangsAt(until) || m.Kind == metering.Temperature {
			continue
		}
		if meters++; reads[m.ID] < least {
			faults = append(faults, fmt.Sprintf("%s was read %d times, want at least %d", m.ID, reads[m.ID], least))
		}
	}
	if len(faults) > 0 || s.fault != nil || meters < 50 {
		return "", fmt.Errorf("%d meters, %d indexes shown, %d faults: %v\n%s", meters, count, len(faults), s.fault,
			strings.Join(faults[:min(10, len(faults))], "\n"))
	}
	return fmt.Sprintf("%d meters, %d indexes shown, all heard", meters, count), nil
}
