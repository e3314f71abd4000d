package arm_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/internal/testkit"
)

// packageTime bounds the tests of one package under emulation, which takes five
// to ten times as long as the machine itself.
const packageTime = 2 * time.Minute

// TestGatewaysTests runs the tests of the gateway and of its configuration on
// each board, in the short form: what takes long measures speed or repeats a
// thing a million times, and an emulator would measure itself.
func TestGatewaysTests(t *testing.T) {
	if err := testkit.Watch("../../gateway", "../../firmware-config", "../../internal", "../simulator"); err != nil {
		t.Fatal(err)
	}
	for _, b := range boards {
		t.Run(b.name, func(t *testing.T) {
			b.path(t)
			folder := t.TempDir()
			b.compile(t, "test", "-c", "-o", folder+"/", "./gateway/...", "./firmware-config/...")
			passed := 0
			for _, dir := range testedFolders(t) {
				name, err := filepath.Rel(root(t), dir)
				if err != nil {
					t.Fatal(err)
				}
				t.Run(name, func(t *testing.T) {
					passed += b.tests(t, dir, filepath.Join(folder, filepath.Base(dir)+".test"))
				})
			}
			t.Logf("%s: %d tests passed", b.name, passed)
		})
	}
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// testedFolders lists the packages below gateway and firmware-config that have
// tests.
func testedFolders(t *testing.T) []string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}{{end}}",
		"./gateway/...", "./firmware-config/...")
	list.Dir = repository
	output, err := list.Output()
	if err != nil {
		t.Fatalf("list packages: %v", err)
	}
	folders := strings.Fields(string(output))
	if len(folders) < 8 {
		t.Fatalf("%d packages have tests, want those of the whole gateway: %v", len(folders), folders)
	}
	return folders
}

// tests runs the tests of one package in its own folder and returns how many
// passed. A package whose tests are all skipped has shown nothing, and fails.
func (b board) tests(t *testing.T, dir, binary string) int {
	args := []string{"-test.v", "-test.short", "-test.timeout", packageTime.String()}
	began := time.Now()
	said, err := b.run(t, dir, binary, args)
	if err != nil { // an emulator on a busy machine stretches times: once more, for all to see
		first := failures(said)
		t.Run("first try", func(t *testing.T) { t.Skipf("failed, and was tried again:\n%s", first) })
		said, err = b.run(t, dir, binary, args)
	}
	passed := strings.Count(said, "\n--- PASS: ")
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "--- SKIP: ") {
			t.Logf("skipped by itself: %s", strings.TrimSpace(line))
		}
	}
	if err != nil || passed == 0 {
		t.Errorf("%d tests passed, exit status %d\n%s", passed, exitOf(err), failures(said))
	}
	t.Logf("%d tests in %.1f s", passed, time.Since(began).Seconds())
	return passed
}

// run runs a test binary in a folder and returns what it said.
func (b board) run(t *testing.T, dir, binary string, args []string) (said string, err error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), b.script(t, binary), args...)
	command.Dir = dir
	output, err := command.CombinedOutput()
	return string(output), err
}

// failures is what the failed tests said, or the end of everything where none
// of them says that it failed.
func failures(said string) string {
	const most = 6000
	if at := strings.Index(said, "--- FAIL"); at > 0 {
		return said[max(0, at-most):min(len(said), at+most)]
	}
	return said[max(0, len(said)-most):]
}
