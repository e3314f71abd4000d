package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/xnetroseraie/xnet/internal/influxd"
)

// programs are built from the checkout in which the demo is started.
var programs = []string{"./gateway", "./collector", "./api", "./deploy/simulator"}

// build compiles the programs and, where it is missing, InfluxDB. What is
// compiled already takes a second.
func (d *demo) build(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join("deploy", "demo", "main.go")); err != nil {
		return fmt.Errorf("the demo builds the programs it runs: start it in the repository's root: %w", err)
	}
	if err := os.MkdirAll(d.path("bin"), 0o755); err != nil {
		return err
	}
	if _, err := exec.LookPath("go"); err != nil {
		return fmt.Errorf("the demo builds the programs it runs: install Go first: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		args := append([]string{"build", "-o", d.path("bin") + string(filepath.Separator)}, programs...)
		command := exec.CommandContext(ctx, "go", args...)
		command.Env = append(os.Environ(), "CGO_ENABLED=0")
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("build: %w: the Go tool says why\n%s", err, output)
		}
		d.screen.step("gateway, collector, api, simulator: built")
		return nil
	})
	group.Go(func() (err error) {
		d.influxd, err = influxd.Install(ctx, d.path("bin"), d.screen.lines("InfluxDB: "))
		if err == nil {
			d.screen.step("InfluxDB %s: built", influxd.Version)
		}
		return err
	})
	return group.Wait()
}

func (d *demo) program(name string) string { return d.path("bin", name) }
