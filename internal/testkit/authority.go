package testkit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An Authority signs certificates into files of its folder.
type Authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	next int64
}

// NewAuthority makes an authority, with its own certificate in ca.crt.
func NewAuthority(t testing.TB, name string) *Authority {
	t.Helper()
	a := &Authority{dir: t.TempDir()}
	a.cert, a.key = a.Issue(t, "ca", &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign})
	return a
}

// File returns the path of a file, as in "server.crt".
func (a *Authority) File(name string) string { return filepath.Join(a.dir, name) }

// Issue signs a certificate and writes NAME.crt and NAME.key, in PEM. It begins an
// hour ago and ends in an hour, unless c says when it ends.
func (a *Authority) Issue(t testing.TB, name string, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a.next++
	c.SerialNumber, c.NotBefore = big.NewInt(a.next), time.Now().Add(-time.Hour)
	if c.NotAfter.IsZero() {
		c.NotAfter = time.Now().Add(time.Hour)
	}
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
		if err := os.WriteFile(a.File(file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// IssueServer signs one for a server on loopback: server.crt and server.key.
func (a *Authority) IssueServer(t testing.TB) {
	t.Helper()
	a.IssueServerUntil(t, time.Time{})
}

// IssueServerUntil does what IssueServer does; the certificate ends when it is told.
func (a *Authority) IssueServerUntil(t testing.TB, end time.Time) {
	t.Helper()
	a.Issue(t, "server", &x509.Certificate{Subject: pkix.Name{CommonName: "server"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, NotAfter: end})
}

// Mosquitto starts a Mosquitto that speaks TLS with the certificate of
// [Authority.IssueServer], with more lines of configuration.
func (a *Authority) Mosquitto(t testing.TB, lines ...string) *MosquittoServer {
	t.Helper()
	m := mosquitto(t, append([]string{"cafile " + a.File("ca.crt"), "certfile " + a.File("server.crt"), "keyfile " + a.File("server.key")}, lines...))
	m.URL = "ssl://" + m.addr
	return m
}
