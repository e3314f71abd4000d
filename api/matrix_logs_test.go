package main

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/internal/testkit"
)

// TestMain runs the tests and then reads what was logged, at the finest level, and
// what was written to stderr: a name, an address, a code or a secret in it fails
// the package, whichever test it came from.
func TestMain(m *testing.M) { os.Exit(logged(m)) }

func logged(m *testing.M) int {
	screen := os.Stderr
	folder, own, err := logFolder()
	if err == nil && own {
		defer os.RemoveAll(folder)
	}
	kept := filepath.Join(folder, "said-stderr-of-api.log")
	if err == nil {
		os.Stderr, err = os.Create(kept)
	}
	if err != nil {
		fmt.Fprintln(screen, err)
		return 1
	}
	code := m.Run()
	// By its path: a test may have put the screen back, and reading that never ends.
	if said, err := os.ReadFile(kept); err == nil {
		_, _ = screen.Write(said)
	}
	told, err := testkit.ReadLogs(folder, whose...)
	if err != nil || len(told.Found) > 0 {
		fmt.Fprintf(screen, "FAIL: the logs tell what they must not: %v\n%s\n", err, strings.Join(told.Found, "\n"))
		return 1
	}
	fmt.Fprintf(screen, "%d lines of logs tell nobody's name, address, code or secret\n", told.Lines)
	return code
}

// logFolder is where everything goes that the servers under test say; one of the
// package's own where the run has none.
func logFolder() (folder string, own bool, err error) {
	if folder := os.Getenv(testkit.LogsVariable); folder != "" {
		return folder, false, nil
	}
	folder, err = os.MkdirTemp("", "xnet-logs-")
	if err != nil {
		return "", false, err
	}
	return folder, true, os.Setenv(testkit.LogsVariable, folder)
}

// whose are names that the tests of this package erase, or that never were in a
// database.
var whose = []string{"Zelmira Amandine", "Doriane Dorvault", "Quirin Brunoy", "Ysolde Celestin", "Lazare Sablonnier", "Nina Neuve",
	"Marc Ancien", "Amina Diallo", "Jean Voisin", "Rose Martin", "Ines Talleur", "Theo Technicien", "Claire Moreau", "que personne"}

func logger(t testing.TB) *slog.Logger { return testkit.Logger(t) }
