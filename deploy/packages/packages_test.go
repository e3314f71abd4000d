//go:build packages

// Package main_test builds the packages, holds them to what Debian asks, and
// installs them on a clean machine.
package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// A workshop is where packages are built of one tree of sources, once for all
// tests.
type workshop struct {
	root string // of the sources
	dir  string
	tool string // path of the program that builds packages
	err  error
}

var built = sync.OnceValue(func() workshop { return equip(root) })

// equip builds the programs of a tree, and the one that packs them.
func equip(root string) (w workshop) {
	w.root = root
	if w.dir, w.err = os.MkdirTemp(shelf, "workshop-"); w.err != nil {
		return w
	}
	programs := filepath.Join(w.dir, "built", "amd64")
	w.tool = filepath.Join(w.dir, "packages")
	builds := map[string]string{"./deploy/packages": w.tool, "./api": filepath.Join(programs, "xnet-api"), "./collector": filepath.Join(programs, "xnet-collector"),
		"./deploy/setup": filepath.Join(programs, "xnet-setup"), "./gateway": filepath.Join(programs, "xnet-gateway")}
	for source, program := range builds {
		build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, source)
		build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
		if said, err := build.CombinedOutput(); err != nil {
			w.err = errors.Join(w.err, err, errors.New(string(said)))
		}
	}
	if w.err == nil {
		w.err = w.fetchInfluxd(filepath.Join(programs, "influxd"))
	}
	return w
}

func (w workshop) fetchInfluxd(to string) error {
	tools, err := testkit.Tools()
	if err != nil {
		return err
	}
	server, err := influxd.Install(context.Background(), tools, os.Stderr)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(server)
	return errors.Join(err, os.WriteFile(to, text, 0o755))
}

// shelf is the folder of all that the tests build; it goes with them.
var shelf string

func TestMain(m *testing.M) {
	var err error
	if shelf, err = os.MkdirTemp("", "xnet-packages-test-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	_ = os.RemoveAll(shelf)
	os.Exit(status)
}

// root is the repository's.
const root = "../.."

// packed returns the packages of a version by name, not compressed. They are packed
// once.
func packed(t *testing.T, version string) map[string]string {
	t.Helper()
	packedOnce.Lock()
	defer packedOnce.Unlock()
	if packedOnce.files[version] == nil {
		packedOnce.files[version] = pack(t, built(), filepath.Join(built().dir, version), version, 0)
	}
	return packedOnce.files[version]
}

var packedOnce = struct {
	sync.Mutex
	files map[string]map[string]string
}{files: map[string]map[string]string{}}

// pack packs a version into a folder, compressed by a level from 0, not at all, to 9.
func pack(t *testing.T, w workshop, out, version string, level int, env ...string) map[string]string {
	t.Helper()
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		testkit.Unavailable(t, "no dpkg-deb: this is not Debian: %v", err)
	}
	if w.err != nil {
		t.Fatal(w.err)
	}
	command := exec.Command(w.tool, "--out", out, "--arch", "amd64", "--built", filepath.Join(w.dir, "built"), "--version", version, "--level", strconv.Itoa(level))
	command.Dir, command.Env = w.root, append(os.Environ(), env...)
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	if said, err := command.CombinedOutput(); err != nil {
		t.Fatalf("packages: %v\n%s", err, said)
	}
	files := map[string]string{}
	for _, name := range []string{"xnet-server", "xnet-influxd", "xnet-gateway"} {
		files[name] = filepath.Join(out, name+"_"+version+"_amd64.deb")
	}
	return files
}

// TestSameCommitGivesSameBytes packs twice, under another mask, and compares.
func TestSameCommitGivesSameBytes(t *testing.T) {
	first := pack(t, built(), t.TempDir(), "1.0.0", 0, "SOURCE_DATE_EPOCH=1700000000")
	mask := umask(t, 0o077)
	defer mask()
	second := pack(t, built(), t.TempDir(), "1.0.0", 0, "SOURCE_DATE_EPOCH=1700000000", "LC_ALL=C", "TZ=Asia/Tokyo")
	for name, path := range first {
		one, err := os.ReadFile(path)
		other, otherErr := os.ReadFile(second[name])
		if err := errors.Join(err, otherErr); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(one, other) {
			t.Errorf("%s differs from itself", name)
		}
	}
}

