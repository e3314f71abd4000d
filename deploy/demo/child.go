package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// A child is a program of the system that is started again whenever it ends.
type child struct {
	name   string
	log    string // file that takes what it says
	pid    string // file that says which process it is
	notice func(format string, args ...any)
	shared *os.File

	cancel context.CancelFunc
	ended  chan struct{}
}

// A family is the running children, in the order of their start.
type family struct {
	logs     string // folder
	pids     string // folder
	notice   func(format string, args ...any)
	shared   *os.File // the lock that each child inherits
	children []*child
}

const maxPause = 10 * time.Second

// start runs command, made anew for each start, until the family ends.
func (f *family) start(name string, command func(context.Context) (*exec.Cmd, error)) (*child, error) {
	ctx, cancel := context.WithCancel(context.Background())
	c := &child{name: name, log: filepath.Join(f.logs, name+".log"), pid: filepath.Join(f.pids, name),
		notice: f.notice, shared: f.shared, cancel: cancel, ended: make(chan struct{})}
	process, err := c.launch(ctx, command)
	if err != nil {
		cancel()
		return nil, err
	}
	f.children = append(f.children, c)
	go c.supervise(ctx, process, command)
	return c, nil
}

// supervise starts the program again, at once after a long life and more and
// more slowly after short ones.
func (c *child) supervise(ctx context.Context, process *exec.Cmd, command func(context.Context) (*exec.Cmd, error)) {
	defer close(c.ended)
	pause := 500 * time.Millisecond
	for born := time.Now(); ; born = time.Now() {
		var err error
		if process != nil {
			err = process.Wait()
		}
		if ctx.Err() != nil {
			return
		}
		if time.Since(born) > time.Minute {
			pause = 500 * time.Millisecond
		}
		c.notice("%s ended (%v): started again, see %s", c.name, err, c.log)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
		if process, err = c.launch(ctx, command); err != nil {
			c.notice("%s: %v", c.name, err)
			process = nil
		}
	}
}

// launch starts the program in a process group of its own, so that an interrupt
// at the terminal reaches only this one, which ends them in order.
func (c *child) launch(ctx context.Context, command func(context.Context) (*exec.Cmd, error)) (*exec.Cmd, error) {
	process, err := command(ctx)
	if err != nil {
		return nil, err
	}
	log, err := openLog(c.log)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	defer log.Close() // the process has its own
	process.Stdout, process.Stderr = log, log
	process.ExtraFiles = []*os.File{c.shared}
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	process.Cancel = func() error { return process.Process.Signal(os.Interrupt) }
	process.WaitDelay = 10 * time.Second // then it is killed
	if err := process.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	return process, os.WriteFile(c.pid, fmt.Appendln(nil, process.Process.Pid), 0o600)
}

// stop ends the program and returns when it is gone.
func (c *child) stop() {
	c.cancel()
	<-c.ended
}

// end ends one child for good.
func (f *family) end(c *child) {
	c.stop()
	f.children = slices.DeleteFunc(f.children, func(other *child) bool { return other == c })
}

// stopAll ends the children, the last one started first.
func (f *family) stopAll() {
	for i := len(f.children) - 1; i >= 0; i-- {
		f.children[i].stop()
	}
}

const maxLog = 16 << 20

// openLog opens a log to append to; a long one begins anew.
func openLog(path string) (*os.File, error) {
	if stat, err := os.Stat(path); err == nil && stat.Size() > maxLog {
		if err := os.Rename(path, path+".old"); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

// once runs a program to its end. Its output goes to stdout where that is given,
// and everything else into the log; an error shows the last of it, from memory,
// because a full disk takes no log.
func (f *family) once(ctx context.Context, name string, stdout io.Writer, path string, args ...string) error {
	file := filepath.Join(f.logs, name+".log")
	log, err := openLog(file)
	if err != nil {
		return err
	}
	process := exec.CommandContext(ctx, path, args...)
	var said bytes.Buffer
	process.Stderr = io.MultiWriter(&said, log)
	process.Stdout = process.Stderr
	if stdout != nil {
		process.Stdout = stdout
	}
	process.ExtraFiles = []*os.File{f.shared}
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err = errors.Join(process.Run(), log.Close()); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, ending(said.Bytes()))
	}
	return nil
}

// tail is the end of a file, for an error message.
func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return ending(text)
}

func ending(text []byte) string {
	const most = 1500
	return string(text[max(0, len(text)-most):])
}
