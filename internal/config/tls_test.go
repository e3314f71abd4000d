package config_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"path/filepath"
	"strings"
	"testing"

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
