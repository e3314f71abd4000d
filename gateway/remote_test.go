package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave/slavetest"
	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A board is a gateway with a broker that is the api's too, and a line on which
// every slave is a pulse counter.
type board struct {
	t      *testing.T
	dir    string
	line   string
	broker *testkit.BrokerServer
	key    ed25519.PrivateKey
	api    mqtt.Client
	log    *said

	mu    sync.Mutex
	state wire.State
}

var boardSource = wire.Source{Site: "s", Gateway: "g"}

func newBoard(t *testing.T) *board {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	source := slave.SourceFunc(func(_, _ byte, _, n uint16) ([]uint16, error) { return make([]uint16, n), nil })
	b := &board{t: t, dir: t.TempDir(), line: slavetest.TCP(t, source, slave.Options{}), broker: testkit.Broker(t), key: private}
	b.write("key", base64.StdEncoding.EncodeToString(public)+"\n")
	b.file("config_key_file: "+b.path("key"), b.device(1))
	b.listen()
	return b
}

func (b *board) path(name string) string { return filepath.Join(b.dir, name) }

func (b *board) write(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(b.path(name), []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *board) read(name string) string {
	b.t.Helper()
	text, err := os.ReadFile(b.path(name))
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

// file writes the board's own configuration.
func (b *board) file(setting string, devices ...string) {
	b.t.Helper()
	b.write("gateway.yaml", fmt.Sprintf("site: s\ngateway: g\nclock: {trust: always}\nfigures: 127.0.0.1:0\nbroker: {url: %q}\nspool: {dir: %q}\n%s\n%s",
		b.broker.URL, b.path("spool"), setting, b.buses(devices...)))
}

func (b *board) buses(devices ...string) string {
	return fmt.Sprintf("buses:\n  - url: %s\n    interval: 1s\n    devices:\n%s", b.line, strings.Join(devices, ""))
}

func (b *board) device(n int) string {
	return fmt.Sprintf("      - {slave: %d, profile: pulse-counter-4, meters: [{id: M-%d, kind: cold_water, channel: 1, pulse_ml: 1000}]}\n", n, n)
}

// document is one for this board.
func (b *board) document(devices ...string) string {
	return "site: s\ngateway: g\n" + b.buses(devices...)
}

// listen keeps the last state that the gateway published.
func (b *board) listen() {
	b.t.Helper()
	b.api = mqtt.NewClient(mqtt.NewClientOptions().AddBroker(b.broker.URL).SetClientID("api").
		SetConnectRetryInterval(50 * time.Millisecond).SetMaxReconnectInterval(50 * time.Millisecond))
	if token := b.api.Connect(); token.Wait() && token.Error() != nil {
		b.t.Fatal(token.Error())
	}
	b.t.Cleanup(func() { b.api.Disconnect(0) })
	token := b.api.Subscribe(boardSource.Topic(wire.StateChannel), 1, func(_ mqtt.Client, m mqtt.Message) {
		state, err := wire.DecodeState(m.Payload())
		if err != nil {
			b.t.Error(err)
		}
		b.mu.Lock()
		b.state = state
		b.mu.Unlock()
	})
	if token.Wait(); token.Error() != nil {
		b.t.Fatal(token.Error())
	}
}

// publish signs a document and retains it, as the api does.
func (b *board) publish(version, document string) wire.SignedConfig {
	b.t.Helper()
	c := firmwareconfig.Sign(b.key, version, []byte(document))
	b.retain(c)
	return c
}

func (b *board) retain(c wire.SignedConfig) {
	b.t.Helper()
	payload, err := c.Encode()
	if err != nil {
		b.t.Fatal(err)
	}
	if token := b.api.Publish(boardSource.Topic(wire.ConfigChannel), 1, true, payload); token.Wait() && token.Error() != nil {
		b.t.Fatal(token.Error())
	}
}

// run starts the gateway; the returned function ends it.
func (b *board) run() (stop func()) {
	b.t.Helper()
	b.log = &said{}
	ctx, cancel := context.WithCancel(b.t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"--config", b.path("gateway.yaml"), "run"}, func(name string) string {
			return map[string]string{"XNET_LOG": "debug"}[name]
		}, b.log, b.log)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			b.t.Error(err)
		}
	})
	b.t.Cleanup(stop)
	return stop
}

