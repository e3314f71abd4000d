// Package mosquitto_test holds the broker's configuration to what it is for: with
// the files of this folder and of an enrolment a real Mosquitto lets nobody say or
// hear more than they must.
package mosquitto_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"maps"
	"net"
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
	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/enrolment"
	"github.com/xnetroseraie/xnet/api/meters/meterstest"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// A hall is a broker as it is set up, with its enrolled gateways.
type hall struct {
	t           *testing.T
	store       *enrolment.Store
	files       enrolment.Files
	authority   *testkit.Authority
	plain, safe string // addresses
	command     *exec.Cmd
	passwords   map[string]string // by user
}

func newHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{t: t, files: enrolment.Files{Dir: t.TempDir()}, authority: testkit.NewAuthority(t, "broker"), passwords: map[string]string{}}
	h.authority.IssueServer(t)
	db := sqldbtest.Open(t, filepath.Join(t.TempDir(), "api.db"))
	meterstest.Furnish(t, db)
	h.store = enrolment.NewStore(db, meters.NewStore(db), h.files)
	if err := h.store.Write(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{enrolment.APIUser, enrolment.CollectorUser} {
		password, err := config.Secret(h.files.PasswordFile(program))
		if err != nil {
			t.Fatal(err)
		}
		h.passwords[program] = password
	}
	for _, g := range []metering.GatewayID{"gw-r", "gw-r2", "gw-s"} {
		h.enrol(g)
	}
	h.start()
	return h
}

// enrol gives a gateway an access and keeps its password.
func (h *hall) enrol(g metering.GatewayID) {
	h.t.Helper()
	offer, err := h.store.Offer(h.t.Context(), meterstest.Admin, g, meterstest.Now)
	if err != nil {
		h.t.Fatal(err)
	}
	a, err := h.store.Redeem(h.t.Context(), offer.Code, meterstest.Now)
	if err != nil {
		h.t.Fatal(err)
	}
	h.passwords[a.Username] = a.Password
}

// start runs Mosquitto with xnet.conf, whose paths and ports alone are replaced.
func (h *hall) start() {
	h.t.Helper()
	text, err := os.ReadFile("xnet.conf")
	if err != nil {
		h.t.Fatal(err)
	}
	for _, addr := range []*string{&h.plain, &h.safe} {
		if *addr, err = influxd.FreeAddr(); err != nil {
			h.t.Fatal(err)
		}
	}
	_, plain, _ := net.SplitHostPort(h.plain)
	_, safe, _ := net.SplitHostPort(h.safe)
	dir := "/var/lib/xnet/broker/"
	changes := [][2]string{{"listener 1883 127.0.0.1", "listener " + plain + " 127.0.0.1"}, {"listener 8883\n", "listener " + safe + " 127.0.0.1\n"},
		{dir + "ca.pem", h.authority.File("ca.crt")}, {dir + "server.pem", h.authority.File("server.crt")},
		{dir + "server.key", h.authority.File("server.key")}, {dir, h.files.Dir + "/"}}
	for _, c := range changes {
		if !bytes.Contains(text, []byte(c[0])) {
			h.t.Fatalf("xnet.conf does not say %q", c[0])
		}
		text = bytes.ReplaceAll(text, []byte(c[0]), []byte(c[1]))
	}
	path := filepath.Join(h.t.TempDir(), "mosquitto.conf")
	// As root it would become another user, who may not read the test's files.
	if err := os.WriteFile(path, append([]byte("user root\n"), text...), 0o600); err != nil {
		h.t.Fatal(err)
	}
	program, err := exec.LookPath("mosquitto")
	if err != nil {
		program = "/usr/sbin/mosquitto"
	}
	var said bytes.Buffer
	h.command = exec.Command(program, "-c", path)
	h.command.Stderr, h.command.SysProcAttr = &said, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := h.command.Start(); err != nil {
		testkit.Unavailable(h.t, "no Mosquitto: install Debian's package mosquitto: %v", err)
	}
	h.t.Cleanup(func() { _, _ = h.command.Process.Kill(), h.command.Wait() })
	testkit.Eventually(h.t, 20*time.Second, func() error {
		conn, err := net.Dial("tcp", h.safe)
		if err != nil {
			return fmt.Errorf("%w\n%s", err, said.String())
		}
		return conn.Close()
	})
}

