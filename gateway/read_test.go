package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadOneMeter(t *testing.T) {
	url := serveMeters(t, map[byte]string{2: "sdm630", 4: "itron-cf-echo", 5: "pulse-counter-4"})
	for _, tt := range []struct {
		name string
		args []string
		want []string // beginnings of lines, without their latency
	}{
		{"integers and floats", []string{"--slave", "2", "--profile", "sdm630"},
			[]string{"sdm630 2 0x0034 power 840 W 44521000", "sdm630 2 0x0048 index 8191500 Wh 45FFFC00"}},
		{"no value", []string{"--slave", "4", "--profile", "itron-cf-echo"},
			[]string{"itron-cf-echo 4 0x0002 index 8765000 Wh", "itron-cf-echo 4 0x0006 power none - 497423F0"}},
		{"counts", []string{"--slave", "5", "--profile", "pulse-counter-4"},
			[]string{"channel-1 5 0x0000 index 123456 counts 0001E240", "channel-4 5 0x0006 index 1 counts"}},
		{"weighed counts", []string{"--slave", "5", "--profile", "pulse-counter-4", "--weight", "1000"},
			[]string{"channel-1 5 0x0000 index 123456000 mL 0001E240"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stdout, _, err := runBare(t, append([]string{"read", "--url", url}, tt.args...)...)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for l := range strings.Lines(stdout) {
				got += strings.Join(strings.Fields(l), " ") + "\n"
			}
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in:\n%s", want, got)
				}
			}
		})
	}
}

func TestReadFaults(t *testing.T) {
	url := serveMeters(t, map[byte]string{2: "eltako-dsz15"})
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"no such slave", []string{"--url", url, "--slave", "9", "--profile", "sdm630", "--timeout", "30ms"}, "2 of 2 quantities could not be read"},
		{"registers that the meter lacks", []string{"--url", url, "--slave", "2", "--profile", "abb-b23"}, "2 of 2 quantities could not be read"},
		{"unknown profile", []string{"--url", url, "--slave", "2", "--profile", "sdm9000"}, "known are"},
		{"slave missing", []string{"--url", url, "--profile", "sdm630"}, "--slave"},
		{"line missing", []string{"--slave", "2", "--profile", "sdm630"}, "--url"},
		{"kind", []string{"--url", url, "--slave", "2", "--profile", "pulse-counter-4", "--kind", "steam"}, "steam"},
		{"line is down", []string{"--url", "tcp://127.0.0.1:1", "--slave", "2", "--profile", "sdm630"}, "line is down"},
		{"no configuration", nil, "none.yaml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := runBare(t, append([]string{"read"}, tt.args...)...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestReadTheConfiguredMeters(t *testing.T) {
	url, dir := serveMeters(t, map[byte]string{2: "sdm630", 5: "pulse-counter-4"}), t.TempDir()
	text := `site: s
gateway: g
buses:
  - url: ` + url + `
    devices:
      - {slave: 2, profile: sdm630, meters: [{id: EL-1}]}
      - slave: 5
        profile: pulse-counter-4
        meters: [{id: CW-1, kind: cold_water, channel: 1, pulse_ml: 1000, start_index: 44000}]
`
	file := filepath.Join(dir, "gateway.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	read := func(args ...string) (string, error) {
		var out, errs bytes.Buffer
		err := run(t.Context(), append([]string{"--config", file, "read"}, args...), func(string) string { return "" }, &out, &errs)
		return out.String(), err
	}
	stdout, err := read()
	if err != nil {
		t.Fatal(err)
	}
	if got := line(stdout, "CW-1"); !strings.HasPrefix(got, "CW-1 5 0x0000 index 123500000 mL 0001E240") {
		t.Errorf("water: %q", got)
	}
	if !strings.Contains(stdout, "EL-1") {
		t.Errorf("output:\n%s", stdout)
	}
	if stdout, err = read("CW-1"); err != nil || strings.Contains(stdout, "EL-1") {
		t.Errorf("only CW-1: %v\n%s", err, stdout)
	}
	if _, err = read("CW-9"); err == nil || !strings.Contains(err.Error(), "no meter CW-9") {
		t.Errorf("got %v, want the missing meter named", err)
	}
}
