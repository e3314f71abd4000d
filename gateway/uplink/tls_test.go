package uplink_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/gateway/uplink"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

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
	a, other := testkit.NewAuthority(t, "the landlord's"), testkit.NewAuthority(t, "somebody else's")
	a.IssueServer(t)
	for _, from := range []*testkit.Authority{a, other} {
		from.Issue(t, "gateway", &x509.Certificate{Subject: pkix.Name{CommonName: "gw"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	}
	ca := a.File("ca.crt")
	own := uplink.Options{CAFile: ca, CertificateFile: a.File("gateway.crt"), KeyFile: a.File("gateway.key")}
	withCertificate := a.Mosquitto(t, "require_certificate true", "use_identity_as_username true").URL
	withPassword := a.Mosquitto(t, "allow_anonymous false", "password_file "+passwords(t, a, "gw", "rose")).URL
	for _, tt := range []struct {
		name, url string
		options   uplink.Options
		connects  bool
	}{
		{"client certificate", withCertificate, own, true},
		{"no client certificate", withCertificate, uplink.Options{CAFile: ca}, false},
		{"certificate of another authority", withCertificate,
			uplink.Options{CAFile: ca, CertificateFile: other.File("gateway.crt"), KeyFile: other.File("gateway.key")}, false},
		{"password", withPassword, uplink.Options{CAFile: ca, Username: "gw", Password: "rose"}, true},
		{"wrong password", withPassword, uplink.Options{CAFile: ca, Username: "gw", Password: "tulip"}, false},
		{"broker that another authority vouches for", withPassword,
			uplink.Options{CAFile: other.File("ca.crt"), Username: "gw", Password: "rose"}, false},
		{"broker that nobody known vouches for", withPassword, uplink.Options{Username: "gw", Password: "rose"}, false},
		{"file that is missing", withPassword, uplink.Options{CAFile: a.File("none.crt")}, false},
		{"file without a certificate", withPassword, uplink.Options{CAFile: a.File("ca.key")}, false},
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
func passwords(t *testing.T, a *testkit.Authority, user, password string) string {
	t.Helper()
	path := a.File("passwords")
	if said, err := exec.Command("mosquitto_passwd", "-b", "-c", path, user, password).CombinedOutput(); err != nil {
		testkit.Unavailable(t, "mosquitto_passwd: %v: %s", err, said)
	}
	return path
}

// TestRenewedCertificate: a certificate that is replaced counts at the next
// connection, without a restart.
func TestRenewedCertificate(t *testing.T) {
	a := testkit.NewAuthority(t, "the landlord's")
	a.IssueServer(t)
	url := a.Mosquitto(t, "require_certificate true", "use_identity_as_username true").URL
	stranger := testkit.NewAuthority(t, "expired")
	stranger.Issue(t, "gateway", &x509.Certificate{Subject: pkix.Name{CommonName: "gw"}})
	o := uplink.Options{URL: url, CAFile: a.File("ca.crt"), CertificateFile: stranger.File("gateway.crt"), KeyFile: stranger.File("gateway.key")}
	s, log := openSpool(t), &tries{}
	u := startLogged(t, o, s, log)
	testkit.Eventually(t, 20*time.Second, log.atLeast(1))
	a.Issue(t, "gateway", &x509.Certificate{Subject: pkix.Name{CommonName: "gw"}})
	for _, name := range []string{"gateway.crt", "gateway.key"} {
		if err := os.Rename(a.File(name), stranger.File(name)); err != nil {
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

// TestCertificateThatEnded, the broker's or the gateway's own: the log says which,
// and what to do; nothing is lost, and once it is renewed the packs leave.
func TestCertificateThatEnded(t *testing.T) {
	ended := time.Now().Add(-time.Minute)
	gateway := func(a *testkit.Authority, end time.Time) {
		a.Issue(t, "gateway", &x509.Certificate{Subject: pkix.Name{CommonName: "gw"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, NotAfter: end})
	}
	for _, tt := range []struct {
		name         string
		broker, own  time.Time // when the certificates end, zero: in an hour
		says, remedy string
		renew        func(*testkit.Authority, *testkit.MosquittoServer)
	}{
		{"the broker's", ended, time.Time{}, "certificate has expired", "xnet-setup", func(a *testkit.Authority, m *testkit.MosquittoServer) {
			a.IssueServer(t)
			m.Kill()
			m.Start()
		}},
		{"the gateway's", time.Time{}, ended, "expired certificate", "certificate_file", func(a *testkit.Authority, _ *testkit.MosquittoServer) { gateway(a, time.Time{}) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := testkit.NewAuthority(t, "the landlord's")
			a.IssueServerUntil(t, tt.broker)
			gateway(a, tt.own)
			m := a.Mosquitto(t, "require_certificate true", "use_identity_as_username true")
			s, log := openSpool(t), &tries{}
			fill(t, s, 20)
			o := uplink.Options{URL: m.URL, CAFile: a.File("ca.crt"), CertificateFile: a.File("gateway.crt"), KeyFile: a.File("gateway.key")}
			u := startLogged(t, o, s, log)
			testkit.Eventually(t, time.Minute, func() error { // a connection that is cut may come before the reason
				if why, _ := log.why.Load().(string); !strings.Contains(why, tt.says) || !strings.Contains(why, tt.remedy) {
					return fmt.Errorf("the log says %q, want %q and %q", why, tt.says, tt.remedy)
				}
				return nil
			})
			if u.Connected() || s.Counts().Packs != 20 {
				t.Errorf("connected %v, and %d packs wait, want 20", u.Connected(), s.Counts().Packs)
			}
			tt.renew(a, m)
			testkit.Eventually(t, time.Minute, func() error {
				if !u.Connected() {
					return errors.New("not connected though it is renewed")
				}
				return nil
			})
			answerer(t, m.URL, o)
			testkit.Eventually(t, time.Minute, empty(s))
		})
	}
}
