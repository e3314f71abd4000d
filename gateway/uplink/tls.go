package uplink

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// tls returns how to speak TLS, nil where the system's defaults do. It reads the
// files anew at each call.
func (o Options) tls() (*tls.Config, error) {
	if o.CAFile == "" && o.CertificateFile == "" {
		return nil, nil //nolint:nilnil // the library takes nil for its defaults
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.CAFile != "" {
		text, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("broker.ca_file: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("broker.ca_file: %s holds no certificate: want PEM", o.CAFile)
		}
	}
	if o.CertificateFile != "" {
		pair, err := tls.LoadX509KeyPair(o.CertificateFile, o.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("broker.certificate_file and key_file: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
