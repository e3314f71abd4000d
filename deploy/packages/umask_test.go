//go:build packages

package main_test

import (
	"syscall"
	"testing"
)

// umask sets the mask of new files and returns how to set it back.
func umask(t *testing.T, mask int) func() {
	t.Helper()
	before := syscall.Umask(mask)
	return func() { syscall.Umask(before) }
}
