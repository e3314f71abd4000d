package arm_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/xnetroseraie/xnet/internal/testkit"
)

// repository is the module's root, seen from this folder.
const repository = "../.."

// A board is a processor that gateways run on, and what emulates it.
type board struct {
	name     string
	goarch   []string // environment of the compiler
	emulator string   // program of Debian's package qemu-user-static
	cpu      string   // the oldest that must do: a newer instruction is a fault
}

// boards are those that packages are made for. The ARM1176 is the processor of
// the first Raspberry Pi and the Zero, the Cortex-A53 that of the Pi 3.
var boards = []board{
	{"armv6", []string{"GOARCH=arm", "GOARM=6"}, "qemu-arm-static", "arm1176"},
	{"arm64", []string{"GOARCH=arm64"}, "qemu-aarch64-static", "cortex-a53"},
}

// path returns where the emulator is, or skips the test, which fails where
// CI=true.
func (b board) path(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath(b.emulator)
	if err != nil {
		testkit.Unavailable(t, "no %s: install Debian's package qemu-user-static", b.emulator)
	}
	return path
}

// compile runs the Go tool for the board.
func (b board) compile(t *testing.T, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", args...)
	command.Dir = repository
	command.Env = append(append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux"), b.goarch...)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go %v for %s: %v\n%s", args, b.name, err, output)
	}
}

// script writes a program for this machine that runs the board's binary. It
// bears the binary's name to the binary itself, so that one which starts itself
// again by its first argument comes back through the emulator.
func (b board) script(t *testing.T, binary string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), filepath.Base(binary))
	text := fmt.Sprintf("#!/bin/sh\nexec '%s' -cpu %s -0 \"$0\" '%s' \"$@\"\n", b.path(t), b.cpu, binary)
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// exitOf returns the status that a program ended with.
func exitOf(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}
