package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/internal/testkit"
)

// endsWithin is how long an interrupted demo may take to end everything.
const endsWithin = 20 * time.Second

// A running demo of these tests: one that is interrupted and killed.
type running struct {
	dir     string
	command *exec.Cmd
	ended   chan struct{}

	mu   sync.Mutex
	said bytes.Buffer
	err  error // of its end, once ended is closed
}

func (r *running) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said.Write(b)
}

func (r *running) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said.String()
}

// runDemo starts the demo on a folder, with a month of history, as from a
// terminal of its own.
func runDemo(t *testing.T, dir string) *running {
	t.Helper()
	r := &running{dir: dir, ended: make(chan struct{})}
	r.command = exec.Command(program(t, "demo"), "--dir", dir, "--port", "0", "--months", "1")
	r.command.Dir, r.command.Stdout, r.command.Stderr = "../..", r, r
	r.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	r.command.WaitDelay = endsWithin // children that live on hold the output
	if err := r.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(r.ended)
		r.err = r.command.Wait()
	}()
	t.Cleanup(func() {
		_ = r.command.Process.Kill()
		<-r.ended
		if t.Failed() {
			t.Logf("the demo said:\n%s", r.text())
		}
	})
	return r
}

// demoFolder returns a folder in which InfluxDB is built already.
func demoFolder(t *testing.T) string {
	t.Helper()
	tools, err := testkit.Tools()
	if err != nil {
		t.Fatal(err)
	}
	testkit.Influx(t).Kill() // builds it where it is missing
	dir := t.TempDir()
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "bin"), 0o755),
		os.Symlink(filepath.Join(tools, "influxd-1.8.10"), filepath.Join(dir, "bin", "influxd-1.8.10"))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// await waits until the demo has said a text, or has ended.
func (r *running) await(t *testing.T, text string) {
	t.Helper()
	deadline := time.After(5 * time.Minute)
	for look := time.Tick(20 * time.Millisecond); !strings.Contains(r.text(), text); {
		select {
		case <-look:
		case <-r.ended:
			t.Fatalf("the demo ended before it said %q: %v", text, r.err)
		case <-deadline:
			t.Fatalf("the demo has not said %q", text)
		}
	}
}

// interrupt is Ctrl-C: the whole group hears it. It returns once the demo has
// ended, which must be well and in time.
func (r *running) interrupt(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(-r.command.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case <-r.ended:
	case <-time.After(endsWithin):
		t.Fatalf("the demo did not end within %s", endsWithin)
	}
	if r.err != nil {
		t.Errorf("the interrupted demo ended with %v", r.err)
	}
	if bad := trace.FindString(r.text()); bad != "" {
		t.Errorf("the demo says %q", bad)
	}
}

// orphans lists the programs that still run for a folder: each bears its path on
// its command line, or holds the lock that a demo's children share.
func orphans(dir string) (lines []string, err error) {
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range processes {
		text, gone := os.ReadFile(path)
		if gone == nil && bytes.Contains(text, []byte(dir)) {
			lines = append(lines, string(bytes.ReplaceAll(text, []byte{0}, []byte{' '})))
		}
	}
	return lines, err
}

func noOrphans(dir string) error {
	lines, err := orphans(dir)
	if err == nil && len(lines) > 0 {
		err = fmt.Errorf("still running: %v", lines)
	}
	return err
}

// TestDemoIsInterruptedAnywhere presses Ctrl-C in every phase of the start and
// starts again on what it left.
func TestDemoIsInterruptedAnywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	dir := demoFolder(t)
	for _, phase := range []string{"everything under", "simulator: built", "history: what", "broker and InfluxDB: running",
		"residence La", "  ready"} {
		began := time.Now()
		r := runDemo(t, dir)
		r.await(t, phase)
		reached := time.Since(began)
		r.interrupt(t)
		t.Logf("%q after %.1f s, ended %.1f s later", phase, reached.Seconds(), (time.Since(began) - reached).Seconds())
		if err := noOrphans(dir); err != nil {
			t.Errorf("interrupted at %q: %v", phase, err)
		}
	}
}

// TestKilledDemoLeavesNothingBehind: kill -9 gives a demo no chance to end its
// children; the kernel tells them, and the next demo waits for the last of them.
func TestKilledDemoLeavesNothingBehind(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	dir := demoFolder(t)
	for _, phase := range []string{"history: what", "  ready"} {
		r := runDemo(t, dir)
		r.await(t, phase)
		if err := r.command.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-r.ended
		again := runDemo(t, dir) // at once, as an impatient person would
		again.await(t, "  ready")
		startBadly(t, []string{"demo", "--dir", dir}, "another demo runs in "+dir, "--dir")
		again.interrupt(t)
		if err := noOrphans(dir); err != nil {
			t.Errorf("killed at %q: %v", phase, err)
		}
	}
}

// TestDemoShowsEuros signs in to a demo as its guests do: an ordinary home reads
// what its month costs, on which bill and why; the flats whose meters are crossed
// read no euros.
func TestDemoShowsEuros(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	r := runDemo(t, demoFolder(t))
	r.await(t, "Ctrl-C ends everything")
	home := r.page(t, "ordinary, read every 10 seconds", "/")
	contains(t, home, "dans vos charges : eau froide, eau chaude", "chez votre fournisseur : électricité", "C’est une estimation, pas une facture.",
		"× 70 kWh/m³", "× 4,69 €/m³", "× 0,194 €/kWh", "exemple, prix moyen de l’eau en France")
	if strings.Contains(home, "non vérifié") {
		t.Error("an ordinary home has a meter that is not verified")
	}
	crossed := r.page(t, "two flats whose water meters are crossed", "/")
	contains(t, crossed, "Eau froide", "Compteur non vérifié. Nous n’affichons donc pas d’euros.")
	if strings.Contains(crossed, "€") {
		t.Error("a home whose meters are crossed reads euros")
	}
	contains(t, r.page(t, "a flat without meters", "/gestes"), "Les prix du jour", "chez votre fournisseur")
	r.interrupt(t)
}

func contains(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not say %q", text)
		}
	}
}

// page returns a page of the running demo, spaces made plain, as the guest sees it
// whom the demo introduces with these words.
func (r *running) page(t *testing.T, guest, path string) string {
	t.Helper()
	said := r.text()[strings.LastIndex(r.text(), "Open"):]
	address := regexp.MustCompile(`http://\S+`).FindString(said)
	code := regexp.MustCompile(`(\S+)\s+flat \S+\s+` + regexp.QuoteMeta(guest)).FindStringSubmatch(said)
	if code == nil {
		t.Fatalf("the demo introduces nobody as %q", guest)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Timeout: 30 * time.Second}
	answer, err := browser.PostForm(address+"/connexion", url.Values{"code": {code[1]}})
	if err == nil {
		answer.Body.Close()
		answer, err = browser.Get(address + path)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d, %v", path, answer.StatusCode, err)
	}
	return strings.Join(strings.Fields(string(text)), " ")
}
