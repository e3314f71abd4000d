package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// runApart runs the campaign again as a child in a mount namespace of its own,
// so that the small disks under the spools can be mounted without being root and
// go with the process, however it ends. Ran is false where the system does not
// allow it.
func runApart(ctx context.Context, c *commands, out io.Writer) (ran bool, err error) {
	self, err := os.Executable()
	if err != nil {
		return false, nil
	}
	args := []string{"--apart", fmt.Sprintf("--faults=%d", c.Faults), fmt.Sprintf("--seed=%d", c.Seed)}
	if c.Dir != "" {
		args = append(args, "--dir="+c.Dir)
	}
	child := exec.CommandContext(ctx, self, args...)
	child.Stdout, child.Stderr = out, os.Stderr
	child.Cancel = func() error { return child.Process.Signal(os.Interrupt) }
	child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS, Pdeathsig: syscall.SIGTERM}
	if os.Getuid() != 0 {
		child.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		child.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		child.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	if child.Start() != nil {
		return false, nil
	}
	if child.Wait() != nil {
		return true, errors.New("the campaign did not end well: its last lines say why")
	}
	return true, nil
}
