package doctor_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/doctor"
	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// What is wrong with a broker is named with its remedy: nobody there, everybody
// let in, no list of rights, a certificate that has ended.
func TestBroker(t *testing.T) {
	dir := t.TempDir()
	passwords, rights := filepath.Join(dir, "passwords"), filepath.Join(dir, "acl")
	if said, err := exec.Command("mosquitto_passwd", "-b", "-c", passwords, "api", "rose").CombinedOutput(); err != nil {
		testkit.Unavailable(t, "mosquitto_passwd: %v: %s", err, said)
	}
	if err := os.WriteFile(rights, []byte("user api\ntopic write xnet/v1/+/registry\ntopic read xnet/v1/+/+/state\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	named := []string{"allow_anonymous false", "password_file " + passwords}
	for _, tt := range []struct {
		name         string
		lines        []string
		password     string
		ends         time.Time // the certificate of the broker, zero: in an hour
		says, remedy string    // no remedy: it is well
	}{
		{"with its list", append(named, "acl_file "+rights), "rose", time.Time{}, `lets "api" in, and nobody without a name`, ""},
		{"without its list", named, "rose", time.Time{}, "has no list of rights", "acl_file"},
		{"for everybody", []string{"allow_anonymous true"}, "rose", time.Time{}, "lets in whoever comes", "allow_anonymous false"},
		{"wrong password", named, "tulip", time.Time{}, `does not let "api" in`, "broker-access"},
		{"certificate that has ended", named, "rose", time.Now().Add(-time.Minute), "certificate has expired", "xnet-setup"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := testkit.NewAuthority(t, "the landlord's")
			a.IssueServerUntil(t, tt.ends)
			trust, err := config.TLS(a.File("ca.crt"), "", "")
			if err != nil {
				t.Fatal(err)
			}
			user := doctor.BrokerUser{URL: a.Mosquitto(t, tt.lines...).URL, Username: "api", Password: tt.password, TLS: trust}
			got, err := said(t, doctor.Broker("api", user))
			if !strings.Contains(got, tt.says) || !strings.Contains(got, tt.remedy) || errors.Is(err, doctor.ErrIll) != (tt.remedy != "") {
				t.Errorf("%v:\n%s\nwant %q and %q", err, got, tt.says, tt.remedy)
			}
		})
	}
}
