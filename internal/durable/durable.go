// Package durable writes small files that a power cut leaves whole.
package durable

import (
	"errors"
	"os"
	"path/filepath"
)

// Write writes a small file, readable by its owner alone, so that after a power
// cut it is there with its old content or with the new one. It returns once the
// disk has it. Two writers of one path must not run at once.
func Write(path string, text []byte) error { return WriteMode(path, text, 0o600) }

// WriteMode is [Write] for a file that others may read too, as mode says whatever
// the process's mask is.
func WriteMode(path string, text []byte, mode os.FileMode) error {
	temporary := path + ".new"
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Chmod(mode))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(path))
}

// SyncFolder makes what was created, renamed or removed in a folder durable.
func SyncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
