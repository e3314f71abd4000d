package durable_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/xnetroseraie/xnet/internal/durable"
)

func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kept")
	for _, want := range []string{"a longer first content", "second", ""} {
		if err := durable.Write(path, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("kept %q, %v, want %q", got, err, want)
		}
	}
	stat, err := os.Stat(path)
	if err != nil || stat.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want that its owner alone reads it", stat.Mode(), err)
	}
	if _, err := os.Stat(path + ".new"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary file: %v, want none", err)
	}
}

func TestWriteThatFailsLeavesTheOld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kept")
	if err := durable.Write(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path+".new", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := durable.Write(path, []byte("new")); err == nil {
		t.Error("no error, though the temporary file cannot be written")
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "old" {
		t.Errorf("kept %q, %v, want the old content", got, err)
	}
	if err := durable.Write(filepath.Join(path, "below"), nil); err == nil {
		t.Error("no error for a folder that is a file")
	}
}
