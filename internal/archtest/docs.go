package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// documentedShare is the share of exported names that must bear a comment.
const documentedShare = 0.95

// PackageComment holds that every package has exactly one package comment.
// Folders that hold only tests need none.
func PackageComment(t Tree) []string {
	var faults []string
	for _, p := range t.Packages {
		var sources, comments int
		for _, f := range p.Files {
			if f.Test {
				continue
			}
			sources++
			if f.PackageDoc {
				comments++
			}
		}
		if sources > 0 && comments != 1 {
			faults = append(faults, fmt.Sprintf("%s has %d package comments, want one", p.Path, comments))
		}
	}
	return faults
}

// ExportedNames holds that 95 of 100 exported names outside programs bear a
// comment. Where too few do, the faults are all that bear none.
func ExportedNames(t Tree) []string {
	var faults []string
	total := 0
	for _, p := range t.Packages {
		if p.Name == "main" {
			continue
		}
		for _, f := range p.Files {
			if f.Test || f.Generated {
				continue
			}
			for _, name := range f.Identifiers {
				total++
				if !name.Documented {
					faults = append(faults, fmt.Sprintf("%s:%d: %s has no comment", f.Path, name.Line, name.Name))
				}
			}
		}
	}
	if float64(total-len(faults)) >= documentedShare*float64(total) {
		return nil
	}
	return faults
}

// emptyNames say nothing of what a package is about.
var emptyNames = []string{"util", "utils", "common", "helper", "helpers", "model", "models", "type", "types",
	"service", "services", "misc", "base", "shared"}

// PackageNames holds that a package is named for what it is about.
func PackageNames(t Tree) []string {
	var faults []string
	for _, p := range t.Packages {
		if slices.Contains(emptyNames, strings.ToLower(p.Name)) {
			faults = append(faults, fmt.Sprintf("%s: package name %s says nothing of what it is about", p.Path, p.Name))
		}
	}
	return faults
}
