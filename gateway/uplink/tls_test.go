package uplink_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/gateway/uplink"
	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// An authority signs certificates into files of its folder.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	next int64
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.cert, a.key = a.issue(t, "ca", &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign})
	return a
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// issue writes NAME.crt and NAME.key.
func (a *authority) issue(t *testing.T, name string, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a.next++
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(a.next), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		name + ".crt": {Type: "CERTIFICATE", Bytes: raw}, name + ".key": {Type: "EC PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(a.file(file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// tlsBroker runs a Mosquitto that speaks TLS, with more lines of configuration,
// and returns its URL.
func tlsBroker(t *testing.T, a *authority, lines ...string) string {
	t.Helper()
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		if path = "/usr/sbin/mosquitto"; !exists(path) {
			testkit.Unavailable(t, "no Mosquitto: install Debian's package mosquitto")
		}
	}
	addr, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(addr)
	// It would else become another user, who may not read the test's files.
	text := append([]string{"user root", "persistence false", "listener " + port + " 127.0.0.1",
		"cafile " + a.file("ca.crt"), "certfile " + a.file("server.crt"), "keyfile " + a.file("server.key")}, lines...)
	config := a.file("mosquitto.conf")
	if err := os.WriteFile(config, []byte(strings.Join(text, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(path, "-c", config)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	testkit.Eventually(t, 10*time.Second, func() error {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return err
		}
		return conn.Close()
	})
	return "ssl://" + addr
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// answerer answers for every pack, over the same TLS broker.
func answerer(t *testing.T, url string, o uplink.Options) {
	t.Helper()
	tls, err := uplink.TLSFor(o)
	if err != nil {
		t.Fatal(err)
	}
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(url).SetTLSConfig(tls).SetUsername(o.Username).SetPassword(o.Password).
		SetOrderMatters(false).SetClientID("collector"))
	if token := client.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatalf("collector: %v", token.Error())
	}
	t.Cleanup(func() { client.Disconnect(0) })
	client.Subscribe(wire.SharedReadings, 1, func(m mqtt.Client, message mqtt.Message) {
		p, err := wire.DecodePack(message.Payload())
		if err != nil {
			t.Error(err)
			return
		}
		reply(m, wire.Stored{Spool: p.Spool, Stored: []wire.Seq{p.Seq}})
	}).Wait()
}

func TestTLS(t *testing.T) {
	a, other := newAuthority(t, "the landlord's"), newAuthority(t, "somebody else's")
	loopback := &x509.Certificate{Subject: pkix.Name{CommonName: "broker"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	a.issue(t, "server", loopback)
	for _, from := range []*authority{a, other} {
		from.issue(t, "gateway", &x509.Certificate{Subject: pkix.Name{CommonName: "gw"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	}
	ca := a.file("ca.crt")
	own := uplink.Options{CAFile: ca, CertificateFile: a.file("gateway.crt"), KeyFile: a.file("gateway.key")}
	withCertificate := tlsBroker(t, a, "require_certificate true", "use_identity_as_username true")
	withPassword := tlsBroker(t, a, "allow_anonymous false", "password_file "+passwords(t, a, "gw", "rose"))
	for _, tt := range []struct {
		name, url string
		options   uplink.Options
		connects  bool
	}{
		{"client certificate", withCertificate, own, true},
		{"no client certificate", withCertificate, uplink.Options{CAFile: ca}, false},
		{"certificate of another authority", withCertificate,
			uplink.Options{CAFile: ca, CertificateFile: other.file("gateway.crt"), KeyFile: other.file("gateway.key")}, false},
		{"password", withPassword, uplink.Options{CAFile: ca, Username: "gw", Password: "rose"}, true},
		{"wrong password", withPassword, uplink.Options{CAFile: ca, Username: "gw", Password: "tulip"}, false},
		{"broker that another authority vouches for", withPassword,
			uplink.Options{CAFile: other.file("ca.crt"), Username: "gw", Password: "rose"}, false},
		{"broker that nobody known vouches for", withPassword, uplink.Options{Username: "gw", Password: "rose"}, false},
		{"file that is missing", withPassword, uplink.Options{CAFile: a.file("none.crt")}, false},
		{"file without a certificate", withPassword, uplink.Options{CAFile: a.file("ca.key")}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := openSpool(t)
			fill(t, s, 20)
			o := tt.options
			o.URL = tt.url
			log := &tries{}
			u := startLogged(t, o, s, log)
			if !tt.connects {
				testkit.Eventually(t, 20*time.Second, log.atLeast(2))
				if u.Connected() || s.Counts().Packs != 20 {
					t.Errorf("connected %v, %d packs wait", u.Connected(), s.Counts().Packs)
				}
				return
			}
			answerer(t, tt.url, o)
			testkit.Eventually(t, 20*time.Second, empty(s))
		})
	}
}

// passwords writes a file with one user's password, hashed by Mosquitto's tool.
func passwords(t *testing.T, a *authority, user, password string) string {
	t.Helper()
	path := a.file("passwords")
	if said, err := exec.Command("mosquitto_passwd", "-b", "-c", path, user, password).CombinedOutput(); err != nil {
		testkit.Unavailable(t, "mosquitto_passwd: %v: %s", err, said)
	}
	return path
}

// TestRenewedCertificate: a certificate that is replaced counts at the next
// connection, without a restart.
func TestRenewedCertificate(t *testing.T) {
	a := newAuthority(t, "the landlord's")
	a.issue(t, "server", &x509.Certificate{Subject: pkix.Name{CommonName: "broker"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	url := tlsBroker(t, a, "require_certificate true", "use_identity_as_username true")
	stranger := newAuthority(t, "expired")
	stranger.issue(t, "gateway", &x509.Certificate{Subject: pkix.Name{CommonName: "gw"}})
	o := uplink.Options{URL: url, CAFile: a.file("ca.crt"), CertificateFile: stranger.file("gateway.crt"), KeyFile: stranger.file("gateway.key")}
	s, log := openSpool(t), &tries{}
	u := startLogged(t, o, s, log)
	testkit.Eventually(t, 20*time.Second, log.atLeast(1))
	a.issue(t, "gateway", &x509.Certificate{Subject: pkix.Name{CommonName: "gw"}})
	for _, name := range []string{"gateway.crt", "gateway.key"} {
		if err := os.Rename(a.file(name), stranger.file(name)); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Eventually(t, 20*time.Second, func() error {
		if !u.Connected() {
			return errors.New("not connected with the renewed certificate")
		}
		return nil
	})
}
