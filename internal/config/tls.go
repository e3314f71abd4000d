package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"
)

// TLS returns how to speak TLS with a server, nil where the system's defaults do.
// CaFile holds the certificates (PEM) that may vouch for the server, the system's
// where it is empty; certificateFile and keyFile (PEM) are one's own, both or none.
// The files are read at each call. Errors name the key of the configuration below
// the server's, the file and the remedy.
func TLS(caFile, certificateFile, keyFile string) (*tls.Config, error) {
	if (certificateFile == "") != (keyFile == "") {
		return nil, errors.New("name certificate_file and key_file, or none of the two")
	}
	if caFile == "" && certificateFile == "" {
		return nil, nil //nolint:nilnil // libraries take nil for their defaults
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		text, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("ca_file: %s holds no certificate: want PEM", caFile)
		}
	}
	if certificateFile != "" {
		pair, err := tls.LoadX509KeyPair(certificateFile, keyFile)
		if err != nil {
			return nil, fmt.Errorf("certificate_file and key_file: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// What to do about a certificate whose days are over, or not begun.
const (
	theirsEnded = "if this machine's clock is right, renew the certificate of the server: xnet-setup renews that of the broker"
	oursEnded   = "renew the files of certificate_file and key_file: they are read at the next try"
)

// Explained returns what kept a program that speaks TLS as c says, nil for the
// system's defaults, from a server; with the remedy where a certificate, the
// server's or one's own, has ended. Any other error is returned as it is, and nil
// for none.
func Explained(err error, c *tls.Config) error {
	if theirs, ok := errors.AsType[x509.CertificateInvalidError](err); ok && theirs.Reason == x509.Expired {
		return fmt.Errorf("%w: %s", err, theirsEnded)
	}
	if refused, ok := errors.AsType[*net.OpError](err); ok && refused.Op == "remote error" && ended(c) {
		return fmt.Errorf("%w: %s", err, oursEnded)
	}
	return err
}

// ended reports whether a certificate of one's own has.
func ended(c *tls.Config) bool {
	return c != nil && slices.ContainsFunc(c.Certificates, func(own tls.Certificate) bool { return own.Leaf != nil && own.Leaf.NotAfter.Before(time.Now()) })
}
