// Package peer gets the programs that benchmarks and campaigns run beside ours:
// Telegraf, InfluxDB and Mosquitto.
package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/xnetroseraie/xnet/internal/influxd"
)

// TelegrafVersion is the release that [Telegraf] builds.
const TelegrafVersion = "1.37.2"

// The plugins alone that its parts take.
const (
	telegrafModule = "github.com/influxdata/telegraf/cmd/telegraf@v" + TelegrafVersion
	telegrafTags   = "custom,inputs.mqtt_consumer,inputs.modbus,outputs.influxdb_v2,outputs.mqtt," +
		"parsers.influx,parsers.json_v2,serializers.influx"
)

// ToolsDir is where built programs are kept: XNET_TOOLS, or a folder of the
// user's cache.
func ToolsDir() (string, error) {
	if dir := os.Getenv("XNET_TOOLS"); dir != "" {
		return filepath.Abs(dir)
	}
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "xnet-tools"), err
}

// Telegraf returns the path of Telegraf and builds it where it is missing, which
// takes minutes; what is said meanwhile goes to progress.
func Telegraf(ctx context.Context, progress io.Writer) (string, error) {
	tools, err := ToolsDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(tools, "telegraf-"+TelegrafVersion)
	path := filepath.Join(dir, "telegraf")
	if exists(path) {
		return path, nil
	}
	fmt.Fprintln(progress, "  building Telegraf", TelegrafVersion, "once, which takes minutes …")
	build := exec.CommandContext(ctx, "go", "install", "-tags", telegrafTags, telegrafModule)
	build.Dir = os.TempDir() // outside any module, whose versions must not count
	build.Env = append(os.Environ(), "GOBIN="+dir, "CGO_ENABLED=0", "GOFLAGS=")
	build.Stdout, build.Stderr = progress, progress
	if err := build.Run(); err != nil {
		return "", fmt.Errorf("build Telegraf: %w: is the Go module proxy reachable? --no-peer leaves it out", err)
	}
	return path, nil
}

// Influxd returns the path of InfluxDB 1.8.10 and builds it where it is missing,
// which takes a minute.
func Influxd(ctx context.Context, progress io.Writer) (string, error) {
	tools, err := ToolsDir()
	if err != nil {
		return "", err
	}
	return influxd.Install(ctx, tools, progress)
}

// Mosquitto returns the path of the broker.
func Mosquitto() (string, error) {
	path, err := exec.LookPath("mosquitto")
	if err == nil {
		return path, nil
	}
	if path = "/usr/sbin/mosquitto"; exists(path) { // where Debian puts it, outside of a user's path
		return path, nil
	}
	return "", errors.New("no Mosquitto: install Debian's package mosquitto")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// MosquittoConfig writes the configuration of a broker at addr, host:port on
// loopback, to path. What the broker is to keep lies in data, a folder that
// exists; with "" it keeps nothing.
func MosquittoConfig(path, addr, data string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("listener %s %s\nallow_anonymous true\nmax_queued_messages 10000\n", port, host)
	if data == "" {
		text += "persistence false\n"
	} else {
		// As root the broker would become a user who may not write there.
		text += fmt.Sprintf("persistence true\npersistence_location %s/\nautosave_interval 1\nuser root\n", data)
	}
	return os.WriteFile(path, []byte(text), 0o600)
}
