package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/api/premises/stock"
)

// Both files say the same, without a fault: else one import would do less.
func TestFormatsAgree(t *testing.T) {
	const dwellings = 700
	var tables []stock.Table
	for _, f := range formats {
		file, err := f.write(dwellings)
		if err != nil {
			t.Fatal(err)
		}
		table := stock.Read(file, nil)
		if table.FaultCount > 0 || len(table.Rows) != dwellings {
			t.Fatalf("%s: %d rows, faults %+v", f.name, len(table.Rows), table.Faults)
		}
		tables = append(tables, table)
	}
	for n, row := range tables[0].Rows {
		if other := tables[1].Rows[n]; row != other {
			t.Fatalf("row %d: %+v as %s, %+v as %s", n, row, formats[0].name, other, formats[1].name)
		}
	}
}

// The whole at a small size: the program is built, serves and imports.
func TestRows(t *testing.T) {
	t.Chdir("../../..")
	var out, said bytes.Buffer
	err := run(t.Context(), []string{"--only", "registry-read,import-600", "--dwellings", "60", "--rate", "20", "--span", "1s", "--repeat", "1"}, &out, &said)
	if err != nil && !strings.Contains(err.Error(), "not every goal was met") { // a busy machine is slow
		t.Fatalf("%v\n%s", err, &said)
	}
	for _, want := range []string{`{"bench":"registry-read","ours":`, "0 errors of 20", `{"bench":"import-600","ours":`, `"limit":`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it prints no %q:\n%s", want, &out)
		}
	}
}
