package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Build builds one of the programs of this repository, which the working
// directory must be the root of, into the folder and returns its path.
func Build(ctx context.Context, folder, name string) (path string, err error) {
	path = filepath.Join(folder, name)
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, "./"+name)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the %s: %w: run this in the repository's root\n%s", name, err, said)
	}
	return path, nil
}

// Children are the programs that a benchmark needs. They end with it, however it
// ends.
type Children struct {
	Said io.Writer // what they say; nil for nowhere

	running []*exec.Cmd
}

// Start starts one more.
func (c *Children) Start(command *exec.Cmd) error {
	command.Stdout, command.Stderr = c.Said, c.Said
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return fmt.Errorf("start %s: %w", command.Path, err)
	}
	c.running = append(c.running, command)
	return nil
}

// Kill ends the one that was started last, at once.
func (c *Children) Kill() {
	last := len(c.running) - 1
	_ = c.running[last].Process.Kill()
	_ = c.running[last].Wait()
	c.running = c.running[:last]
}

// Stop ends all.
func (c *Children) Stop() {
	for len(c.running) > 0 {
		c.Kill()
	}
}

// Within calls check until it returns nil, or fails with its last error.
func Within(ctx context.Context, limit time.Duration, check func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := check()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %s: %w", limit, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Listening returns once somebody listens at the address, host:port.
func Listening(ctx context.Context, limit time.Duration, addr string) error {
	return Within(ctx, limit, func() error {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return err
		}
		return conn.Close()
	})
}
