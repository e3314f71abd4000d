package main

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
	"slices"
	"time"
)

// How long certificates last, and how long before its end one counts as due.
const (
	authorityYears = 10
	authorityDue   = 365 * 24 * time.Hour
	serverYears    = 1
	serverDue      = 60 * 24 * time.Hour
	// skew is how wrong the clock of a gateway may be that sees a new certificate.
	skew = 24 * time.Hour
)

// errClock says that this machine's clock cannot be right. Test with errors.Is.
var errClock = errors.New("the clock of this machine is wrong: set it, as with timedatectl set-ntp true, and run this again")

// An authority vouches for the broker. Its private key never leaves the machine.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// readAuthority reads a pair that was made before.
func readAuthority(certFile, keyFile string, now time.Time) (*authority, error) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("the broker's authority: %w: restore both files from a back-up; without them every gateway must be enrolled again", err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !pair.Leaf.IsCA {
		return nil, fmt.Errorf("the broker's authority: %s is no authority of this command: restore it from a back-up", certFile)
	}
	switch {
	case now.Before(pair.Leaf.NotBefore):
		return nil, fmt.Errorf("it is %s here, and the broker's authority was made later: %w", now.Format(time.DateOnly), errClock)
	case now.After(pair.Leaf.NotAfter):
		return nil, fmt.Errorf("the broker's authority ended on %s: remove %s and %s, run this again, and enrol every gateway again",
			pair.Leaf.NotAfter.Format(time.DateOnly), certFile, keyFile)
	}
	return &authority{pair.Leaf, key}, nil
}

// newAuthority makes one that lasts ten years.
func newAuthority(now time.Time) (*authority, error) {
	return issue(nil, &x509.Certificate{
		Subject: pkix.Name{CommonName: "XnetRoseraie broker authority"}, IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, NotBefore: now.Add(-skew), NotAfter: now.AddDate(authorityYears, 0, 0)})
}

// server makes the broker's certificate, for the names and addresses by which it
// is reached.
func (a *authority) server(hosts []string, now time.Time) (*authority, error) {
	ends := now.AddDate(serverYears, 0, 0)
	if ends.After(a.certificate.NotAfter) {
		ends = a.certificate.NotAfter
	}
	c := &x509.Certificate{Subject: pkix.Name{CommonName: hosts[0]}, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		NotBefore: now.Add(-skew), NotAfter: ends}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, host)
		}
	}
	return issue(a, c)
}

// issue signs a certificate for a new key; without a signer the key signs itself.
func issue(signer *authority, c *x509.Certificate) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if c.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return nil, err
	}
	if signer == nil {
		signer = &authority{c, key}
	}
	raw, err := x509.CreateCertificate(rand.Reader, c, signer.certificate, &key.PublicKey, signer.key)
	if err != nil {
		return nil, err
	}
	made, err := x509.ParseCertificate(raw)
	return &authority{made, key}, err
}

// pem returns certificate and key as files hold them.
func (a *authority) pem() (certificate, key []byte, err error) {
	raw, err := x509.MarshalPKCS8PrivateKey(a.key)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), err
}

// due says why the broker needs a new certificate, "" where it needs none.
func (a *authority) due(certFile, keyFile string, hosts []string, now time.Time) string {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "there is none"
	case err != nil:
		return "it cannot be read"
	case pair.Leaf.CheckSignatureFrom(a.certificate) != nil:
		return "another authority signed it"
	case now.Add(serverDue).After(pair.Leaf.NotAfter) && pair.Leaf.NotAfter.Before(a.certificate.NotAfter):
		return "it ends on " + pair.Leaf.NotAfter.Format(time.DateOnly)
	}
	for _, host := range hosts {
		if pair.Leaf.VerifyHostname(host) != nil {
			return "it does not name " + host
		}
	}
	return ""
}

// hosts are all names by which the broker's certificate may be asked for.
func (a Answers) hosts() []string {
	hosts := slices.Clone(a.Broker)
	for _, own := range []string{"localhost", "127.0.0.1"} {
		if !slices.Contains(hosts, own) {
			hosts = append(hosts, own)
		}
	}
	return hosts
}
