package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
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