// tells waits until the gateway's state bears a version and a fault, of which
// part stands in it; "" wants none.
func (b *board) tells(version, fault string) {
	b.t.Helper()
	testkit.Eventually(b.t, 45*time.Second, func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		s := b.state
		if !s.Online || s.Config != version || (s.ConfigFault == "") != (fault == "") || !strings.Contains(s.ConfigFault, fault) {
			return fmt.Errorf("state %+v, want version %q and fault %q", s, version, fault)
		}
		return nil
	})
}

func TestConfigurationFromAfar(t *testing.T) {
	t.Parallel()
	b := newBoard(t)
	stop := b.run()
	b.log.wait(t, "meter=M-1")
	b.tells("", "")

	first := b.publish("9", b.document(b.device(1), b.device(2)))
	b.tells("9", "")
	b.log.wait(t, "meter=M-2")

	b.publish("10", b.document(b.device(3), b.device(3))) // greater as a number, not as a text
	b.tells("9", "line 8, column 17: bus bus-1: slave 3 stands twice: put its meters into one device")
	b.retain(first)
	b.tells("9", "") // the fault has been taken back

	second := b.publish("10", b.document(b.device(4)))
	b.tells("10", "")
	b.log.wait(t, "meter=M-4")

	b.retain(first)
	b.tells("10", "version 9 after 10: one that is as new or newer was applied")
	b.publish("10", b.document(b.device(5)))
	b.tells("10", "version 10 after 10")

	changed := second
	changed.Document = bytes.Replace(second.Document, []byte("M-4"), []byte("M-5"), 1)
	changed.Version = "11"
	b.retain(changed)
	b.tells("10", "the signature is not by the key of config_key_file")
	unsigned := second
	unsigned.Version, unsigned.Signature = "12", nil
	b.retain(unsigned)
	b.tells("10", "version 12: the signature is not by the key")
	_, stranger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	b.retain(firmwareconfig.Sign(stranger, "13", []byte(b.document(b.device(5)))))
	b.tells("10", "version 13: the signature")
	b.retain(firmwareconfig.Sign(b.key, "12.1", []byte(b.document(b.device(5)))))
	b.tells("10", "digits alone")
	b.publish("13", strings.Replace(b.document(b.device(5)), "gateway: g", "gateway: other", 1))
	b.tells("10", `it is for gateway "other"`)
	b.publish("13", b.document(b.device(5))+"spool: {dir: /tmp}\n")
	b.tells("10", "spool")
	if token := b.api.Publish(boardSource.Topic(wire.ConfigChannel), 1, true, "{"); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	b.tells("10", "decode config")

	// The file of the board changes meanwhile: what comes from afar stays.
	b.file("config_key_file: "+b.path("key"), b.device(6))
	b.log.wait(t, "new configuration taken over")
	b.tells("10", "decode config")
	stop()
	if strings.Contains(b.log.string(), "meter=M-5") || strings.Contains(b.log.string(), "meter=M-6") {
		t.Error("a meter was read that no configuration which counts has")
	}
	if n := strings.Count(b.log.string(), "version 9 after 10"); n != 1 {
		t.Errorf("a refusal was logged %d times, want once", n)
	}
}

