package figures_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/internal/figures"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

func TestCertificateEnd(t *testing.T) {
	authority := testkit.NewAuthority(t, "xnet")
	end, err := figures.CertificateEnd(authority.File("ca.crt"))
	if left := time.Until(end); err != nil || left < 50*time.Minute || left > time.Hour {
		t.Errorf("end = %s, %v, want within the hour", end, err)
	}
	for _, file := range []string{"ca.key", "none"} {
		if _, err := figures.CertificateEnd(authority.File(file)); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", file, err)
		}
	}
	if _, err := figures.CertificateEnd(authority.File("ca.key")); !errors.Is(err, figures.ErrNoCertificate) {
		t.Errorf("a key: %v, want %v", err, figures.ErrNoCertificate)
	}
}

func TestStandingTellsEndsAndRoom(t *testing.T) {
	authority := testkit.NewAuthority(t, "xnet")
	folder := t.TempDir()
	broken := filepath.Join(folder, "broken.pem")
	if err := os.WriteFile(broken, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := figures.NewStanding([]string{authority.File("ca.crt"), "", broken, broken}, []string{folder, "", filepath.Join(folder, "none")})
	counts := map[string]int{}
	registry := prometheus.NewRegistry()
	registry.MustRegister(s)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		counts[f.GetName()] = len(f.GetMetric())
	}
	want := map[string]int{"xnet_certificate_end_timestamp_seconds": 2, "xnet_disk_free_bytes": 1, "xnet_disk_size_bytes": 1}
	if diff := cmp.Diff(want, counts); diff != "" { // a folder that is not there has none
		t.Errorf("figures (-want +got):\n%s", diff)
	}
	d, err := figures.DiskOf(folder)
	if err != nil || d.Size == 0 || d.Free > d.Size || d.Full() < 0 || d.Full() > 1 {
		t.Errorf("disk = %+v, %v", d, err)
	}
}
