//go:build packages

package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/xnetroseraie/xnet/internal/testkit"
)

// A machine is a clean Debian that was booted with systemd in a container, with a
// network of its own on which every program has its usual address.
type machine struct {
	t      *testing.T
	root   string
	leader int // process id of its systemd
}

// booted counts the machines, so that each has a name of its own.
var booted atomic.Int64

// release is the Debian that the packages are for.
const release = "bookworm"

// debian returns an archive of a minimal Debian with what the packages depend on.
// The first call on a machine makes it, which takes a minute.
func debian(t *testing.T) string {
	t.Helper()
	tools, err := testkit.Tools()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(tools, "debian-"+release+"-1.tar")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if _, err := exec.LookPath("mmdebstrap"); err != nil {
		testkit.Unavailable(t, "no clean Debian: install the package mmdebstrap: %v", err)
	}
	t.Log("a minimal Debian is made, once")
	aside := filepath.Join(t.TempDir(), "debian.tar")
	said, err := exec.Command("mmdebstrap", "--variant=minbase", "--include=mosquitto,adduser,systemd,init-system-helpers,dbus", release, aside).CombinedOutput()
	if err != nil {
		testkit.Unavailable(t, "no clean Debian: %v: does a mirror answer?\n%s", err, said)
	}
	if err := os.MkdirAll(tools, 0o755); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command("mv", aside, path).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return path
}

// boot starts a machine that ends with the test.
func boot(t *testing.T) *machine {
	t.Helper()
	if os.Geteuid() != 0 {
		testkit.Unavailable(t, "only root can boot a clean Debian in a container")
	}
	if _, err := exec.LookPath("systemd-nspawn"); err != nil {
		testkit.Unavailable(t, "no container: install Debian's package systemd-container: %v", err)
	}
	m := &machine{t: t, root: filepath.Join(t.TempDir(), "debian")}
	if err := os.Mkdir(m.root, 0o755); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command("tar", "-xf", debian(t), "-C", m.root).CombinedOutput(); err != nil {
		t.Fatalf("unpack Debian: %v\n%s", err, said)
	}
	var console bytes.Buffer
	container := exec.Command("systemd-nspawn", "--quiet", "--directory="+m.root, "--register=no", "--keep-unit", "--private-network", "--boot",
		fmt.Sprintf("--machine=xnet-%d-%d", os.Getpid(), booted.Add(1)), "--link-journal=no", "--resolv-conf=off", "--timezone=off")
	container.Stdout, container.Stderr = &console, &console
	container.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	ended, err := keep(container)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if m.leader != 0 {
			_ = syscall.Kill(m.leader, syscall.SIGKILL)
		}
		_ = container.Process.Signal(syscall.SIGTERM)
		<-ended
	})
	testkit.Eventually(t, 2*time.Minute, func() error {
		select {
		case err := <-ended:
			ended <- err
			testkit.Unavailable(t, "no systemd in a container here: %v\n%s", err, console.String())
		default:
		}
		m.leader = leaderOf(container.Process.Pid)
		if m.leader == 0 {
			return errors.New("the container has no process yet")
		}
		said, err := m.try("systemctl", "is-system-running")
		if state := strings.TrimSpace(said); state != "running" && state != "degraded" {
			return fmt.Errorf("systemd is %q: %w\n%s", state, err, console.String())
		}
		return nil
	})
	return m
}

// keep starts a container and tells when it has ended. The thread that starts it
// waits for it: the container ends with that thread, and [machine.inside] ends some.
func keep(container *exec.Cmd) (ended chan error, err error) {
	started := make(chan error)
	ended = make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := container.Start()
		started <- err
		if err == nil {
			ended <- container.Wait()
		}
	}()
	return ended, <-started
}