// Started again without a broker, the gateway reads what came from afar, and an
// older one that comes then is refused as before.
func TestConfigurationFromAfarOutlastsARestart(t *testing.T) {
	t.Parallel()
	b := newBoard(t)
	stop := b.run()
	old := b.publish("1", b.document(b.device(2)))
	b.tells("1", "")
	b.publish("2", b.document(b.device(3)))
	b.tells("2", "")
	stop()

	b.api.Disconnect(0)
	b.broker.Stop()
	stop = b.run()
	b.log.wait(t, "meter=M-3")
	b.broker.Start() // which has forgotten what was retained
	b.listen()
	b.tells("2", "")
	b.retain(old)
	b.tells("2", "version 1 after 2")
	stop()
	if strings.Contains(b.log.string(), "meter=M-2") || strings.Contains(b.log.string(), "meter=M-1") {
		t.Error("a meter was read that the newest configuration has not")
	}
	for _, command := range []string{"check-config", "read"} {
		var out, errs bytes.Buffer
		err := run(t.Context(), []string{"--config", b.path("gateway.yaml"), command}, func(string) string { return "" }, &out, &errs)
		if want := map[string]string{"check-config": "1 meters of version 2 from afar", "read": "M-3"}[command]; err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %v, %q, want %q", command, err, out.String(), want)
		}
	}
}

// What was kept and cannot be used any more leaves the board's own configuration,
// and nothing older may come in through the gap.
func TestKeptConfigurationThatIsOfNoUse(t *testing.T) {
	t.Parallel()
	b := newBoard(t)
	own := "maker: m\nmodel: m\nsource: s\nconfidence: site\nfunction: 3\nlimit: 10\nregisters: [{channel: 1, address: 0, type: u32, unit: pulse, quantity: index}]\n"
	if err := os.Mkdir(b.path("profiles"), 0o700); err != nil {
		t.Fatal(err)
	}
	b.write("profiles/cellar.yaml", own)
	setting := "config_key_file: " + b.path("key") + "\nprofiles_dir: " + b.path("profiles")
	b.file(setting, b.device(1))
	stop := b.run()
	old := b.publish("1", b.document(b.device(2)))
	b.tells("1", "")
	b.publish("2", b.document(strings.Replace(b.device(3), "pulse-counter-4", "cellar", 1)))
	b.tells("2", "")
	stop()

	if err := os.Remove(b.path("profiles/cellar.yaml")); err != nil {
		t.Fatal(err)
	}
	stop = b.run()
	b.log.wait(t, "meter=M-1")
	b.tells("", `version 2: document:`)
	b.retain(old)
	b.tells("", "version 1 after 2")
	b.publish("3", b.document(b.device(4)))
	b.tells("3", "")
	stop()

	b.api.Disconnect(0)
	b.broker.Stop() // which has version 3
	b.write("spool/config.json", "{}")
	b.run()
	b.log.wait(t, "what was kept in")
	b.log.wait(t, "meter=M-1")
}

func TestConfigurationFromAfarWithoutAKey(t *testing.T) {
	t.Parallel()
	b := newBoard(t)
	b.file("", b.device(1))
	stop := b.run()
	b.publish("1", b.document(b.device(2)))
	b.tells("", "config_key_file names no key")
	b.publish("2", b.document(b.device(2)))
	b.publish("3", b.document(b.device(2)))
	b.log.wait(t, "meter=M-1")
	stop()
	if n := strings.Count(b.log.string(), "config_key_file names no key"); n != 1 {
		t.Errorf("logged %d times, want once:\n%s", n, b.log.string())
	}
	for text, want := range map[string]string{"": "is empty", "!": "want base64", base64.StdEncoding.EncodeToString(b.key): "keep the private one"} {
		b.write("key", text)
		b.file("config_key_file: "+b.path("key"), b.device(1))
		var out bytes.Buffer
		err := run(t.Context(), []string{"--config", b.path("gateway.yaml"), "run"}, func(string) string { return "" }, &out, &out)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "config_key_file") {
			t.Errorf("key %.3q…: %v, want %q", text, err, want)
		}
	}
}

