package archtest

import "fmt"

// The longest that each may be, in lines.
const (
	maxFile      = 400
	maxOtherFile = 600 // tests and generated files
	maxFunction  = 60
	maxMain      = 80
	maxReadme    = 60
)

// FileLength holds that a Go file has at most 400 lines, a test or a generated
// one 600.
func FileLength(t Tree) []string {
	var faults []string
	for _, f := range files(t) {
		limit := maxFile
		if f.Test || f.Generated {
			limit = maxOtherFile
		}
		if f.Lines > limit {
			faults = append(faults, fmt.Sprintf("%s has %d lines: split it below %d", f.Path, f.Lines, limit))
		}
	}
	return faults
}

// FunctionLength holds that a function has at most 60 lines, but for tests and
// generated files.
func FunctionLength(t Tree) []string {
	var faults []string
	for _, f := range files(t) {
		if f.Test || f.Generated {
			continue
		}
		for _, function := range f.Functions {
			if function.Lines > maxFunction {
				faults = append(faults, fmt.Sprintf("%s:%d: %s has %d lines: split it below %d",
					f.Path, function.Line, function.Name, function.Lines, maxFunction))
			}
		}
	}
	return faults
}

// MainLength holds that the main.go of a program has at most 80 lines.
func MainLength(t Tree) []string {
	var faults []string
	for _, p := range t.Packages {
		for _, f := range p.Files {
			if p.Name == "main" && f.Path == p.file("main.go") && f.Lines > maxMain {
				faults = append(faults, fmt.Sprintf("%s has %d lines: keep main below %d", f.Path, f.Lines, maxMain))
			}
		}
	}
	return faults
}

func (p Package) file(name string) string {
	if p.Path == "." {
		return name
	}
	return p.Path + "/" + name
}

func files(t Tree) []File {
	var all []File
	for _, p := range t.Packages {
		all = append(all, p.Files...)
	}
	return all
}