// trust is what a gateway believes; version is the newest TLS that it speaks.
func (h *hall) trust(version uint16) *tls.Config {
	h.t.Helper()
	c, err := config.TLS(h.authority.File("ca.crt"), "", "")
	if err != nil {
		h.t.Fatal(err)
	}
	c.MinVersion, c.MaxVersion = tls.VersionTLS10, version
	return c
}

// join connects as a user, or says why not.
func (h *hall) join(address, user, password string, trust *tls.Config, heard mqtt.MessageHandler) (mqtt.Client, error) {
	o := mqtt.NewClientOptions().AddBroker(address).SetClientID(strings.ReplaceAll(user, "/", "-") + "-test").SetUsername(user).SetPassword(password).
		SetTLSConfig(trust).SetAutoReconnect(false).SetConnectTimeout(5 * time.Second).SetDefaultPublishHandler(heard).SetOrderMatters(false)
	c := mqtt.NewClient(o)
	token := c.Connect()
	if !token.WaitTimeout(20 * time.Second) {
		return nil, fmt.Errorf("no answer within 20 s")
	}
	return c, token.Error()
}

// A post is what one user published to one topic.
type post struct{ user, topic string }

// An ear collects what one user hears.
type ear struct {
	mu    sync.Mutex
	heard map[post]int
}

func (e *ear) hear(_ mqtt.Client, m mqtt.Message) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard[post{user: string(m.Payload()), topic: m.Topic()}]++
}

func (e *ear) list() map[post]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.heard)
}

// rules say, by themselves, who may publish to a topic and who hears it.
var rules = map[string]struct{ speak, hear string }{
	"xnet/v1/R/gw-r/readings": {"R/gw-r", "collector"}, "xnet/v1/R/gw-r2/readings": {"R/gw-r2", "collector"}, "xnet/v1/S/gw-s/readings": {"S/gw-s", "collector"},
	"xnet/v1/R/gw-r/meters": {"R/gw-r", "api"}, "xnet/v1/R/gw-r2/meters": {"R/gw-r2", "api"}, "xnet/v1/S/gw-s/meters": {"S/gw-s", "api"},
	"xnet/v1/R/gw-r/state": {"R/gw-r", "api"}, "xnet/v1/R/gw-r2/state": {"R/gw-r2", "api"}, "xnet/v1/S/gw-s/state": {"S/gw-s", "api"},
	"xnet/v1/R/gw-r/stored": {"collector", "R/gw-r"}, "xnet/v1/R/gw-r2/stored": {"collector", "R/gw-r2"}, "xnet/v1/S/gw-s/stored": {"collector", "S/gw-s"},
	"xnet/v1/R/gw-r/config": {"api", "api R/gw-r"}, "xnet/v1/R/gw-r2/config": {"api", "api R/gw-r2"}, "xnet/v1/S/gw-s/config": {"api", "api S/gw-s"},
	"xnet/v1/R/registry": {"api", "api collector R/gw-r R/gw-r2"}, "xnet/v1/S/registry": {"api", "api collector S/gw-s"},
	// What is nobody's.
	"xnet/v1/R/gw-x/readings": {"", ""}, "xnet/v1/R/gw-r/other": {"", ""}, "xnet/v1/R": {"", ""}, "xnet/v2/R/gw-r/readings": {"", ""}, "home/door": {"", ""},
}