// A configuration under which nothing answers is taken back by the board itself,
// at once after a restart in between too, and is not tried again; a better one is.
func TestConfigurationThatSilencesTheLineIsTakenBack(t *testing.T) {
	t.Parallel()
	b := newBoard(t)
	stop := b.run()
	b.log.wait(t, "meter=M-1")
	b.publish("1", b.document(b.device(2)))
	b.log.wait(t, "is proven")
	b.tells("1", "")

	dead, err := influxd.FreeAddr() // where nobody listens
	if err != nil {
		t.Fatal(err)
	}
	silent := strings.Replace(b.document(b.device(3)), b.line, "tcp://"+dead, 1)
	failed := b.publish("2", silent)
	b.tells("2", "") // on trial
	stop()
	stop = b.run()
	b.tells("2", "")
	b.tells("1", "version 2: no meter answered under it")
	b.log.wait(t, "meter=M-2")
	b.retain(failed)
	b.tells("1", "version 2: no meter answered under it")
	b.publish("3", b.document(b.device(4)))
	b.tells("3", "")
	b.log.wait(t, "is proven")
	stop()
	if n := strings.Count(b.log.string(), "version 2: no meter answered"); n != 1 {
		t.Errorf("logged %d times, want once", n)
	}
	stop = b.run()
	b.log.wait(t, "meter=M-4")
	stop()
}

// Where no meter answered before either there is nothing to go back to.
func TestConfigurationOfASilentBoardStays(t *testing.T) {
	t.Parallel()
	b := newBoard(t)
	b.write("gateway.yaml", strings.Split(b.read("gateway.yaml"), "buses:")[0])
	b.run()
	dead, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	b.publish("1", strings.Replace(b.document(b.device(3)), b.line, "tcp://"+dead, 1))
	b.tells("1", "")
	b.tells("1", "nor did any before")
	b.publish("2", b.document(b.device(3)))
	b.log.wait(t, "is proven")
	b.tells("2", "")
}

// No reading is lost while configurations come and go: every second has one.
func TestConfigurationFromAfarLosesNoCycle(t *testing.T) {
	t.Parallel()
	b := newBoard(t)
	stop := b.run()
	b.log.wait(t, "meter=M-1")
	begin := time.Now()
	for version := 1; time.Since(begin) < 4*time.Second; version++ {
		b.publish(fmt.Sprint(version), b.document(b.device(1), b.device(2+version%2)))
		b.tells(fmt.Sprint(version), "")
	}
	from, until := begin.Truncate(time.Second).Add(time.Second), time.Now().Truncate(time.Second)
	stop()
	read := map[string]bool{}
	for line := range strings.Lines(b.log.string()) {
		if stamp, _, ok := strings.Cut(strings.TrimPrefix(line, "time="), " "); ok && strings.Contains(line, "meter=M-1 ") {
			if at, err := time.Parse(time.RFC3339Nano, stamp); err == nil {
				read[at.Truncate(time.Second).UTC().Format(time.TimeOnly)] = true
			}
		}
	}
	for at := from; at.Before(until); at = at.Add(time.Second) {
		if !read[at.UTC().Format(time.TimeOnly)] {
			t.Errorf("no reading in the second from %s on", at.UTC().Format(time.TimeOnly))
		}
	}
	if n := int(until.Sub(from) / time.Second); n < 3 {
		t.Errorf("%d seconds watched, want at least 3", n)
	}
}

// A document of many faults must not make the retained state a long one.
func TestLongFaultsAreCutInTheState(t *testing.T) {
	r := &remote{}
	r.tell("7", strings.Repeat("é", 600))
	version, fault := r.told()
	if version != "7" || len(fault) > mostFault+100 || !strings.HasPrefix(fault, strings.Repeat("é", 499)) || !strings.HasSuffix(fault, "in the gateway's log") {
		t.Errorf("version %s, fault of %d bytes: %s", version, len(fault), fault)
	}
	r.tell("8", "short")
	if _, fault := r.told(); fault != "short" {
		t.Errorf("fault %q", fault)
	}
}
