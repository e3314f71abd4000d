package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influxd"
)

// A state is what a later run must know of the earlier ones.
type state struct {
	Seed uint64 `json:"seed"`
	// Epoch is the day on which history begins.
	Epoch civil.Date `json:"epoch"`
	// HistoryUntil is the instant before which history was imported.
	HistoryUntil time.Time `json:"history_until"`
}

// loadState reads the state, or begins it some months back.
func (d *demo) loadState(now time.Time) (*state, error) {
	text, err := os.ReadFile(d.path("state.json"))
	if errors.Is(err, os.ErrNotExist) {
		return &state{Seed: d.Seed, Epoch: civil.DateOf(now.AddDate(0, -d.Months, 0))}, nil
	}
	if err != nil {
		return nil, err
	}
	var s state
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("%s: %w: remove the folder %s to begin anew", d.path("state.json"), err, d.Dir)
	}
	if d.Seed != s.Seed {
		return nil, fmt.Errorf("the residence in %s has seed %d, not %d: name another --dir, or remove it to begin anew", d.Dir, s.Seed, d.Seed)
	}
	return &s, nil
}

func (d *demo) saveState(s *state) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	temporary := d.path("state.json.new")
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, d.path("state.json"))
}

// lock makes sure that one demo alone uses the folder.
func (d *demo) lock() (*os.File, error) {
	if err := os.MkdirAll(d.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("%w: name a folder that can be written with --dir", err)
	}
	file, err := os.OpenFile(d.path("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another demo runs in %s: stop it, or name another --dir", d.Dir), file.Close())
	}
	return file, nil
}

// patience is how long the programs of a demo that was killed may take to end.
const patience = 20 * time.Second

// shareLock takes the lock that every child inherits and so holds until the last
// of them has ended, however the demo itself ended: two InfluxDB on one folder
// would damage it.
func (d *demo) shareLock(ctx context.Context) (*os.File, error) {
	file, err := os.OpenFile(d.path("children.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for until, told := time.Now().Add(patience), false; ; told = true {
		if err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err == nil {
			return file, nil
		}
		if time.Now().After(until) {
			err = fmt.Errorf("programs of an earlier demo still run: end them, their numbers are in %s: %w", d.path("pid"), err)
			return nil, errors.Join(err, file.Close())
		}
		if !told {
			d.screen.step("waiting for the programs of an earlier demo to end")
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), file.Close())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// A fresh demo takes about 170 MB, and a later one little more than it has.
const (
	roomFirst = 400 << 20
	roomLater = 50 << 20
)

// checkRoom demands room on the disk, which InfluxDB does not tell about when it
// has none.
func (d *demo) checkRoom() error {
	var disk unix.Statfs_t
	if err := unix.Statfs(d.Dir, &disk); err != nil {
		return fmt.Errorf("look at the disk of %s: %w", d.Dir, err)
	}
	wanted := int64(roomLater)
	if _, err := os.Stat(d.path("influxdb")); err != nil {
		wanted = roomFirst
	}
	if free := int64(disk.Bavail) * disk.Bsize; free < wanted {
		return fmt.Errorf("the disk of %s has %d MB left and the demo wants %d: make room, or name another folder with --dir",
			d.Dir, free>>20, wanted>>20)
	}
	return nil
}

func (d *demo) path(parts ...string) string {
	return filepath.Join(append([]string{d.Dir}, parts...)...)
}

// An addresses says where each program listens, all on loopback.
type addresses struct {
	api, broker, influx, collector string
	gateways                       map[string]string // figures
	modbus                         map[string]string // TCP meters
}

// Validate checks what kong cannot.
func (d *demo) Validate() error {
	if d.Port < 0 || d.Port > 65535 {
		return fmt.Errorf("--port %d: want 1 to 65535, or 0 for any that is free", d.Port)
	}
	return nil
}

// choose picks free ports; the API keeps the port it was given, unless somebody
// else has it.
func (d *demo) choose(gateways []string) (*addresses, error) {
	a := &addresses{gateways: map[string]string{}, modbus: map[string]string{}}
	var errs []error
	free := func() string {
		addr, err := influxd.FreeAddr()
		errs = append(errs, err)
		return addr
	}
	a.broker, a.influx, a.collector = free(), free(), free()
	for _, g := range gateways {
		a.gateways[g], a.modbus[g] = free(), free()
	}
	a.api = fmt.Sprintf("127.0.0.1:%d", d.Port)
	switch l, err := net.Listen("tcp", a.api); {
	case err != nil:
		d.screen.step("port %d is in use: the pages get another", d.Port)
		a.api = free()
	default:
		a.api = l.Addr().String() // with the port itself where any would do
		errs = append(errs, l.Close())
	}
	return a, errors.Join(errs...)
}
