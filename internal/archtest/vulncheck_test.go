package archtest_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// vulncheck runs .ci/vulncheck on a module of testdata.
func vulncheck(t *testing.T, module, db string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		testkit.Unavailable(t, "no bash: %v", err)
	}
	command := exec.CommandContext(t.Context(), "bash", ".ci/vulncheck",
		"-C", "internal/archtest/testdata/vulncheck/"+module, "-db", db)
	command.Dir = "../.."
	said, err := command.CombinedOutput()
	if strings.Contains(string(said), "golang.org/x/vuln@") {
		testkit.Unavailable(t, "govulncheck cannot be had: %s", said)
	}
	return string(said), err
}

// The online database answers only where there is a network: the wiring is held
// against one of files, with one invented entry.
func TestVulncheck(t *testing.T) {
	folder, err := filepath.Abs("testdata/vulncheck/db")
	if err != nil {
		t.Fatal(err)
	}
	nobody, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, module, db string
		fails            bool
		want             string
	}{
		{"a finding", "found", "file://" + folder, true, "GO-2026-9999"},
		{"no finding", "clean", "file://" + folder, false, "no known vulnerabilities"},
		{"database does not answer", "found", "http://" + nobody, false, "govulncheck: NOT RUN (its database does not answer)"},
		{"database of files that is missing", "clean", "file://" + filepath.Join(folder, "none"), true, "could not judge"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			said, err := vulncheck(t, tt.module, tt.db)
			if (err != nil) != tt.fails || !strings.Contains(said, tt.want) {
				t.Errorf("ended with %v, want a failure: %t and %q in:\n%s", err, tt.fails, tt.want, said)
			}
		})
	}
}
