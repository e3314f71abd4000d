package testkit

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// Watch tells the go tool that a test depends on all that stands below folders.
// The tool keeps the results of tests, and repeats one where a file that it read
// has changed; it does not know what programs a test builds by itself. A hidden
// folder, and the one in which a demo keeps its files, do not count.
func Watch(folders ...string) error {
	for _, folder := range folders {
		// Reading a folder notes the time and size of each file in it.
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() && path != folder && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "var") {
				return fs.SkipDir
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("watch %s: %w", folder, err)
		}
	}
	return nil
}
