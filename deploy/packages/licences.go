package main

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"unicode"
)

// notices are the files in which modules state their licence.
var notices = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([.-].*)?$`)

// readme is where some state it instead, in the words of the licence of MIT.
var readme = regexp.MustCompile(`(?i)^readme([.-].*)?$`)

const granted = "Permission is hereby granted"

// thirdParty returns the licences of all modules that programs were built of, and
// of Go's own library, as their authors wrote them.
func thirdParty(programs []string) ([]byte, error) {
	folders := map[string]string{} // module and version: folder
	cache, err := goEnv("GOMODCACHE")
	if err != nil {
		return nil, err
	}
	root, err := goEnv("GOROOT")
	if err != nil {
		return nil, err
	}
	for _, program := range programs {
		built, err := buildinfo.ReadFile(program)
		if err != nil {
			return nil, fmt.Errorf("modules of %s: %w", program, err)
		}
		folders["Go "+strings.TrimPrefix(built.GoVersion, "go")] = root
		for _, m := range append(built.Deps, &built.Main) {
			if m.Replace != nil {
				m = m.Replace
			}
			if m.Path != ownModule {
				folders[m.Path+" "+m.Version] = filepath.Join(cache, escaped(m))
			}
		}
	}
	var text bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(folders)) {
		if err := state(&text, name, folders[name]); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

const ownModule = "github.com/xnetroseraie/xnet"

func goEnv(name string) (string, error) {
	said, err := exec.Command("go", "env", name).Output()
	return strings.TrimSpace(string(said)), err
}

// escaped is a module's folder in the cache: capitals as ! and a small letter.
func escaped(m *debug.Module) string {
	var folder strings.Builder
	for _, r := range m.Path + "@" + m.Version {
		if unicode.IsUpper(r) {
			folder.WriteByte('!')
		}
		folder.WriteRune(unicode.ToLower(r))
	}
	return filepath.FromSlash(folder.String())
}

// above are modules whose licence their authors state where the Go tool does not
// fetch it: above the module's folder, or in another version.
var above = map[string]string{
	"github.com/apache/arrow/go/arrow": "Apache License 2.0, Copyright the Apache Software Foundation: LICENSE.txt of github.com/apache/arrow.\n" +
		"On Debian systems its text is in /usr/share/common-licenses/Apache-2.0.",
	"github.com/influxdata/line-protocol": "MIT License, Copyright InfluxData Inc., as the module states from its next version on.",
}

// state writes the licence files of one module. A module without any is an error:
// nobody may pass it on.
func state(text *bytes.Buffer, name, folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("licence of %s: %w", name, err)
	}
	found := false
	for _, entry := range entries {
		if entry.IsDir() || !notices.MatchString(entry.Name()) && !readme.MatchString(entry.Name()) {
			continue
		}
		licence, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return fmt.Errorf("licence of %s: %w", name, err)
		}
		if readme.MatchString(entry.Name()) && !bytes.Contains(licence, []byte(granted)) {
			continue
		}
		fmt.Fprintf(text, "%s\n%s, %s\n\n%s\n\n", strings.Repeat("=", width), name, entry.Name(), bytes.TrimSpace(licence))
		found = true
	}
	if licence, ok := above[strings.Fields(name)[0]]; ok && !found {
		fmt.Fprintf(text, "%s\n%s\n\n%s\n\n", strings.Repeat("=", width), name, licence)
		return nil
	}
	if !found {
		return fmt.Errorf("licence of %s: none in %s: ask its authors before it is passed on", name, folder)
	}
	return nil
}
