// Package tour shows the pages of a running demo in a real Chromium: who may sign
// in, which pages each of them finds by its links, and what the browser tells of a
// page.
package tour

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
)

// Times that a demo may take on a busy machine.
const (
	demoStarts = 10 * time.Minute
	demoEnds   = 30 * time.Second
)

// A Demo is a running one.
type Demo struct {
	URL      string // of its pages, without a slash at the end
	Visitors []Visitor

	command *exec.Cmd
	ended   chan struct{}
}

// ready is what the demo says last once everything runs.
const ready = "Ctrl-C ends everything"

// StartDemo builds and starts a demo in the folder, with so many months of history,
// and waits until it introduces its visitors; progress goes to out. The working
// directory must be the root of the repository. The caller stops it.
func StartDemo(ctx context.Context, folder string, months int, out io.Writer) (*Demo, error) {
	folder, err := filepath.Abs(folder)
	if err == nil {
		err = os.MkdirAll(folder, 0o755)
	}
	if err != nil {
		return nil, fmt.Errorf("folder of the demo: %w", err)
	}
	program, err := bench.Build(ctx, folder, "deploy/demo")
	if err != nil {
		return nil, err
	}
	heard := &listener{out: out}
	d := &Demo{ended: make(chan struct{}), command: exec.Command(program, "--dir", folder, "--port", "0", "--months", fmt.Sprint(months))}
	d.command.Stdout, d.command.Stderr = heard, heard
	d.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	if err := d.command.Start(); err != nil {
		return nil, fmt.Errorf("start the demo: %w", err)
	}
	go func() { defer close(d.ended); _ = d.command.Wait() }()
	if err = d.awaitReady(ctx, heard); err == nil {
		err = d.introduced(heard.text())
	}
	if err != nil {
		d.Stop()
		return nil, fmt.Errorf("the demo in %s: %w", folder, err)
	}
	return d, nil
}

// awaitReady waits until the demo has said that everything runs.
func (d *Demo) awaitReady(ctx context.Context, heard *listener) error {
	deadline := time.After(demoStarts)
	for look := time.Tick(100 * time.Millisecond); ; {
		select {
		case <-look:
			if strings.Contains(heard.text(), ready) {
				return nil
			}
		case <-d.ended:
			return errors.New("it ended before it was ready")
		case <-deadline:
			return fmt.Errorf("it is not ready after %s", demoStarts)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Stop ends the demo as an interrupt does.
func (d *Demo) Stop() {
	_ = d.command.Process.Signal(os.Interrupt)
	select {
	case <-d.ended:
	case <-time.After(demoEnds):
		_ = d.command.Process.Kill()
		<-d.ended
	}
}

var (
	address      = regexp.MustCompile(`Open\s+(http://\S+)`)
	introduction = regexp.MustCompile(`(?m)^\s+([0-9A-Z]{4}(?:-[0-9A-Z]{4}){2})\s+(.+?)\s*$`)
	officer      = regexp.MustCompile(`\s([a-z]+): `)
)

// introduced reads the visitors from what the demo says.
func (d *Demo) introduced(text string) error {
	open := address.FindStringSubmatch(text)
	if open == nil {
		return errors.New("it tells no address")
	}
	d.URL = open[1]
	for _, found := range introduction.FindAllStringSubmatch(text, -1) {
		v := Visitor{Code: found[1], About: found[2], Role: Tenant}
		if !strings.HasPrefix(v.About, "flat ") {
			of := officer.FindStringSubmatch(v.About)
			if of == nil {
				return fmt.Errorf("it introduces %q, whose role is not told", v.About)
			}
			v.Role = of[1]
		}
		d.Visitors = append(d.Visitors, v)
	}
	if len(d.Visitors) == 0 {
		return errors.New("it introduces nobody")
	}
	return nil
}

// A listener keeps what it hears and passes it on.
type listener struct {
	out   io.Writer
	mu    sync.Mutex
	heard bytes.Buffer
}

func (l *listener) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard.Write(b)
	return l.out.Write(b)
}

func (l *listener) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heard.String()
}
