package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	"github.com/xnetroseraie/xnet/internal/wire"
)

const (
	memoryMeters = 150
	memoryLimit  = 25.0 // MB
	binaryLimit  = 15.0 // MB
)

// memory runs the gateway as a process that reads 150 meters a minute, and
// watches what it takes; and builds it as it ships for ARMv6.
func (c *commands) memory(ctx context.Context) ([]bench.Row, error) {
	dir, err := os.MkdirTemp("", "xnet-memory-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	native, arm := filepath.Join(dir, "gateway"), filepath.Join(dir, "gateway-arm")
	if err := errors.Join(buildGateway(ctx, native), buildGateway(ctx, arm, "GOOS=linux", "GOARCH=arm", "GOARM=6")); err != nil {
		return nil, err
	}
	size, err := os.Stat(arm)
	if err != nil {
		return nil, err
	}
	resident, share, polled, err := c.watchGateway(ctx, dir, native)
	return []bench.Row{
		bench.New(bench.Row{Bench: "poll-memory", Ours: resident, Unit: "MB resident",
			Note: fmt.Sprintf("%d meters a minute, largest of %s, %d readings stored", memoryMeters, c.Memory, polled)},
			bench.All("at most 25 MB", func(r bench.Row) bool { return r.Ours <= memoryLimit && polled >= memoryMeters })),
		bench.New(bench.Row{Bench: "poll-processor", Ours: share, Unit: "% of a core"}, bench.Below(1, "%")),
		bench.New(bench.Row{Bench: "poll-binary", Ours: float64(size.Size()) / 1e6, Unit: "MB",
			Note: "linux/arm, GOARM=6, stripped"}, bench.AtMost(binaryLimit, "MB")),
	}, err
}

func buildGateway(ctx context.Context, path string, env ...string) error {
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "./gateway")
	build.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	if said, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the gateway: %w: run this in the repository's root\n%s", err, said)
	}
	return nil
}

// watchGateway returns the largest resident memory in MB, the share of a core in
// percent after the first ten seconds, and how many readings were published.
func (c *commands) watchGateway(ctx context.Context, dir, path string) (resident, share float64, polled int64, err error) {
	site, err := startSite(ctx)
	if err != nil {
		return 0, 0, 0, err
	}
	defer site.stop()
	config := filepath.Join(dir, "gateway.yaml")
	if err := os.WriteFile(config, []byte(site.config(dir)), 0o600); err != nil {
		return 0, 0, 0, err
	}
	var said bytes.Buffer
	command := exec.CommandContext(ctx, path, "--config", config, "run")
	command.Stdout, command.Stderr = &said, &said
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return 0, 0, 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	defer func() { _ = command.Process.Kill(); <-ended }()
	resident, share, err = c.sample(ctx, command.Process.Pid)
	if err != nil {
		err = fmt.Errorf("gateway: %w: %s", err, said.String())
	}
	return resident, share, site.readings.Load(), err
}

// warm is left out of the processor's share: start and first connection.
const warm = 10 * time.Second

func (c *commands) sample(ctx context.Context, pid int) (resident, share float64, err error) {
	var start time.Time
	var before time.Duration
	end := time.Now().Add(c.Memory + warm)
	begin := time.Now().Add(warm)
	for time.Now().Before(end) {
		select {
		case <-ctx.Done():
			return resident, share, ctx.Err()
		case <-time.After(time.Second):
		}
		now, err := residentMB(pid)
		if err != nil {
			return resident, share, err
		}
		resident = max(resident, now)
		busy, err := processorTime(pid)
		if err != nil {
			return resident, share, err
		}
		if start.IsZero() && time.Now().After(begin) {
			start, before = time.Now(), busy
		}
		if !start.IsZero() {
			share = 100 * (busy - before).Seconds() / max(1, time.Since(start).Seconds())
		}
	}
	return resident, share, nil
}

// residentMB reads VmRSS of proc(5).
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
	return 0, errors.New("it has ended")
}

// ticks is the kernel's unit of processor time, a hundredth of a second on every
// Linux that Go runs on.
const ticks = 100

// processorTime reads utime and stime of proc(5), fields 14 and 15.
func processorTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	user, userErr := strconv.ParseInt(fields[11], 10, 64)
	system, systemErr := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * time.Second / ticks, errors.Join(userErr, systemErr)
}

// A site is the meters and the broker of the watched gateway, and a collector
// that answers at once.
type site struct {
	broker    *mochi.Server
	brokerURL string
	meters    string // host:port
	cancel    context.CancelFunc
	readings  atomic.Int64
}

func startSite(ctx context.Context) (*site, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	broker, url, err := startBroker()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &site{broker: broker, brokerURL: url, meters: listener.Addr().String(), cancel: cancel}
	source := slave.SourceFunc(func(unit, _ byte, address, n uint16) ([]uint16, error) {
		registers := make([]uint16, n)
		for i := range registers {
			if (int(address)+i)%2 == 1 {
				registers[i] = uint16(unit) + uint16(time.Now().Unix()/60)
			}
		}
		return registers, nil
	})
	go func() { _ = slave.New(source, slave.Options{}).ServeTCP(ctx, listener) }()
	return s, broker.Subscribe("xnet/v1/bench/gw/readings", 1, s.store)
}

func (s *site) stop() {
	s.cancel()
	_ = s.broker.Close()
}

// store answers as the collector does.
func (s *site) store(_ *mochi.Client, _ packets.Subscription, p packets.Packet) {
	pack, err := wire.DecodePack(p.Payload)
	if err != nil {
		return
	}
	s.readings.Add(int64(len(pack.Readings)))
	payload, err := wire.Stored{Spool: pack.Spool, Stored: []wire.Seq{pack.Seq}}.Encode()
	if err == nil {
		_ = s.broker.Publish("xnet/v1/bench/gw/stored", payload, false, 1)
	}
}

// config is a gateway with 150 meters on one line.
func (s *site) config(dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "site: bench\ngateway: gw\nfigures: 127.0.0.1:0\nclock: {trust: always}\nbroker: {url: %q}\nspool: {dir: %q}\nbuses:\n",
		s.brokerURL, filepath.Join(dir, "spool"))
	fmt.Fprintf(&b, "  - url: tcp://%s\n    interval: 1m\n    devices:\n", s.meters)
	for m := range memoryMeters {
		if m%4 == 0 {
			fmt.Fprintf(&b, "      - slave: %d\n        profile: pulse-counter-4\n        meters:\n", 1+m/4)
		}
		fmt.Fprintf(&b, "          - {id: M-%d, kind: cold_water, channel: %d, pulse_ml: 1000, resolution: fine}\n", m, 1+m%4)
	}
	return b.String()
}
