package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const testConfig = `site: s
gateway: g
clock: {trust: always}
spool: {dir: SPOOL}
imported: [{id: EL-1, kind: electricity, resolution: fine}]
`

// gatewayRun runs the program with a configuration whose spool is new.
func gatewayRun(t *testing.T, dir string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	config := filepath.Join(dir, "gateway.yaml")
	text := strings.Replace(testConfig, "SPOOL", filepath.Join(dir, "spool"), 1)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	err = run(t.Context(), append([]string{"--config", config}, args...), func(string) string { return "" }, &out, &errs)
	return out.String(), errs.String(), err
}

func csvFile(t *testing.T, dir, text string) string {
	t.Helper()
	path := filepath.Join(dir, "log.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestHelp(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"--help"}, os.Getenv, &out, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"run", "import", "spool", "check-config"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("help does not name %s:\n%s", want, out.String())
		}
	}
}

func TestUnknownCommand(t *testing.T) {
	var out bytes.Buffer
	err := run(t.Context(), []string{"fly"}, os.Getenv, &out, &out)
	if err == nil || !strings.Contains(err.Error(), "--help") {
		t.Errorf("got %v, want a pointer to --help", err)
	}
}

func TestCheckConfig(t *testing.T) {
	stdout, _, err := gatewayRun(t, t.TempDir(), "check-config")
	if err != nil || !strings.Contains(stdout, "1 meters") {
		t.Errorf("got %q, %v", stdout, err)
	}
	var out bytes.Buffer
	err = run(t.Context(), []string{"--config", "/nowhere.yaml", "check-config"}, os.Getenv, &out, &out)
	if err == nil || !strings.Contains(err.Error(), "/nowhere.yaml") {
		t.Errorf("got %v, want the missing file named", err)
	}
}

var importArgs = []string{"import", "--meter", "EL-1", "--column", "energy_wh", "--unit", "Wh",
	"--means", "consumption", "--interval", "10m", "--missing", "gap"}

func TestImport(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		args       []string
		spool      string // what waits afterwards
		want       string // in the output or the error
	}{
		{"all good", "time,energy_wh\n2007-01-01T00:00,1.5\n2007-01-01T00:10,2\n", nil, "1 packs", "3 readings"},
		{"bad row", "time,energy_wh\n2007-01-01T00:00,1.5\n2007-01-01T00:10,lots\n", nil, "0 packs", "line 3"},
		{"bad row left out", "time,energy_wh\n2007-01-01T00:00,1.5\n2007-01-01T00:10,lots\n",
			[]string{"--skip-rejected"}, "1 packs", "1 rows left out"},
		{"other column", "time,wh\n2007-01-01T00:00,1.5\n", nil, "0 packs", `no column "energy_wh"`},
		{"empty file", "", nil, "0 packs", "header"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			args := append(append([]string{}, importArgs...), tt.args...)
			stdout, stderr, err := gatewayRun(t, dir, append(args, csvFile(t, dir, tt.text))...)
			said := stdout + stderr
			if err != nil {
				said += err.Error()
			}
			if !strings.Contains(said, tt.want) {
				t.Errorf("said %q, want %q", said, tt.want)
			}
			if stdout, _, err := gatewayRun(t, dir, "spool"); err != nil || !strings.Contains(stdout, tt.spool) {
				t.Errorf("spool: %q, %v, want %s", stdout, err, tt.spool)
			}
		})
	}
}

func TestImportOfAMeterThatIsNotConfigured(t *testing.T) {
	dir := t.TempDir()
	file := csvFile(t, dir, "time,energy_wh\n2007-01-01T00:00,1\n")
	args := append([]string{}, importArgs...)
	args[2] = "EL-2"
	_, stderr, err := gatewayRun(t, dir, append(args, file)...)
	if err == nil || !strings.Contains(stderr, "EL-2 is not in the configuration") {
		t.Errorf("got %v, %q", err, stderr)
	}
}