// TestWhatIsInThePackages: nobody but root may change what is installed, programs
// need no library, and nothing lies outside the folders that are for it.
func TestWhatIsInThePackages(t *testing.T) {
	for name, path := range packed(t, "1.0.0") {
		listed, err := exec.Command("dpkg-deb", "--contents", path).Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(listed)) {
			fields := strings.Fields(line)
			if mode := fields[0]; mode != "drwxr-xr-x" && mode != "-rw-r--r--" && mode != "-rwxr-xr-x" {
				t.Errorf("%s: mode %s of %s", name, mode, fields[5])
			}
			if fields[1] != "root/root" {
				t.Errorf("%s: %s belongs to %s", name, fields[5], fields[1])
			}
			if file := fields[5]; strings.HasPrefix(file, "./var") || strings.HasPrefix(file, "./usr/local") {
				t.Errorf("%s: %s is no place for a package", name, file)
			}
		}
		tree := t.TempDir()
		if said, err := exec.Command("dpkg-deb", "--extract", path, tree).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		papers, err := os.ReadFile(filepath.Join(tree, "usr/share/doc", name, "third-party.txt.gz"))
		if err != nil || len(papers) < 1000 {
			t.Errorf("%s: licences of others: %d bytes, %v", name, len(papers), err)
		}
	}
}

// TestUnits lets systemd judge the units as they are installed.
func TestUnits(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		testkit.Unavailable(t, "no systemd-analyze: install Debian's package systemd: %v", err)
	}
	tree := t.TempDir()
	for _, path := range packed(t, "1.0.0") {
		if said, err := exec.Command("dpkg-deb", "--extract", path, tree).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
	}
	units, err := filepath.Glob(filepath.Join(tree, "usr/lib/systemd/system", "xnet-*"))
	if err != nil || len(units) < 9 {
		t.Fatalf("%d units, %v", len(units), err)
	}
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			command, ok := strings.CutPrefix(line, "ExecStart=")
			if !ok {
				continue
			}
			program := strings.Fields(strings.TrimLeft(command, "-+!"))[0]
			if _, err := os.Stat(filepath.Join(tree, program)); err != nil && !strings.Contains(program, "systemctl") {
				t.Errorf("%s starts %s, which no package has", filepath.Base(unit), program)
			}
		}
		// Programs and pages are looked for on this computer, which has them not.
		said, _ := exec.Command("systemd-analyze", "verify", unit).CombinedOutput()
		for line := range strings.Lines(string(said)) {
			if strings.Contains(line, filepath.Base(unit)) && !strings.Contains(line, "is not executable") && !strings.Contains(line, "Command 'man") {
				t.Errorf("systemd-analyze verify: %s", line)
			}
		}
	}
}

// TestLintian holds the packages to Debian's own checks.
func TestLintian(t *testing.T) {
	if _, err := exec.LookPath("lintian"); err != nil {
		testkit.Unavailable(t, "no lintian: install Debian's package lintian: %v", err)
	}
	args := []string{"--allow-root", "--no-cfg", "--fail-on", "error,warning", "--suppress-tags", strings.Join(strayed, ",")}
	for _, path := range pack(t, built(), t.TempDir(), "1.0.0", 1) { // compressed, as they ship
		args = append(args, path)
	}
	if said, err := exec.Command("lintian", args...).CombinedOutput(); err != nil {
		t.Errorf("lintian: %v\n%s", err, said)
	}
}

// strayed are lintian's tags that do not fit: packages of ours close no bug of
// Debian's, and the InfluxDB of the tests keeps its symbols.
var strayed = []string{"initial-upload-closes-no-bugs", "unstripped-binary-or-object"}
