package main

import (
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/internal/testkit"
)

// logs is where everything goes that the servers of this package's tests say; see
// [testkit.Logger].
const logsVariable = "XNET_TEST_LOGS"

// TestMain runs the tests and then reads what was logged, at the finest level, and
// what was written to stderr: a name, an address, a code or a secret in it fails
// the package, whichever test it came from.
func TestMain(m *testing.M) { os.Exit(logged(m)) }

func logged(m *testing.M) int {
	folder, err := os.MkdirTemp("", "xnet-logs-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	if os.Getenv(logsVariable) == "" {
		_ = os.Setenv(logsVariable, folder)
	}
	screen, kept := os.Stderr, filepath.Join(folder, "stderr.log")
	if os.Stderr, err = os.Create(kept); err != nil {
		fmt.Fprintln(screen, err)
		return 1
	}
	code := m.Run()
	// By its path: a test may have put the screen back, and reading that never ends.
	if said, err := os.ReadFile(kept); err == nil {
		_, _ = screen.Write(said)
	}
	lines, found, err := readLogs(folder, os.Getenv(logsVariable))
	if err != nil || len(found) > 0 {
		fmt.Fprintf(screen, "FAIL: the logs tell what they must not: %v\n%s\n", err, strings.Join(found, "\n"))
		return 1
	}
	fmt.Fprintf(screen, "%d lines of logs tell nobody's name, address, code or secret\n", lines)
	return code
}

// readLogs reads all files of the folders and returns the lines that tell what
// they must not.
func readLogs(folders ...string) (lines int, found []string, err error) {
	seen := map[string]bool{}
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || seen[path] {
				return err
			}
			seen[path] = true
			text, err := os.ReadFile(path)
			for line := range strings.Lines(string(text)) {
				lines++
				if secret := untold(line); secret != "" && len(found) < 20 {
					found = append(found, fmt.Sprintf("%s: %q in %.300s", filepath.Base(path), secret, line))
				}
			}
			return err
		})
		if err != nil {
			return lines, found, err
		}
	}
	return lines, found, nil
}

// whose are the names of all whom the tests of this package seed.
var whose = regexp.MustCompile(strings.Join([]string{
	`Zelmira|Amandine|Doriane|Dorvault|Quirin|Brunoy|Ysolde|Celestin|Sablonnier|Lazare|Voyante|Agissant|Finissant|Revoque|Autrepart|Nina Neuve`,
	`Marc Ancien|Amina Diallo|Jean Voisin|Rose Martin|Ines Talleur|Else Where|Marc Manager|Ada Admin|Theo Technicien|Tara Tenant|Claire Moreau`,
	`Porte-[A-Z][0-9]+`, `personne que personne`}, "|"))

// untold is what a line tells and must not; empty for nothing.
func untold(line string) string {
	if secret := testkit.Untold(line); secret != "" {
		return secret
	}
	return whose.FindString(line)
}

func logger(t testing.TB) *slog.Logger { return testkit.Logger(t) }

// TestLogsAreRead: what must not be logged is found where it is, in whatever form
// the loggers write it.
func TestLogsAreRead(t *testing.T) {
	folder := t.TempDir()
	t.Setenv(logsVariable, folder)
	code := "ABCD-EF23-GH45"
	for _, said := range []string{"zelmira@amandine.example", "06 71 11 11 71", "0671111171", code, "Quirin Brunoy", actorNamed("ami").secret(), "$argon2id$v=19$m=64", "Porte-A71"} {
		logger(t).Debug("said", "what", said)
		slog.New(slog.NewJSONHandler(io.Discard, nil)).Info(said)
	}
	logger(t).Info("signed in", "person", "P-amina", "way", "code", "at", "2026-03-18T14:03:28Z", "id", "0197aa0e-7b1c-7c6e-9d2f-6f1f7f2f8a10")
	lines, found, err := readLogs(folder)
	if err != nil || lines != 9 || len(found) != 8 {
		t.Errorf("%d of %d lines found, want 8 of 9: %v %v", len(found), lines, err, found)
	}
}
