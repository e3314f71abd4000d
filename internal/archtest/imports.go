package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// A ban says what the packages below a folder must not reach. An import counts
// where the package itself or a package of this module that it needs has it;
// what other modules import is their affair.
type ban struct {
	from string   // folder
	to   []string // folders of this module, or paths of other modules' packages
	why  string
}

var bans = []ban{
	{"internal/metering", []string{"net", "os", "database", "io/fs", "syscall"}, "the domain does no input or output"},
	{"internal/metering", []string{"internal"}, "the domain depends on nothing"},
	{"internal/wire", []string{"internal/influx", "internal/influxd"}, "payloads know no store"},
	{"internal/influx", []string{"internal/wire"}, "the store knows no payloads"},
	{"internal", []string{"gateway", "collector", "api", "dashboards", "deploy", "firmware-config"}, "internal packages serve programs and know none"},
	{"firmware-config", []string{"gateway", "collector", "api", "dashboards", "deploy"}, "the gateway's configuration knows no program"},
	{"gateway", []string{"api", "collector", "dashboards", "deploy", "github.com/labstack", "database/sql"}, "programs never import programs, and a gateway has no database or pages"},
	{"collector", []string{"api", "gateway", "dashboards", "deploy"}, "programs never import programs"},
	{"api", []string{"gateway", "collector", "deploy"}, "programs never import programs"},
	{"dashboards", []string{"gateway", "collector", "deploy"}, "pages ask the api's areas"},
	{"api/*", []string{"dashboards"}, "only api's main knows the pages"},
}

// Imports holds that imports go one way: metering, then wire and influx, then
// the programs; the api's areas, then the dashboards, then the api's main.
// Tests are free.
func Imports(t Tree) []string {
	faults := onlyStandard(t)
	reached := reach(t)
	for _, b := range bans {
		for _, p := range t.Packages {
			if !below(p.Path, b.from) {
				continue
			}
			for _, imported := range reached[p.Path] {
				if b.forbids(p.Path, imported) {
					faults = append(faults, fmt.Sprintf("%s reaches %s: %s", p.Path, imported, b.why))
				}
			}
		}
	}
	slices.Sort(faults)
	return slices.Compact(faults)
}

func (b ban) forbids(from, imported string) bool {
	own, isOwn := strings.CutPrefix(imported, Module+"/")
	for _, to := range b.to {
		switch {
		case isOwn && own != from && below(own, to) && !below(own, b.from):
			return true
		case !isOwn && (imported == to || strings.HasPrefix(imported, to+"/")):
			return true
		}
	}
	return false
}

// below reports whether folder is root or below it; root "api/*" means below
// api only.
func below(folder, root string) bool {
	if parent, ok := strings.CutSuffix(root, "/*"); ok {
		return strings.HasPrefix(folder, parent+"/")
	}
	return folder == root || strings.HasPrefix(folder, root+"/")
}

// onlyStandard holds that the domain imports the standard library only.
func onlyStandard(t Tree) []string {
	var faults []string
	for _, p := range t.Packages {
		if !below(p.Path, "internal/metering") {
			continue
		}
		for imported := range direct(p) {
			if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") {
				faults = append(faults, fmt.Sprintf("%s imports %s: the domain uses the standard library only", p.Path, imported))
			}
		}
	}
	return faults
}

// direct is the set of imports of a package without its tests.
func direct(p Package) map[string]bool {
	imports := map[string]bool{}
	for _, f := range p.Files {
		for _, imported := range f.Imports {
			if !f.Test {
				imports[imported] = true
			}
		}
	}
	return imports
}

// reach maps each package's folder to its imports and those of the module's
// packages among them, and so on, sorted.
func reach(t Tree) map[string][]string {
	imports := map[string]map[string]bool{}
	for _, p := range t.Packages {
		imports[p.Path] = direct(p)
	}
	reached := map[string][]string{}
	for _, p := range t.Packages {
		seen := map[string]bool{}
		var visit func(folder string)
		visit = func(folder string) {
			for imported := range imports[folder] {
				if seen[imported] {
					continue
				}
				seen[imported] = true
				if own, ok := strings.CutPrefix(imported, Module+"/"); ok {
					visit(own)
				}
			}
		}
		visit(p.Path)
		for imported := range seen {
			reached[p.Path] = append(reached[p.Path], imported)
		}
		slices.Sort(reached[p.Path])
	}
	return reached
}

// areas are the api's areas in the order in which they may import one another.
var areas = []string{"accounts", "premises", "meters", "consent", "consumption", "charges", "alerts", "tips",
	"computers", "training", "programme"}

// support are the api's packages that serve the areas and know none.
var support = []string{"sqldb", "problem", "resource", "document", "notify"}

// Areas holds that an area of the api imports only areas that stand before it,
// and that what serves them imports none.
func Areas(t Tree) []string {
	var faults []string
	for _, p := range t.Packages {
		own, ok := area(p.Path)
		if !ok {
			continue
		}
		for imported := range direct(p) {
			other, ok := area(strings.TrimPrefix(imported, Module+"/"))
			if !ok || !strings.HasPrefix(imported, Module) || other == own {
				continue
			}
			if rank(other) > rank(own) {
				faults = append(faults, fmt.Sprintf("%s imports api/%s, which stands after it in the order of areas", p.Path, other))
			}
		}
	}
	slices.Sort(faults)
	return faults
}

// area returns the area or supporting package of the api that folder is in.
func area(folder string) (string, bool) {
	rest, ok := strings.CutPrefix(folder, "api/")
	name, _, _ := strings.Cut(rest, "/")
	return name, ok && (slices.Contains(areas, name) || slices.Contains(support, name))
}

// rank is 0 for what serves the areas, then the areas' order from 1.
func rank(name string) int { return slices.Index(areas, name) + 1 }

// Testkit holds that programs do not contain the servers of tests. Packages
// named for it, as in sqldbtest, and what runs the tests, in .ci, are part of them.
func Testkit(t Tree) []string {
	var faults []string
	for folder, imports := range reach(t) {
		if below(folder, "internal/testkit") || strings.HasSuffix(folder, "test") || folder == ".ci" {
			continue
		}
		for _, imported := range imports {
			if below(strings.TrimPrefix(imported, Module+"/"), "internal/testkit") {
				faults = append(faults, fmt.Sprintf("%s reaches internal/testkit outside a test", folder))
			}
		}
	}
	slices.Sort(faults)
	return faults
}
