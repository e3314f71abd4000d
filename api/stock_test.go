package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestImportStockCommand(t *testing.T) {
	folder := t.TempDir()
	env := environment(map[string]string{"XNET_API_DATABASE_DSN": filepath.Join(folder, "x.db"), "XNET_API_ADVISOR_NAME": "Claire", "XNET_API_ADVISOR_TELEPHONE": "02 41 00 00 00"})
	command(t, env, "load", "testdata/residence.yaml")
	file := filepath.Join(folder, "stock.csv")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("residence;id;label;area_m2\nroseraie;B-1;1;40,5\nroseraie;A-12;12;62,5\n")
	for _, tt := range []struct{ args, want string }{
		{"--dry-run", "2 dwellings checked, nothing stored: 1 new, 0 changed, 1 as before"},
		{"", "2 dwellings stored: 1 new, 0 changed, 1 as before"},
		{"", "2 dwellings stored: 0 new, 0 changed, 2 as before"},
	} {
		args := append([]string{"import-stock"}, strings.Fields(tt.args)...)
		if said := command(t, env, append(args, file)...); said != tt.want+"\n" {
			t.Errorf("it says %q, want %q", said, tt.want)
		}
	}
	write("residence;id;label;area_m2\nroseraie;B-1;1;large\nlilas;B-2;2;40\n")
	var said bytes.Buffer
	err := run(t.Context(), []string{"import-stock", file}, env, &said)
	if err == nil || !strings.Contains(err.Error(), "2 faults: nothing was stored") || !strings.Contains(said.String(), "row 2, column area_m2: Write the area in m², from 0 to 2000.") ||
		!strings.Contains(said.String(), "row 3, column residence: You have no residence “lilas”.") {
		t.Errorf("error %v, said %q", err, said.String())
	}
	if err := run(t.Context(), []string{"import-stock", filepath.Join(folder, "none.csv")}, env, &said); err == nil || !strings.Contains(err.Error(), "none.csv") {
		t.Errorf("no file: %v", err)
	}
}
