package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/analysis/residence"
	"github.com/xnetroseraie/xnet/internal/influxd"
)

// A server is all programs of one, with a residence in it.
type server struct {
	house     *residence.House
	dir       string
	children  bench.Children
	collector int // process id
	stops     []func() error
}

// serve fills a residence with so many months, 0 for all that a page looks at, and
// starts the programs. The caller ends the server.
func (c *commands) serve(ctx context.Context, dwellings, months int) (s *server, err error) {
	s = &server{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.end())
		}
	}()
	if s.dir, err = os.MkdirTemp("", "xnet-bench-load-"); err != nil {
		return s, err
	}
	home, err := residence.New(ctx, residence.Plan{Dwellings: dwellings, Months: months, Fine: true, Verbose: c.Verbose, Said: c.stderr})
	if err != nil {
		return s, err
	}
	s.stops = append(s.stops, home.Close)
	if err := home.Rest(ctx); err != nil {
		return s, err
	}
	if err := home.Restart(ctx); err != nil {
		return s, err
	}
	if s.house, err = home.Settle(ctx); err != nil {
		return s, err
	}
	s.stops = append(s.stops, s.house.End)
	stop, err := s.house.Serve(ctx)
	if err != nil {
		return s, err
	}
	s.stops = append(s.stops, func() error { stop(); return nil })
	return s, s.collect(ctx)
}

// collect builds and starts the collector, and returns once it can store.
func (s *server) collect(ctx context.Context) error {
	program, err := bench.Build(ctx, s.dir, "collector")
	if err != nil {
		return err
	}
	figures, err := influxd.FreeAddr()
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, program, "run")
	command.Env = append(s.house.Environment(), "XNET_COLLECTOR_QUARANTINE_DIR="+filepath.Join(s.dir, "quarantine"), "XNET_COLLECTOR_FIGURES="+figures,
		"GOGC="+plainGOGC)
	if err := s.children.Start(command); err != nil {
		return err
	}
	s.collector = command.Process.Pid
	return bench.Listening(ctx, time.Minute, figures)
}

// end ends all, the last that was started first.
func (s *server) end() error {
	s.children.Stop()
	errs := []error{os.RemoveAll(s.dir)}
	for i := len(s.stops) - 1; i >= 0; i-- {
		errs = append(errs, s.stops[i]())
	}
	return errors.Join(errs...)
}

// A program is one of the three of a server.
type program struct {
	name string
	pid  int
}

func (s *server) programs() []program {
	api, store := s.house.Processes()
	return []program{{"API", api}, {"collector", s.collector}, {"InfluxDB", store}}
}

// residentMB is VmRSS of proc(5) in MB of a million bytes.
func residentMB(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kB, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
			return kB * 1024 / 1e6, err
		}
	}
	return 0, fmt.Errorf("process %d has ended", pid)
}
