package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/peer"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influxd"
)

// A system is everything behind the gateway, as child processes.
type system struct {
	*commands
	dir     string
	broker  string // host:port
	figures string // of the collector, the same
	store   influx.Config
	bench.Children
	log *slog.Logger
}

// start runs InfluxDB and a collector, but no broker yet.
func (c *commands) start(ctx context.Context, dir string) (*system, error) {
	s := &system{commands: c, dir: dir, log: slog.New(slog.DiscardHandler)}
	if c.Verbose {
		s.Said, s.log = c.stderr, slog.New(slog.NewTextHandler(c.stderr, nil))
	}
	var addrs [3]string
	for i := range addrs {
		var err error
		if addrs[i], err = influxd.FreeAddr(); err != nil {
			return nil, err
		}
	}
	s.broker, s.figures = addrs[0], addrs[2]
	s.store = influx.DefaultConfig()
	s.store.URL, s.store.Keep = "http://"+addrs[1], influx.Retention{}
	if err := errors.Join(s.startInflux(ctx, addrs[1]), s.startCollector(ctx)); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *system) startInflux(ctx context.Context, addr string) error {
	path, err := peer.Influxd(ctx, s.stderr)
	if err != nil {
		return err
	}
	command, err := influxd.Server{Path: path, Data: filepath.Join(s.dir, "influxd"), Addr: addr}.Command(ctx)
	if err != nil {
		return err
	}
	if err := s.Start(command); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return influxd.WaitHealthy(waiting, addr)
}

const collectorConfig = `broker: {url: "tcp://%s"}
influx: {url: %q, keep: {readings_days: 0, hourly_days: 0, daily_days: 0}}
quarantine: {dir: %q}
figures: %q
log: warn
`

func (s *system) startCollector(ctx context.Context) error {
	program, err := bench.Build(ctx, s.dir, "collector")
	if err != nil {
		return err
	}
	config := filepath.Join(s.dir, "collector.yaml")
	text := fmt.Sprintf(collectorConfig, s.broker, s.store.URL, filepath.Join(s.dir, "quarantine"), s.figures)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	if err := s.Start(exec.CommandContext(ctx, program, "run", "--config", config)); err != nil {
		return err
	}
	return bench.Within(ctx, time.Minute, func() error { return answers("http://" + s.figures + "/healthz") })
}

func answers(url string) error {
	response, err := http.Get(url)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, response.Status)
	}
	return errors.Join(err, response.Body.Close())
}

// startBroker runs Mosquitto and returns when it can be connected to.
func (s *system) startBroker(ctx context.Context) error {
	path, err := peer.Mosquitto()
	if err != nil {
		return err
	}
	config := filepath.Join(s.dir, "mosquitto.conf")
	if err := peer.MosquittoConfig(config, s.broker, ""); err != nil {
		return err
	}
	if err := s.Start(exec.CommandContext(ctx, path, "-c", config)); err != nil {
		return err
	}
	return bench.Listening(ctx, 10*time.Second, s.broker)
}
