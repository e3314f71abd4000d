package docs_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Who follows the developers' guides word for word, in a copy of the tree, has a
// profile, a tip and a page whose tests pass.
func TestFollowTheDevelopersGuides(t *testing.T) {
	t.Parallel()
	tree := copyTree(t)
	written, changed, ran := 0, 0, 0
	for _, file := range []string{"developers.md", "page.md"} {
		for _, b := range (guide{file, read(t, file)}).blocks() {
			switch {
			case b.file != "":
				write(t, filepath.Join(tree, b.file), b.text)
				written++
			case b.language == "diff":
				run(t, tree, b.text, "git", "apply", "-")
				changed++
			case b.language == "sh":
				for line := range strings.Lines(b.text) {
					tryLine(t, tree, file, strings.TrimSpace(line))
					ran++
				}
			}
		}
	}
	if written < 7 || changed < 4 || ran < 9 {
		t.Errorf("%d files, %d changes and %d commands", written, changed, ran)
	}
}

// copyTree copies what a clone has: no hidden folder, nothing that a run has left.
func copyTree(t *testing.T) (tree string) {
	t.Helper()
	tree = t.TempDir()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir() && (name == "var" || name == "dist" || name == ".git"):
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(tree, name), 0o755)
		case !entry.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(tree, name), text, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if _, err := os.Stat(file); err == nil {
		t.Errorf("%s is there already: the guide wants to make it", file)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// tryLine runs a command of a guide. What make does takes too long here, and has tests
// of its own: that it knows the target is enough.
func tryLine(t *testing.T, tree, file, line string) {
	t.Helper()
	if target, ok := strings.CutPrefix(line, "make "); ok {
		run(t, tree, "", "make", "-n", target)
		return
	}
	said := run(t, tree, "", "sh", "-ec", line)
	if strings.HasPrefix(line, "gofmt -l") && said != "" || strings.Contains(said, "no tests to run") {
		t.Errorf("%s: %s prints\n%s", file, line, said)
	}
}

// run runs a program in the tree and returns what it says. Packages are built without
// the tree's path, so that the next copy finds them built.
func run(t *testing.T, tree, input string, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Dir, command.Stdin = tree, strings.NewReader(input)
	command.Env = append(os.Environ(), "GOFLAGS=-trimpath -vet=off", "CGO_ENABLED=0")
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	began := time.Now()
	if err := command.Run(); err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, said.String())
	}
	t.Logf("%5.1f s  %s %s", time.Since(began).Seconds(), name, strings.Join(args, " "))
	return said.String()
}
