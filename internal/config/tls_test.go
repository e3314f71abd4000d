package config_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

func TestTLS(t *testing.T) {
	a := testkit.NewAuthority(t, "the landlord's")
	a.Issue(t, "own", &x509.Certificate{Subject: pkix.Name{CommonName: "collector"}})
	ca, own, key, none := a.File("ca.crt"), a.File("own.crt"), a.File("own.key"), filepath.Join(t.TempDir(), "none.crt")
	for _, tt := range []struct {
		name          string
		ca, cert, key string
		fault         string
	}{
		{"nothing named", "", "", "", ""},
		{"authority and certificate", ca, own, key, ""},
		{"certificate without its key", ca, own, "", "certificate_file and key_file, or none"},
		{"key without its certificate", ca, "", key, "certificate_file and key_file, or none"},
		{"authority that is missing", none, "", "", "ca_file: open " + none},
		{"authority that is a key", key, "", "", "holds no certificate: want PEM"},
		{"another's key", ca, own, a.File("ca.key"), "certificate_file and key_file: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := config.TLS(tt.ca, tt.cert, tt.key)
			switch {
			case tt.fault == "" && (err != nil || (c == nil) != (tt.ca == "")):
				t.Errorf("got %v, %v", c, err)
			case tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)):
				t.Errorf("error %v, want one with %q", err, tt.fault)
			}
		})
	}
}

// A certificate that has ended is told with its remedy; nothing else is touched.
func TestExplained(t *testing.T) {
	own := func(end time.Time) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{{Leaf: &x509.Certificate{NotAfter: end}}}} //nolint:gosec // never spoken
	}
	alert := &net.OpError{Op: "remote error", Err: errors.New("tls: expired certificate")}
	old, good := own(time.Now().Add(-time.Hour)), own(time.Now().Add(time.Hour))
	for _, tt := range []struct {
		name   string
		err    error
		own    *tls.Config
		remedy string
	}{
		{"theirs", fmt.Errorf("network Error : %w", x509.CertificateInvalidError{Reason: x509.Expired}), nil, "xnet-setup"},
		{"ours", fmt.Errorf("network Error : %w", alert), old, "certificate_file"},
		{"ours is refused for another reason", alert, good, ""},
		{"there is none of ours", alert, nil, ""},
		{"another fault of theirs", x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign}, old, ""},
		{"no certificate at all", errors.New("connection refused"), old, ""},
	} {
		got := config.Explained(tt.err, tt.own)
		if !errors.Is(got, tt.err) || !strings.Contains(got.Error(), tt.remedy) || tt.remedy == "" && got.Error() != tt.err.Error() {
			t.Errorf("%s: %v, want %v and %q", tt.name, got, tt.err, tt.remedy)
		}
	}
	if err := config.Explained(nil, old); err != nil {
		t.Errorf("of no error: %v", err)
	}
}
