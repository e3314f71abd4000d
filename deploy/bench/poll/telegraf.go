package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"

	"github.com/xnetroseraie/xnet/deploy/bench/line"
	"github.com/xnetroseraie/xnet/deploy/bench/peer"
)

// telegraf reads the same meters with inputs.modbus, one request a meter, and
// publishes to a broker in this process, once a second: as a site would set it
// up. It starts the next gathering as soon as the one before has ended.
func telegraf(ctx context.Context, l *line.Line, o line.Options) error {
	path, err := peer.Telegraf(ctx, os.Stderr)
	if err != nil {
		return err
	}
	broker, url, err := startBroker()
	if err != nil {
		return err
	}
	defer func() { _ = broker.Close() }()
	dir, err := os.MkdirTemp("", "xnet-telegraf-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	config := filepath.Join(dir, "telegraf.conf")
	if err := os.WriteFile(config, []byte(telegrafConfig(l, o, url)), 0o600); err != nil {
		return err
	}
	var said bytes.Buffer
	command := exec.CommandContext(ctx, path, "--config", config)
	command.Stdout, command.Stderr = &said, &said
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Run(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("telegraf: %w: %s", err, said.String())
	}
	return nil
}

func telegrafConfig(l *line.Line, o line.Options, url string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `[agent]
  interval = "100ms"
  round_interval = false
  flush_interval = "1s"
  omit_hostname = true
  quiet = true
[[outputs.mqtt]]
  servers = [%q]
  topic = "bench"
  data_format = "influx"
[[inputs.modbus]]
  name = "bench"
  controller = "file://%s"
  baud_rate = %d
  data_bits = 8
  parity = "N"
  stop_bits = 2
  transmission_mode = "RTU"
  timeout = %q
  configuration_type = "request"
`, url, l.Path(), o.Baud, timeout)
	for s := firstSlave; s < firstSlave+meters; s++ {
		fmt.Fprintf(&b, "[[inputs.modbus.request]]\n  slave_id = %d\n  byte_order = \"ABCD\"\n  register = \"holding\"\n  fields = [\n", s)
		for i := range quantity / 2 {
			fmt.Fprintf(&b, "    { address = %d, name = \"m%d\", type = \"UINT32\" },\n", 2*i, i)
		}
		b.WriteString("  ]\n")
	}
	return b.String()
}

// startBroker starts a broker on a free port of loopback.
func startBroker() (*mochi.Server, string, error) {
	server := mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler), InlineClient: true})
	tcp := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	err := errors.Join(server.AddHook(new(auth.AllowHook), nil), server.AddListener(tcp))
	if err == nil {
		err = server.Serve()
	}
	if err != nil {
		return nil, "", fmt.Errorf("broker: %w", err)
	}
	return server, "tcp://" + tcp.Address(), nil
}
