//go:build packages

package main_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/xnetroseraie/xnet/internal/testkit"
)

// firstPackaged is the first state of these sources that can be packaged: what an
// upgrade begins with until a release has a tag.
const firstPackaged = "027f2d06920639ae4acd69114b943ef87ea2f383"

// before is the workshop of the release before this one, of its own sources.
var before = sync.OnceValue(func() workshop {
	sources := filepath.Join(shelf, "before")
	if err := unpack(releaseBefore(), sources); err != nil {
		return workshop{err: err}
	}
	return equip(sources)
})

// releaseBefore is the newest tag of a release below what is checked out.
func releaseBefore() string {
	describe := exec.Command("git", "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^")
	describe.Dir = root
	if tag, err := describe.Output(); err == nil {
		return strings.TrimSpace(string(tag))
	}
	return firstPackaged
}

// unpack writes the sources of a state into a new folder.
func unpack(state, into string) error {
	if err := os.Mkdir(into, 0o755); err != nil {
		return err
	}
	var text, said bytes.Buffer
	archive := exec.Command("git", "archive", state)
	archive.Dir, archive.Stdout, archive.Stderr = root, &text, &said
	if err := archive.Run(); err != nil {
		return fmt.Errorf("sources of %s: %w: %s", state, err, said.String())
	}
	tar := exec.Command("tar", "-x", "-C", into)
	tar.Stdin = &text
	if said, err := tar.CombinedOutput(); err != nil {
		return fmt.Errorf("sources of %s: %w: %s", state, err, said)
	}
	return nil
}

// previous returns the packages of the release before, by name, as version 0.9.0.
func previous(t *testing.T) map[string]string {
	t.Helper()
	w := before()
	if w.root == "" {
		testkit.Unavailable(t, "no release before this one: these sources need their history: %v", w.err)
	}
	// Sources without a history do not know when they were made.
	return pack(t, w, filepath.Join(w.dir, "packed"), "0.9.0", 0, "SOURCE_DATE_EPOCH=1750000000")
}
