package archtest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// folders are what may stand at the top of the repository.
var folders = []string{"internal", "gateway", "collector", "api", "dashboards", "firmware-config", "deploy"}

// Layout holds that nothing but the known folders stands at the top, hidden
// ones aside, and that no Go file stands there.
func Layout(t Tree) []string {
	var faults []string
	for _, text := range t.Texts {
		top, _, inFolder := strings.Cut(text.Path, "/")
		switch {
		case inFolder && !strings.HasPrefix(top, ".") && !slices.Contains(folders, top):
			faults = append(faults, fmt.Sprintf("%s: folder %s is not one of %v", text.Path, top, folders))
		case !inFolder && strings.HasSuffix(top, ".go"):
			faults = append(faults, fmt.Sprintf("%s: Go files stand in folders", text.Path))
		}
	}
	return faults
}

// Readme holds that each folder at the top that has files has a README.md of at
// most 60 lines, and that the repository has one.
func Readme(t Tree) []string {
	var faults []string
	wanted, lines := map[string]bool{"README.md": true}, map[string]int{}
	for _, text := range t.Texts {
		top, rest, inFolder := strings.Cut(text.Path, "/")
		if inFolder && !strings.HasPrefix(top, ".") {
			wanted[top+"/README.md"] = true
		}
		if text.Path == "README.md" || rest == "README.md" {
			lines[text.Path] = strings.Count(text.Content, "\n")
		}
	}
	for file := range wanted {
		n, ok := lines[file]
		switch {
		case !ok:
			faults = append(faults, fmt.Sprintf("%s is missing: say in a page what the folder is for", file))
		case n > maxReadme && file != "README.md":
			faults = append(faults, fmt.Sprintf("%s has %d lines: a page is %d", file, n, maxReadme))
		}
	}
	slices.Sort(faults)
	return faults
}

// banned are the words that no file may hold, each with its reason. They are
// spelled so that this file does not hold them.
var banned = []struct {
	pattern *regexp.Regexp
	why     string
}{
	{regexp.MustCompile(`\b(?:TO` + `DO|FIX` + `ME|XX` + `X)\b`), "do it, or write down why not in DECISIONS.md"},
	{regexp.MustCompile(`(?:^|[^\w.~-])/(?:wo` + `rk|ro` + `ot|ho` + `me/\w+)/`), "a path of one machine"},
	{regexp.MustCompile(`(?i)\b(?:proxy\.gol` + `ang\.org|sum\.gol` + `ang\.org|goproxy\.(?:i` + `o|c` + `n)|` +
		`registry\.npm` + `js\.org|registry\.yarn` + `pkg\.com|py` + `pi\.org|pythonhos` + `ted\.org|` +
		`crat` + `es\.io|deb\.deb` + `ian\.org|ruby` + `gems\.org)`), "the host of a package registry"},
}

// Words holds that no file speaks of unfinished work, of a path of somebody's
// machine, or of the host of a package registry.
func Words(t Tree) []string {
	var faults []string
	for _, text := range t.Texts {
		for _, b := range banned {
			at := b.pattern.FindStringIndex(text.Content)
			if at == nil {
				continue
			}
			line := 1 + strings.Count(text.Content[:at[0]], "\n")
			faults = append(faults, fmt.Sprintf("%s:%d: %q: %s", text.Path, line,
				strings.TrimSpace(text.Content[at[0]:at[1]]), b.why))
		}
	}
	return faults
}
