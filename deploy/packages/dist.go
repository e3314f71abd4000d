package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// dist is the command.
type dist struct {
	Out     string   `help:"Folder for programs and packages." default:"dist" type:"path"`
	Arch    []string `help:"Architectures, as Debian names them." default:"amd64,arm64,armhf" enum:"amd64,arm64,armhf"`
	Package []string `help:"Packages; all without it." placeholder:"NAME"`
	Version string   `help:"Version of the packages; without it that of the commit." placeholder:"1.2.3"`
	Level   int      `help:"How hard to compress, from 0, not at all, to 9." default:"6"`
	// Programs are taken from there where they were built before: a test that packs
	// twice need not build twice.
	Built string `hidden:"" type:"path"`

	stdout io.Writer
	epoch  time.Time // of the commit
}

// An arch is a machine that packages are built for.
type arch struct {
	name   string   // Debian's
	goarch []string // environment of the Go tool
}

// archs: armhf is built for ARMv6, so that it also runs on the smallest boards,
// which Debian's own armhf does not.
var archs = []arch{
	{"amd64", []string{"GOARCH=amd64", "GOAMD64=v1"}},
	{"arm64", []string{"GOARCH=arm64"}},
	{"armhf", []string{"GOARCH=arm", "GOARM=6"}},
}

// Run builds what was asked for, and prints each package's path.
func (d *dist) Run(ctx context.Context, stdout io.Writer) error {
	d.stdout = stdout
	if err := d.date(ctx); err != nil {
		return err
	}
	for _, name := range d.Package {
		if !slices.ContainsFunc(packages, func(p pack) bool { return p.name == name }) {
			return fmt.Errorf("no package %s: there are xnet-server, xnet-influxd and xnet-gateway", name)
		}
	}
	for _, a := range archs {
		if !slices.Contains(d.Arch, a.name) {
			continue
		}
		for _, p := range packages {
			if len(d.Package) > 0 && !slices.Contains(d.Package, p.name) {
				continue
			}
			if err := d.pack(ctx, p, a); err != nil {
				return fmt.Errorf("package %s for %s: %w", p.name, a.name, err)
			}
		}
	}
	return nil
}

// date reads the instant of the commit, or SOURCE_DATE_EPOCH where that is set,
// and the version that follows from it.
func (d *dist) date(ctx context.Context) error {
	seconds := os.Getenv("SOURCE_DATE_EPOCH")
	if seconds == "" {
		said, err := output(ctx, "git", "log", "-1", "--format=%ct")
		if err != nil {
			return fmt.Errorf("instant of the commit: %w: set SOURCE_DATE_EPOCH where there is no git", err)
		}
		seconds = said
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH: %w: want seconds since 1970", err)
	}
	d.epoch = time.Unix(n, 0).UTC()
	if d.Version != "" {
		return nil
	}
	if tag, err := output(ctx, "git", "describe", "--tags", "--exact-match", "--match", "v[0-9]*"); err == nil {
		d.Version = strings.TrimPrefix(tag, "v")
		return nil
	}
	// Before the first release, and between releases, versions follow the clock.
	d.Version = "0.9.0~" + d.epoch.Format("20060102.150405")
	if commit, err := output(ctx, "git", "log", "-1", "--format=%h", "--abbrev=9"); err == nil {
		d.Version += "." + commit
	}
	return nil
}

func output(ctx context.Context, name string, args ...string) (string, error) {
	said, err := exec.CommandContext(ctx, name, args...).Output()
	return strings.TrimSpace(string(said)), err
}

// pack builds the programs of a package, lays out its tree, and packs it.
func (d *dist) pack(ctx context.Context, p pack, a arch) (err error) {
	tree, err := os.MkdirTemp("", "xnet-package-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tree)) }()
	t := &staging{dist: d, pack: p, arch: a, root: tree}
	for _, b := range p.binaries {
		path, err := d.build(ctx, b, a)
		if err != nil {
			return err
		}
		if err := t.program(path, b.installed); err != nil {
			return err
		}
	}
	if err := t.layOut(); err != nil {
		return err
	}
	file := filepath.Join(d.Out, fmt.Sprintf("%s_%s_%s.deb", p.name, d.Version, a.name))
	command := exec.CommandContext(ctx, "dpkg-deb", "--root-owner-group", d.compression(), "-z"+strconv.Itoa(d.Level), "--threads-max=1", "--build", tree, file)
	command.Env = append(os.Environ(), "SOURCE_DATE_EPOCH="+strconv.FormatInt(d.epoch.Unix(), 10), "LC_ALL=C.UTF-8")
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("dpkg-deb: %w: %s", err, said)
	}
	_, err = fmt.Fprintln(d.stdout, file)
	return err
}

// compression is the format: with several threads xz would give other bytes on
// another machine.
func (d *dist) compression() string {
	if d.Level == 0 {
		return "-Znone"
	}
	return "-Zxz"
}
