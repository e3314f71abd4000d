package archtest_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/internal/archtest"
)

// load writes files below a new folder and loads them as a tree.
func load(t *testing.T, files map[string]string) archtest.Tree {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := archtest.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// importing is the text of a file of package name that imports paths; those
// that begin with a dot are of this module.
func importing(name string, paths ...string) string {
	text := "// Package " + name + " is a test.\npackage " + name + "\n"
	for _, p := range paths {
		if own, ok := strings.CutPrefix(p, "./"); ok {
			p = archtest.Module + "/" + own
		}
		text += "import _ \"" + p + "\"\n"
	}
	return text
}

func lines(n int) string { return strings.Repeat("// a line\n", n) }

func TestRulesFindFaults(t *testing.T) {
	const doc = "// Package x is a test.\npackage x\n"
	for _, tt := range []struct {
		name  string
		rule  func(archtest.Tree) []string
		files map[string]string
		want  string // the fault contains it; "" for none
	}{
		{"domain with a network", archtest.Imports, map[string]string{"internal/metering/a.go": importing("metering", "net/http")}, "net/http"},
		{"domain with another module", archtest.Imports, map[string]string{"internal/metering/a.go": importing("metering", "github.com/a/b")}, "github.com/a/b"},
		{"domain with a package of ours", archtest.Imports, map[string]string{"internal/metering/a.go": importing("metering", "./internal/civil")}, "internal/civil"},
		{"domain with time", archtest.Imports, map[string]string{"internal/metering/a.go": importing("metering", "time", "errors")}, ""},
		{"domain whose test prints", archtest.Imports, map[string]string{"internal/metering/a_test.go": importing("metering", "os")}, ""},
		{"wire with a store", archtest.Imports, map[string]string{"internal/wire/a.go": importing("wire", "./internal/influx")}, "internal/wire reaches"},
		{"internal with a program", archtest.Imports, map[string]string{"internal/x/a.go": importing("x", "./gateway/spool")}, "internal/x reaches"},
		{"gateway with pages", archtest.Imports, map[string]string{"gateway/x/a.go": importing("x", "github.com/labstack/echo/v4")}, "labstack"},
		{"gateway with a database", archtest.Imports, map[string]string{"gateway/x/a.go": importing("x", "database/sql")}, "database/sql"},
		{"gateway with a database behind another package", archtest.Imports, map[string]string{
			"gateway/main.go": importing("main", "./internal/x"), "internal/x/a.go": importing("x", "database/sql")}, "gateway reaches database/sql"},
		{"gateway with the collector", archtest.Imports, map[string]string{"gateway/x/a.go": importing("x", "./collector/ingest")}, "collector/ingest"},
		{"gateway with its own", archtest.Imports, map[string]string{"gateway/main.go": importing("main", "./gateway/spool", "./internal/wire", "./firmware-config")}, ""},
		{"collector with the api", archtest.Imports, map[string]string{"collector/main.go": importing("main", "./api/sqldb")}, "api/sqldb"},
		{"api with the gateway", archtest.Imports, map[string]string{"api/main.go": importing("main", "./gateway/spool")}, "gateway/spool"},
		{"area with pages", archtest.Imports, map[string]string{"api/tips/a.go": importing("tips", "./dashboards/web")}, "dashboards/web"},
		{"api's main with pages", archtest.Imports, map[string]string{"api/main.go": importing("main", "./dashboards/tenant")}, ""},
		{"pages with areas", archtest.Imports, map[string]string{"dashboards/tenant/a.go": importing("tenant", "./api/tips")}, ""},
		{"pages with the collector", archtest.Imports, map[string]string{"dashboards/tenant/a.go": importing("tenant", "./collector/rollup")}, "collector/rollup"},
		{"area before its turn", archtest.Areas, map[string]string{"api/premises/a.go": importing("premises", "./api/charges")}, "api/charges"},
		{"area below an area, before its turn", archtest.Areas, map[string]string{"api/premises/b/a.go": importing("b", "./api/charges/c")}, "api/charges"},
		{"area in its turn", archtest.Areas, map[string]string{"api/charges/a.go": importing("charges", "./api/premises", "./api/sqldb", "./api/charges/c")}, ""},
		{"support with an area", archtest.Areas, map[string]string{"api/problem/a.go": importing("problem", "./api/accounts")}, "api/accounts"},
		{"program with test servers", archtest.Testkit, map[string]string{"deploy/demo/main.go": importing("main", "./internal/testkit")}, "deploy/demo"},
		{"test with test servers", archtest.Testkit, map[string]string{"deploy/demo/main_test.go": importing("main", "./internal/testkit")}, ""},
		{"tests' package with test servers", archtest.Testkit, map[string]string{"api/sqldb/sqldbtest/a.go": importing("sqldbtest", "./internal/testkit")}, ""},
		{"program with a tests' package", archtest.Testkit, map[string]string{"api/main.go": importing("main", "./api/sqldb/sqldbtest"),
			"api/sqldb/sqldbtest/a.go": importing("sqldbtest", "./internal/testkit")}, "api reaches"},
		{"file of 401 lines", archtest.FileLength, map[string]string{"api/x/a.go": doc + lines(399)}, "401 lines"},
		{"file of 400 lines", archtest.FileLength, map[string]string{"api/x/a.go": doc + lines(398)}, ""},
		{"test of 600 lines", archtest.FileLength, map[string]string{"api/x/a_test.go": doc + lines(598)}, ""},
		{"test of 601 lines", archtest.FileLength, map[string]string{"api/x/a_test.go": doc + lines(599)}, "601 lines"},
		{"generated file of 601 lines", archtest.FileLength, map[string]string{"api/x/a.go": "// Code generated by x. DO NOT EDIT.\n\n" + doc + lines(597)}, "601 lines"},
		{"generated file of 500 lines", archtest.FileLength, map[string]string{"api/x/a.go": "// Code generated by x. DO NOT EDIT.\n\n" + doc + lines(496)}, ""},
		{"function of 61 lines", archtest.FunctionLength, map[string]string{"api/x/a.go": doc + "func f() {\n" + lines(59) + "}\n"}, "f has 61 lines"},
		{"function of 60 lines", archtest.FunctionLength, map[string]string{"api/x/a.go": doc + "func f() {\n" + lines(58) + "}\n"}, ""},
		{"main of 81 lines", archtest.MainLength, map[string]string{"gateway/main.go": "package main\n" + lines(80)}, "81 lines"},
		{"other file of a program", archtest.MainLength, map[string]string{"gateway/run.go": "package main\n" + lines(80)}, ""},
		{"no package comment", archtest.PackageComment, map[string]string{"api/x/a.go": "package x\n"}, "0 package comments"},
		{"two package comments", archtest.PackageComment, map[string]string{"api/x/a.go": doc, "api/x/b.go": doc}, "2 package comments"},
		{"tests only", archtest.PackageComment, map[string]string{"deploy/e2e/a_test.go": "package e2e\n"}, ""},
		{"undocumented function", archtest.ExportedNames, map[string]string{"api/x/a.go": doc + "func F() {}\n"}, "F has no comment"},
		{"undocumented method", archtest.ExportedNames, map[string]string{"api/x/a.go": doc + "// T is.\ntype T[A any] struct{}\nfunc (t *T[A]) M() {}\n"}, "M has no comment"},
		{"undocumented constant", archtest.ExportedNames, map[string]string{"api/x/a.go": doc + "const C = 1\n"}, "C has no comment"},
		{"documented names", archtest.ExportedNames, map[string]string{"api/x/a.go": doc + "// The one.\nconst (\nC = 1\n)\n\ntype t int\n\nfunc (t) M() {}\n"}, ""},
		{"a program's names", archtest.ExportedNames, map[string]string{"gateway/main.go": "package main\nfunc F() {}\n"}, ""},
		{"a name that says nothing", archtest.PackageNames, map[string]string{"api/helpers/a.go": importing("helpers")}, "helpers"},
		{"unknown folder", archtest.Layout, map[string]string{"pkg/a.txt": ""}, "pkg/a.txt"},
		{"Go at the top", archtest.Layout, map[string]string{"a.go": "package a\n"}, "a.go"},
		{"known folders", archtest.Layout, map[string]string{"deploy/demo/a.go": doc, ".ci/run": "", "Makefile": ""}, ""},
		{"no page for a folder", archtest.Readme, map[string]string{"README.md": "", "api/a.go": doc}, "api/README.md is missing"},
		{"no page for the whole", archtest.Readme, map[string]string{"api/README.md": ""}, "README.md is missing"},
		{"page too long", archtest.Readme, map[string]string{"README.md": "", "api/README.md": lines(61)}, "61 lines"},
		{"pages", archtest.Readme, map[string]string{"README.md": lines(99), "api/README.md": lines(60), ".ci/run": ""}, ""},
		{"unfinished work", archtest.Words, map[string]string{"api/a.go": doc + "// TO" + "DO: more\n"}, "api/a.go:3"},
		{"somebody's machine", archtest.Words, map[string]string{"Makefile": "X = /ro" + "ot/bin\n"}, "one machine"},
		{"somebody's home", archtest.Words, map[string]string{"a.md": "see /ho" + "me/ann/x\n"}, "one machine"},
		{"a registry's host", archtest.Words, map[string]string{".ci/x": "curl https://proxy.gol" + "ang.org/\n"}, "package registry"},
		{"plain words", archtest.Words, map[string]string{"a.md": "the network/ at work/rest, todo lists, https://example.org/root/x\n"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.rule(load(t, tt.files))
			found := slices.ContainsFunc(got, func(fault string) bool { return strings.Contains(fault, tt.want) })
			if (tt.want == "") != (len(got) == 0) || tt.want != "" && !found {
				t.Errorf("faults %q, want one with %q", got, tt.want)
			}
		})
	}
}

// A tree that cannot be read must not pass as one without faults.
func TestLoadRefusesWhatIsNotGo(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.go"), []byte("package"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := archtest.Load(dir); err == nil || !strings.Contains(err.Error(), "a.go") {
		t.Errorf("error %v, want one that names the file", err)
	}
	if _, err := archtest.Load(filepath.Join(dir, "none")); err == nil {
		t.Error("a missing folder loads")
	}
}
