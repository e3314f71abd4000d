package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// A program is one process of the system, which is killed and started again.
// One that ends by itself is started again too, as systemd would.
type program struct {
	name    string
	log     string
	command func() (*exec.Cmd, error)
	say     func(format string, args ...any)

	mu      sync.Mutex
	process *exec.Cmd
	gone    chan struct{} // closed when process has ended
	wanted  bool
	crashes int
}

func (s *site) program(name string, command func() (*exec.Cmd, error)) *program {
	p := &program{name: name, log: filepath.Join(s.dir, "log", name+".log"), command: command, say: s.say}
	s.programs = append(s.programs, p)
	return p
}

func plain(path string, args ...string) func() (*exec.Cmd, error) {
	return func() (*exec.Cmd, error) { return exec.Command(path, args...), nil }
}

// start runs the program, unless it runs.
func (p *program) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.process != nil {
		return nil
	}
	command, err := p.command()
	if err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	defer log.Close() // the process has its own
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.process, p.gone, p.wanted = command, make(chan struct{}), true
	go p.watch(command, p.gone)
	return nil
}

// watch waits for the end of a process and starts the program again where
// nobody asked for the end.
func (p *program) watch(command *exec.Cmd, gone chan struct{}) {
	err := command.Wait()
	p.mu.Lock()
	p.process = nil
	again := p.wanted
	if again {
		p.crashes++
	}
	p.mu.Unlock()
	close(gone)
	if !again {
		return
	}
	p.say("%s ended by itself (%v) and is started again", p.name, err)
	time.Sleep(time.Second) // as systemd would wait
	p.mu.Lock()
	again = p.wanted
	p.mu.Unlock()
	if again {
		if err := p.start(); err != nil {
			p.say("%v", err)
		}
	}
}

// kill ends the program at once and returns between which instants.
func (p *program) kill() (from, gone time.Time) {
	from = time.Now()
	p.end(syscall.SIGKILL)
	return from, time.Now()
}

// stop asks the program to end, and returns when it has.
func (p *program) stop() { p.end(os.Interrupt) }

func (p *program) end(signal os.Signal) {
	p.mu.Lock()
	p.wanted = false
	process, ended := p.process, p.gone
	p.mu.Unlock()
	if process == nil {
		return
	}
	_ = process.Process.Signal(signal)
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		p.say("%s did not end within 20 s of %v and is killed", p.name, signal)
		_ = process.Process.Kill()
		<-ended
	}
}

// pid is the process's number, 0 while there is none.
func (p *program) pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.process == nil {
		return 0
	}
	return p.process.Process.Pid
}

// within asks check again and again until it returns nil, and fails with its
// last error after limit.
func within(ctx context.Context, limit time.Duration, check func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := check()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %s: %w", limit, err)
		}
		if !pause(ctx, 100*time.Millisecond) {
			return errors.Join(ctx.Err(), err)
		}
	}
}

// pause waits and reports whether ctx is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
