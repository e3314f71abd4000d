//go:build packages

package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/internal/testkit"
)

// renewed: a broker whose certificate has ended is named by the gateway and by the
// doctor; what the timer starts each week renews it, and the broker takes it
// without a restart. What was read meanwhile arrives.
func renewed(t *testing.T, m *machine, h home) {
	t.Helper()
	running := m.property("mosquitto.service", "MainPID")
	expire(t, m)
	testkit.Eventually(t, time.Minute, func() error { return m.presents(func(end time.Time) bool { return end.Before(time.Now()) }) })
	m.must("systemctl", "restart", "xnet-gateway.service") // a connection that stands outlives a certificate
	testkit.Eventually(t, time.Minute, func() error {
		if said := m.must("journalctl", "--no-pager", "-n", "50", "-u", "xnet-gateway"); !strings.Contains(said, "expired") {
			return errors.New("the gateway does not say why it is away: " + said)
		}
		return nil
	})
	h.dial.first.Store(123_789)
	said, _ := m.try("xnet-api", "doctor", "--config", "/etc/xnet/api.yaml", "--collector", "/etc/xnet/collector.yaml")
	if !strings.Contains(said, "server.pem ended on") || !strings.Contains(said, "do: run xnet-setup") {
		t.Errorf("the doctor does not name the certificate and its remedy:\n%s", said)
	}
	m.must("systemctl", "start", "xnet-setup.service")
	testkit.Eventually(t, time.Minute, func() error {
		return m.presents(func(end time.Time) bool { return end.After(time.Now().AddDate(0, 10, 0)) })
	})
	if now := m.property("mosquitto.service", "MainPID"); now != running {
		t.Error("the broker was started again")
	}
	h.shown(t, m)
}

// expire puts a certificate of yesterday in the place of the broker's.
func expire(t *testing.T, m *machine) {
	t.Helper()
	ca, err := tls.LoadX509KeyPair(filepath.Join(m.root, "etc/xnet/authority/ca.pem"), filepath.Join(m.root, "etc/xnet/authority/ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		NotBefore: ca.Leaf.NotBefore, NotAfter: time.Now().Add(-time.Minute), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	raw, err := x509.CreateCertificate(rand.Reader, c, ca.Leaf, &key.PublicKey, ca.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	// The certificate last, as the set-up does: its change is what the broker is told of.
	for _, f := range []struct {
		name, kind string
		text       []byte
	}{{"server.key", "PRIVATE KEY", private}, {"server.pem", "CERTIFICATE", raw}} {
		path := filepath.Join(m.root, "var/lib/xnet/broker", f.name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: f.kind, Bytes: f.text}), 0o640); err != nil {
			t.Fatal(err)
		}
	}
}

// presents returns nil where the end of the certificate that the broker shows is
// as it should be.
func (m *machine) presents(right func(end time.Time) bool) error {
	conn, err := m.dial(m.t.Context(), "tcp", "127.0.0.1:8883")
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return err
	}
	seen := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // its end is what is looked at
	if err := seen.HandshakeContext(m.t.Context()); err != nil {
		return err
	}
	if end := seen.ConnectionState().PeerCertificates[0].NotAfter; !right(end) {
		return fmt.Errorf("the broker's certificate ends %s", end)
	}
	return nil
}
