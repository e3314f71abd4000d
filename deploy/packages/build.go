package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/xnetroseraie/xnet/internal/influxd"
)

// A binary is a program: where its source is, and where it is installed.
type binary struct {
	source    string // folder of this repository; influxdSource for InfluxDB
	installed string // path on the target
}

// influxdSource stands for InfluxDB, which is built from its own module.
const influxdSource = "influxd"

// build returns the path of a program for a machine: static, stripped, without
// paths of the machine that builds it.
func (d *dist) build(ctx context.Context, b binary, a arch) (string, error) {
	name := filepath.Base(b.installed)
	if d.Built != "" {
		path := filepath.Join(d.Built, a.name, name)
		_, err := os.Stat(path)
		return path, err
	}
	folder, err := filepath.Abs(filepath.Join(d.Out, "bin", a.name))
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(folder, name)
	if b.source == influxdSource {
		return path, d.buildInfluxd(ctx, a, path)
	}
	return path, goTool(ctx, a, nil, "build", "-trimpath", "-ldflags=-s -w -buildid=", "-o", path, "./"+b.source)
}

// goTool runs the Go tool for a machine.
func goTool(ctx context.Context, a arch, env []string, args ...string) error {
	command := exec.CommandContext(ctx, "go", args...)
	command.Env = append(append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOFLAGS="), append(a.goarch, env...)...)
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w: run this in the repository's root\n%s", args[0], err, said)
	}
	return nil
}

// buildInfluxd builds InfluxDB from the sources of its release, in a module of its
// own whose versions are its own. The Go tool puts programs of another machine
// below GOPATH only.
func (d *dist) buildInfluxd(ctx context.Context, a arch, path string) (err error) {
	aside, err := os.MkdirTemp(filepath.Dir(path), "building-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(aside)) }()
	modules, err := output(ctx, "go", "env", "GOMODCACHE")
	if err != nil {
		return err
	}
	env := []string{"GOPATH=" + aside, "GOMODCACHE=" + modules, "GOBIN=", "GOWORK=off"}
	ldflags := "-ldflags=-s -w -buildid= -X main.version=" + influxd.Version
	if err := goTool(ctx, a, env, "install", "-trimpath", ldflags, "github.com/influxdata/influxdb/cmd/influxd@v"+influxd.Version); err != nil {
		return err
	}
	built, err := filepath.Glob(filepath.Join(aside, "bin", "influxd"))
	if err == nil && len(built) == 0 {
		built, err = filepath.Glob(filepath.Join(aside, "bin", "*", "influxd"))
	}
	if err != nil || len(built) != 1 {
		return fmt.Errorf("influxd: the Go tool left %v: %w", built, errors.Join(err, os.ErrNotExist))
	}
	return os.Rename(built[0], path)
}
