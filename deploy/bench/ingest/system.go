package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/peer"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influxd"
)

// A system is a fresh broker and a fresh InfluxDB for one run.
type system struct {
	*commands
	dir     string
	broker  string // host:port
	influx  string // host:port
	figures string // of the collector
	bench.Children
}

// newSystem starts the servers. Env is added to InfluxDB's environment.
func (c *commands) newSystem(ctx context.Context, env ...string) (s *system, err error) {
	s = &system{commands: c}
	if c.Verbose {
		s.Said = c.stderr
	}
	if s.dir, err = os.MkdirTemp(c.dir, "run-"); err != nil {
		return nil, err
	}
	for _, addr := range []*string{&s.broker, &s.influx, &s.figures} {
		if *addr, err = influxd.FreeAddr(); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(s.startInflux(ctx, env), s.startBroker(ctx)); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *system) startInflux(ctx context.Context, env []string) error {
	path, err := peer.Influxd(ctx, s.stderr)
	if err != nil {
		return err
	}
	command, err := influxd.Server{Path: path, Data: s.data(), Addr: s.influx, Flux: true}.Command(ctx)
	if err != nil {
		return err
	}
	command.Env = append(os.Environ(), env...)
	if err := s.Start(command); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := influxd.WaitHealthy(waiting, s.influx); err != nil {
		return err
	}
	store, err := s.store()
	if err != nil {
		return err
	}
	defer store.Close()
	return store.SetUp(ctx)
}

func (s *system) data() string { return filepath.Join(s.dir, "influxdb") }

// config is where the readings go: the same buckets for everybody.
func (s *system) config() influx.Config {
	c := influx.DefaultConfig()
	c.URL, c.Keep = "http://"+s.influx, influx.Retention{}
	return c
}

func (s *system) store() (*influx.Client, error) { return influx.Open(s.config()) }

func (s *system) startBroker(ctx context.Context) error {
	path, err := peer.Mosquitto()
	if err != nil {
		return err
	}
	config := filepath.Join(s.dir, "mosquitto.conf")
	if err := peer.MosquittoConfig(config, s.broker, ""); err != nil {
		return err
	}
	// The publishers are faster than everybody: what waits must not be thrown
	// away, and the way to a subscriber must not be narrow.
	text, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	wide := strings.Replace(string(text), "max_queued_messages 10000", "max_queued_messages 0\nmax_inflight_messages 1000", 1)
	if err := os.WriteFile(config, []byte(wide), 0o600); err != nil {
		return err
	}
	if err := s.Start(exec.CommandContext(ctx, path, "-c", config)); err != nil {
		return err
	}
	return bench.Listening(ctx, 10*time.Second, s.broker)
}

// stop ends the children and removes what they wrote.
func (s *system) stop() {
	s.Stop()
	_ = os.RemoveAll(s.dir)
}

// stored is how many points InfluxDB has taken into the bucket of readings since
// it started, by its own count.
func (s *system) stored() (int64, error) { return s.points("xnet_readings") }

// points is the same for any database.
func (s *system) points(database string) (points int64, err error) {
	counts, err := s.counts()
	for name, text := range counts {
		if !strings.HasPrefix(name, "shard:") {
			continue
		}
		var shard struct {
			Tags   struct{ Database string }
			Values struct{ WritePointsOk int64 }
		}
		if err := json.Unmarshal(text, &shard); err == nil && shard.Tags.Database == database {
			points += shard.Values.WritePointsOk
		}
	}
	return points, err
}

// queries is how many queries InfluxDB has answered, by its own count.
func (s *system) queries() (queries int64, err error) {
	counts, err := s.counts()
	for name, text := range counts {
		var server struct {
			Values struct{ QueryReq, FluxQueryReq int64 }
		}
		if strings.HasPrefix(name, "httpd:") && json.Unmarshal(text, &server) == nil {
			queries += server.Values.QueryReq + server.Values.FluxQueryReq
		}
	}
	return queries, err
}

// counts are InfluxDB's own figures, by subject.
func (s *system) counts() (map[string]json.RawMessage, error) {
	response, err := http.Get("http://" + s.influx + "/debug/vars")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var counts map[string]json.RawMessage
	if err := json.NewDecoder(response.Body).Decode(&counts); err != nil {
		return nil, fmt.Errorf("figures of influxdb: %w", err)
	}
	return counts, nil
}

// wait returns once so many points are stored.
func (s *system) wait(ctx context.Context, points int64) error {
	return bench.Within(ctx, 3*time.Minute, func() error {
		n, err := s.stored()
		if err == nil && n < points {
			err = fmt.Errorf("%d of %d readings are stored", n, points)
		}
		return err
	})
}

// peakMB is the largest resident memory that a process had, in MB of a million
// bytes: VmHWM of proc(5).
func peakMB(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kB, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
			return kB * 1024 / 1e6, err
		}
	}
	return 0, fmt.Errorf("process %d has ended", pid)
}

// figure reads one metric without labels of a program.
func figure(addr, name string) (float64, error) {
	response, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if number, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(number), 64)
		}
	}
	return 0, fmt.Errorf("%s does not tell %s", addr, name)
}