// TestNobodySaysOrHearsMore has every user publish to every topic and listen to
// everything, and compares what each heard with the rules.
func TestNobodySaysOrHearsMore(t *testing.T) {
	h := newHall(t)
	ears, clients := map[string]*ear{}, map[string]mqtt.Client{}
	for user, password := range h.passwords {
		e := &ear{heard: map[post]int{}}
		c, err := h.join("ssl://"+h.safe, user, password, h.trust(tls.VersionTLS13), e.hear)
		if err != nil {
			t.Fatalf("%s: %v", user, err)
		}
		t.Cleanup(func() { c.Disconnect(100) })
		if token := c.Subscribe("#", 1, nil); !token.WaitTimeout(20*time.Second) || token.Error() != nil {
			t.Fatalf("%s: subscribe: %v", user, token.Error())
		}
		ears[user], clients[user] = e, c
	}
	want := map[string]map[post]int{}
	for user := range clients {
		want[user] = map[post]int{}
	}
	for _, topic := range slices.Sorted(maps.Keys(rules)) {
		rule := rules[topic]
		for speaker, c := range clients {
			if token := c.Publish(topic, 1, false, speaker); !token.WaitTimeout(20*time.Second) || token.Error() != nil {
				t.Fatalf("%s to %s: %v", speaker, topic, token.Error())
			}
			for listener := range clients {
				if slices.Contains(strings.Fields(rule.speak), speaker) && slices.Contains(strings.Fields(rule.hear), listener) {
					want[listener][post{speaker, topic}] = 1
				}
			}
		}
	}
	for user, e := range ears {
		testkit.Eventually(t, 20*time.Second, func() error {
			if n := len(e.list()); n < len(want[user]) {
				return fmt.Errorf("%s heard %d, want %d", user, n, len(want[user]))
			}
			return nil
		})
	}
	// The last that each may hear has come; what is forbidden was published before.
	for user, e := range ears {
		if diff := cmp.Diff(want[user], e.list(), cmp.AllowUnexported(post{})); diff != "" {
			t.Errorf("%s heard (-want +got):\n%s", user, diff)
		}
	}
}

// TestWhoIsLetIn: nobody without a name, with a wrong password, of another
// authority, or by an old TLS.
func TestWhoIsLetIn(t *testing.T) {
	h := newHall(t)
	right, safe := h.passwords["R/gw-r"], "ssl://"+h.safe
	stranger := testkit.NewAuthority(t, "stranger")
	foreign, err := config.TLS(stranger.File("ca.crt"), "", "")
	if err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]struct {
		address, user, password string
		trust                   *tls.Config
		in                      bool
	}{
		"enrolled":             {safe, "R/gw-r", right, h.trust(tls.VersionTLS13), true},
		"TLS 1.2":              {safe, "R/gw-r", right, h.trust(tls.VersionTLS12), true},
		"TLS 1.1":              {safe, "R/gw-r", right, h.trust(tls.VersionTLS11), false},
		"wrong password":       {safe, "R/gw-r", right + "x", h.trust(tls.VersionTLS13), false},
		"another's password":   {safe, "R/gw-r", h.passwords["R/gw-r2"], h.trust(tls.VersionTLS13), false},
		"no password":          {safe, "R/gw-r", "", h.trust(tls.VersionTLS13), false},
		"nobody":               {safe, "", "", h.trust(tls.VersionTLS13), false},
		"not enrolled":         {safe, "R/gw-x", right, h.trust(tls.VersionTLS13), false},
		"plain on TLS":         {"tcp://" + h.safe, "R/gw-r", right, nil, false},
		"nobody, on loopback":  {"tcp://" + h.plain, "", "", nil, false},
		"program, on loopback": {"tcp://" + h.plain, "api", h.passwords["api"], nil, true},
		"a broker that another authority vouches for": {safe, "R/gw-r", right, foreign, false},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := h.join(try.address, try.user, try.password, try.trust, nil)
			if (err == nil) != try.in {
				t.Errorf("let in %v, want %v: %v", err == nil, try.in, err)
			}
			if err == nil {
				c.Disconnect(100)
			}
		})
	}
}

// TestReplacedGatewayIsShutOut: once the new board has its access, and the broker
// read it, the old one is worth nothing.
func TestReplacedGatewayIsShutOut(t *testing.T) {
	h := newHall(t)
	stolen := h.passwords["R/gw-r"]
	// Whoever is answered knows that the broker minds signals: it listens before.
	c, err := h.join("ssl://"+h.safe, "R/gw-r", stolen, h.trust(tls.VersionTLS13), nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Disconnect(100)
	h.enrol("gw-r")
	if err := h.command.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 20*time.Second, func() error {
		c, err := h.join("ssl://"+h.safe, "R/gw-r", h.passwords["R/gw-r"], h.trust(tls.VersionTLS13), nil)
		if err == nil {
			c.Disconnect(100)
		}
		return err
	})
	if c, err := h.join("ssl://"+h.safe, "R/gw-r", stolen, h.trust(tls.VersionTLS13), nil); err == nil {
		c.Disconnect(100)
		t.Error("the stolen board is still let in")
	}
}