// leaderOf returns the child that is process 1 of a namespace of its own, 0 for none.
func leaderOf(pid int) int {
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0
	}
	for child := range strings.FieldsSeq(string(children)) {
		status, err := os.ReadFile("/proc/" + child + "/status")
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(status)) {
			if ids, ok := strings.CutPrefix(line, "NSpid:"); ok && strings.HasSuffix(strings.TrimSpace(ids), "\t1") {
				n, _ := strconv.Atoi(child)
				return n
			}
		}
		n, _ := strconv.Atoi(child)
		if found := leaderOf(n); found != 0 {
			return found
		}
	}
	return 0
}

// try runs a command on the machine and returns all that it says.
func (m *machine) try(args ...string) (string, error) {
	enter := append([]string{"--target", strconv.Itoa(m.leader), "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd=/", "--"}, args...)
	command := exec.Command("nsenter", enter...)
	command.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "HOME=/"}
	said, err := command.CombinedOutput()
	return string(said), err
}

// must runs a command that has to succeed.
func (m *machine) must(args ...string) string {
	m.t.Helper()
	said, err := m.try(args...)
	if err != nil {
		journal, _ := m.try("journalctl", "--no-pager", "-n", "60", "-p", "6")
		m.t.Fatalf("%s: %v\n%s\n%s", strings.Join(args, " "), err, said, journal)
	}
	return said
}

// file writes a file of the machine.
func (m *machine) file(path, text string) {
	m.t.Helper()
	path = filepath.Join(m.root, path)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		m.t.Fatal(err)
	}
}

// has reports whether the machine has a file.
func (m *machine) has(path string) bool {
	_, err := os.Lstat(filepath.Join(m.root, path))
	return err == nil
}

// install installs packages of this computer.
func (m *machine) install(files ...string) {
	m.t.Helper()
	m.must(append([]string{"dpkg", "--install"}, m.carry(files...)...)...)
}

// carry copies files of this computer to the machine and returns their paths there.
func (m *machine) carry(files ...string) (there []string) {
	m.t.Helper()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			m.t.Fatal(err)
		}
		name := "/var/tmp/" + filepath.Base(file)
		m.file(name, string(text))
		there = append(there, name)
	}
	return there
}

// take copies a folder or a file of another machine, with whom it belongs to, into
// the same place.
func (m *machine) take(from *machine, path string) {
	m.t.Helper()
	to := filepath.Join(m.root, path)
	if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.RemoveAll(to)); err != nil {
		m.t.Fatal(err)
	}
	if said, err := exec.Command("cp", "--archive", filepath.Join(from.root, path), to).CombinedOutput(); err != nil {
		m.t.Fatalf("copy %s: %v: %s", path, err, said)
	}
}

// inside calls do in the machine's network.
func (m *machine) inside(do func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and it ends with the goroutine: nobody else gets it
		network, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", m.leader))
		if err != nil {
			done <- err
			return
		}
		defer network.Close()
		if err := unix.Setns(int(network.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		done <- do()
	}()
	return <-done
}

// dial connects to an address of the machine.
func (m *machine) dial(_ context.Context, network, address string) (conn net.Conn, err error) {
	err = m.inside(func() (err error) {
		conn, err = net.DialTimeout(network, address, 20*time.Second)
		return err
	})
	return conn, err
}

// listen opens a port of the machine.
func (m *machine) listen(address string) (listener net.Listener) {
	m.t.Helper()
	if err := m.inside(func() (err error) { listener, err = net.Listen("tcp", address); return err }); err != nil {
		m.t.Fatal(err)
	}
	return listener
}

// client is a browser on the machine.
func (m *machine) client() *http.Client {
	m.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		m.t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: time.Minute, Transport: &http.Transport{DialContext: m.dial}}
}

// active returns nil where all units run.
func (m *machine) active(units ...string) error {
	var errs []error
	for _, unit := range units {
		if said, err := m.try("systemctl", "is-active", unit); err != nil {
			errs = append(errs, fmt.Errorf("%s is %s", unit, strings.TrimSpace(said)))
		}
	}
	return errors.Join(errs...)
}

// property is what systemd says of a unit.
func (m *machine) property(unit, name string) string {
	m.t.Helper()
	return strings.TrimSpace(m.must("systemctl", "show", "--property="+name, "--value", unit))
}
