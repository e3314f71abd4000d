package main

import (
	"fmt"
	"log/slog"
	"path/filepath"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/privacy"
	"github.com/xnetroseraie/xnet/gateway/spool"
	"github.com/xnetroseraie/xnet/internal/config"
)

// load reads the configuration that counts: that of the board's file, with the
// meters that came from afar where some did.
func (e *environment) load() (*firmwareconfig.Gateway, error) {
	c, _, err := e.loadBoth()
	return c, err
}

// loadBoth is load, with the version that came from afar, "" where the board's
// file counts alone. What came from afar and cannot be used is logged.
func (e *environment) loadBoth() (*firmwareconfig.Gateway, string, error) {
	local, err := e.loadFile()
	if err != nil {
		return nil, "", err
	}
	r, err := openRemote(local, e.logger())
	if err != nil {
		return nil, "", err
	}
	c := r.over(local)
	version, _ := r.told()
	return c, version, nil
}

// loadFile reads the board's own configuration: file, then variables
// XNET_GATEWAY_….
func (e *environment) loadFile() (*firmwareconfig.Gateway, error) {
	c := firmwareconfig.DefaultGateway()
	if err := config.Load(&c, e.config, "XNET_GATEWAY", e.getenv); err != nil {
		return nil, err
	}
	return &c, nil
}

// logger writes text lines for people, of level Info or, where XNET_LOG is
// "debug", Debug.
func (e *environment) logger() *slog.Logger {
	level := slog.LevelInfo
	if e.getenv("XNET_LOG") == "debug" {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(e.stderr, &slog.HandlerOptions{Level: level}))
}

// open opens the spool and the filter of what may enter it.
func open(c *firmwareconfig.Gateway, o spool.Options) (*spool.Spool, *privacy.Filter, error) {
	o.MaxBytes = c.Spool.MaxMB << 20
	s, err := spool.Open(c.Spool.Dir, o)
	if err != nil {
		return nil, nil, err
	}
	filter, err := privacy.Open(c, filepath.Clean(c.Spool.Dir))
	return s, filter, err
}

type checkCommand struct{}

// Run prints what the configuration amounts to.
func (*checkCommand) Run(e *environment) error {
	c, version, err := e.loadBoth()
	if err != nil {
		return err
	}
	afar := ""
	if version != "" {
		afar = fmt.Sprintf(" of version %s from afar", version)
	}
	_, err = fmt.Fprintf(e.stdout, "configuration %s is sound: gateway %s of site %s, %d buses, %d meters%s\n",
		e.config, c.Gateway, c.Site, len(c.Buses), len(c.Meters()), afar)
	return err
}

type spoolCommand struct{}

// Run prints what waits. It needs the gateway to be stopped; the figures of a
// running one are at /metrics.
func (*spoolCommand) Run(e *environment) error {
	c, err := e.load()
	if err != nil {
		return err
	}
	s, _, err := open(c, spool.Options{})
	if err != nil {
		return err
	}
	n := s.Counts()
	_, err = fmt.Fprintf(e.stdout, "spool %s in %s: %d packs wait, %d bytes", s.ID(), c.Spool.Dir, n.Packs, n.Bytes)
	if err == nil && n.Packs > 0 {
		_, err = fmt.Fprintf(e.stdout, ", the oldest since %s", n.Oldest.Format("2006-01-02 15:04:05"))
	}
	fmt.Fprintln(e.stdout)
	if closing := s.Close(); err == nil {
		err = closing
	}
	return err
}
