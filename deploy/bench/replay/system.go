package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

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
	childs  []*exec.Cmd
	log     *slog.Logger
}

// start runs InfluxDB and a collector, but no broker yet.
func (c *commands) start(ctx context.Context, dir string) (*system, error) {
	s := &system{commands: c, dir: dir, log: slog.New(slog.DiscardHandler)}
	if c.Verbose {
		s.log = slog.New(slog.NewTextHandler(c.stderr, nil))
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
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *system) startInflux(ctx context.Context, addr string) error {
	tools := os.Getenv("XNET_TOOLS")
	if tools == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		tools = filepath.Join(cache, "xnet-tools")
	}
	path, err := influxd.Install(ctx, tools, s.stderr)
	if err != nil {
		return err
	}
	command, err := influxd.Server{Path: path, Data: filepath.Join(s.dir, "influxd"), Addr: addr}.Command(ctx)
	if err != nil {
		return err
	}
	if err := s.spawn(command); err != nil {
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
	program, config := filepath.Join(s.dir, "collector"), filepath.Join(s.dir, "collector.yaml")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./collector")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stdout, build.Stderr = s.stderr, s.stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build the collector: %w: run this in the repository's root", err)
	}
	text := fmt.Sprintf(collectorConfig, s.broker, s.store.URL, filepath.Join(s.dir, "quarantine"), s.figures)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	if err := s.spawn(exec.CommandContext(ctx, program, "run", "--config", config)); err != nil {
		return err
	}
	return within(ctx, time.Minute, func() error { return answers("http://" + s.figures + "/healthz") })
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
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		if path = "/usr/sbin/mosquitto"; !exists(path) {
			return errors.New("no Mosquitto: install Debian's package mosquitto")
		}
	}
	_, port, err := net.SplitHostPort(s.broker)
	if err != nil {
		return err
	}
	config := filepath.Join(s.dir, "mosquitto.conf")
	text := fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 10000\n", port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	if err := s.spawn(exec.CommandContext(ctx, path, "-c", config)); err != nil {
		return err
	}
	return within(ctx, 10*time.Second, func() error {
		conn, err := net.Dial("tcp", s.broker)
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// spawn starts a child that dies with this program.
func (s *system) spawn(command *exec.Cmd) error {
	command.Stdout, command.Stderr = io.Discard, io.Discard
	if s.Verbose {
		command.Stdout, command.Stderr = s.stderr, s.stderr
	}
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return fmt.Errorf("start %s: %w", command.Path, err)
	}
	s.childs = append(s.childs, command)
	return nil
}

// stop ends the children.
func (s *system) stop() {
	for _, c := range s.childs {
		_ = c.Process.Kill()
		_ = c.Wait()
	}
}

// stopLast ends the child that was started last, at once.
func (s *system) stopLast() {
	last := s.childs[len(s.childs)-1]
	s.childs = s.childs[:len(s.childs)-1]
	_ = last.Process.Kill()
	_ = last.Wait()
}

// within calls check until it returns nil, or fails with its last error.
func within(ctx context.Context, limit time.Duration, check func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := check()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
