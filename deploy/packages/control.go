package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// control writes what dpkg reads: the package's card, its checksums, its scripts.
func (t *staging) control() error {
	sums, kilobytes, err := t.sums()
	if err != nil {
		return err
	}
	var card strings.Builder
	line := func(key, text string) {
		if text != "" {
			fmt.Fprintf(&card, "%s: %s\n", key, text)
		}
	}
	line("Package", t.pack.name)
	line("Version", t.Version)
	line("Architecture", t.arch.name)
	line("Maintainer", maintainer)
	line("Installed-Size", fmt.Sprint(kilobytes))
	line("Depends", t.depends)
	line("Recommends", t.recommends)
	line("Section", "web")
	line("Priority", "optional")
	line("Homepage", homepage)
	line("Description", t.summary)
	for i, paragraph := range t.about {
		if i > 0 {
			card.WriteString(" .\n")
		}
		card.WriteString(folded(paragraph))
	}
	files := map[string]string{"control": card.String(), "md5sums": sums}
	if len(t.conffiles) > 0 {
		files["conffiles"] = strings.Join(slices.Sorted(maps.Keys(t.conffiles)), "\n") + "\n"
	}
	for name, text := range files {
		if err := t.put("/DEBIAN/"+name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return t.scripts()
}

// width is how long a line of a description may be.
const width = 78

// folded breaks a paragraph of a description into lines.
func folded(paragraph string) string {
	var text strings.Builder
	length := 0
	for _, word := range strings.Fields(paragraph) {
		switch {
		case length == 0:
		case length+1+len(word) > width:
			text.WriteString("\n")
			length = 0
		}
		text.WriteString(" " + word)
		length += 1 + len(word)
	}
	return text.String() + "\n"
}

// scripts joins what each package does with what all do with their units.
func (t *staging) scripts() error {
	for _, name := range []string{"postinst", "prerm", "postrm"} {
		text := "#!/bin/sh\nset -e\n"
		own, err := os.ReadFile("deploy/packages/scripts/" + t.pack.name + "." + name)
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		units, err := os.ReadFile("deploy/packages/scripts/units." + name)
		if err != nil {
			return err
		}
		text += string(own) + strings.ReplaceAll(string(units), "@UNITS@", strings.Join(t.started, " "))
		if err := t.put("/DEBIAN/"+name, []byte(text), 0o755); err != nil {
			return err
		}
	}
	return nil
}
