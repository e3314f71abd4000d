package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file of temperatures comes in as a whole or not at all, and each of its faults
// is named with its line.
func TestImportTemperaturesCommand(t *testing.T) {
	folder := t.TempDir()
	env := environment(map[string]string{"XNET_API_DATABASE_DSN": filepath.Join(folder, "x.db"), "XNET_API_ADVISOR_NAME": "Claire", "XNET_API_ADVISOR_TELEPHONE": "02 41 00 00 00"})
	command(t, env, "load", "testdata/residence.yaml")
	file := filepath.Join(folder, "outdoors.csv")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("date;min_c;max_c\n2026-01-01;-2,5;4\n2026-01-02;1;7\n")
	for _, tt := range []struct{ args, want string }{
		{"--residence roseraie --dry-run", "2 days checked, nothing stored"},
		{"--residence roseraie", "2 days stored for residence roseraie"},
		{"--residence roseraie", "2 days stored for residence roseraie"},
	} {
		args := append([]string{"import-temperatures"}, strings.Fields(tt.args)...)
		if said := command(t, env, append(args, file)...); said != tt.want+"\n" {
			t.Errorf("it says %q, want %q", said, tt.want)
		}
	}
	for _, tt := range []struct {
		name, text, residence string
		want                  []string
	}{
		{"two faults", "date,min_c,max_c\n2026-01-01,1,5\n2026-02-30,1,2\n2026-01-03,9,2\n", "roseraie", []string{"nothing was stored", "line 3", "line 4"}},
		{"another header", "day,min,max\n", "roseraie", []string{"line 1", "date,min_c,max_c"}},
		{"an unknown residence", "date,min_c,max_c\n2026-01-01,1,5\n", "lilas", []string{"nothing was stored", `"lilas" is not known`}},
	} {
		write(tt.text)
		var said bytes.Buffer
		err := run(t.Context(), []string{"import-temperatures", "--residence", tt.residence, file}, env, &said)
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) || said.Len() > 0 {
				t.Errorf("%s: error %v, said %q, want %q", tt.name, err, said.String(), want)
			}
		}
	}
	if err := run(t.Context(), []string{"import-temperatures", "--residence", "roseraie", filepath.Join(folder, "none.csv")}, env, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "none.csv") {
		t.Errorf("no file: %v", err)
	}
}

// Sources of the weather are checked with the configuration.
func TestWeatherConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "api.yaml")
	text := "advisor: {name: Claire, telephone: \"02 41 00 00 00\"}\nweather:\n" +
		"  - {residence: R, url: \"https://weather.example/days?from={from}&to={to}\", format: json, rows: data, day: date, lowest: tn, highest: tx, timeout: 10s}\n"
	for _, tt := range []struct{ text, want string }{{text, ""}, {strings.Replace(text, "json", "xml", 1), `format "xml": want json or csv`}} {
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := run(t.Context(), []string{"check-config", "--config", file}, environment(nil), &bytes.Buffer{})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
}
