package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/peer"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A result is one run.
type result struct {
	perSecond float64 // readings
	peakMB    float64 // of the contender's resident memory
}

// warm is how many messages a gateway sends before the time counts, so that
// everybody is connected and InfluxDB knows the meters.
const warm = 20

// A contender takes messages from the broker and stores them. Its process is
// started on a fresh system; form is how its messages are written, and topic
// where a gateway publishes.
type contender struct {
	name  string
	start func(ctx context.Context, s *system, l load) (*exec.Cmd, error)
	form  func(l load, g int) ([][]byte, error)
	// answered is how many messages have been answered besides being stored; nil
	// where nobody answers.
	answered func(s *system) (count func() int64, stop func(), err error)
	// settled returns once what a start makes up for is done, which is no part of
	// the race; nil for whoever makes up for nothing.
	settled func(s *system, ctx context.Context) error
}

func ours() contender {
	return contender{"the collector", startCollector, load.packs, countAnswers, (*system).rolledUp}
}

func telegraf() contender {
	return contender{"Telegraf", startTelegraf, load.lines, nil, nil}
}

func topic(g int) string {
	return wire.Source{Site: siteID, Gateway: gatewayID(g)}.Topic(wire.ReadingsChannel)
}

// race lets a contender take a load, from the first message to the last reading
// stored and, where there are answers, answered.
func (c *commands) race(ctx context.Context, who contender, l load) (r result, err error) {
	s, err := c.newSystem(ctx)
	if err != nil {
		return r, err
	}
	defer s.stop()
	payloads := make([][][]byte, gateways)
	for g := range payloads {
		if payloads[g], err = who.form(l, g); err != nil {
			return r, err
		}
	}
	answered, stop := func() int64 { return int64(l.share() * gateways) }, func() {}
	if who.answered != nil {
		if answered, stop, err = who.answered(s); err != nil {
			return r, err
		}
	}
	defer stop()
	process, err := who.start(ctx, s, l)
	if err != nil {
		return r, err
	}
	if err := s.send(payloads, 0, warm); err != nil {
		return r, err
	}
	if err := s.wait(ctx, int64(gateways*warm*l.size)); err != nil {
		return r, fmt.Errorf("%s, first messages: %w", who.name, err)
	}
	if who.settled != nil {
		if err := who.settled(s, ctx); err != nil {
			return r, fmt.Errorf("%s, after the first messages: %w", who.name, err)
		}
	}
	start := time.Now()
	var sending errgroup.Group
	sending.Go(func() error { return s.send(payloads, warm, l.share()) })
	all := int64(l.share() * gateways)
	err = errors.Join(sending.Wait(), s.wait(ctx, all*int64(l.size)), bench.Within(ctx, time.Minute, func() error {
		if n := answered(); n < all {
			return fmt.Errorf("%d of %d messages are answered", n, all)
		}
		return nil
	}))
	took := time.Since(start)
	if err != nil {
		return r, fmt.Errorf("%s: %w", who.name, err)
	}
	r.perSecond = float64((l.share()-warm)*gateways*l.size) / took.Seconds()
	r.peakMB, err = peakMB(process.Process.Pid)
	return r, err
}

// send publishes messages from to to of every gateway, each on a connection of
// its own.
func (s *system) send(payloads [][][]byte, from, to int) error {
	var group errgroup.Group
	for g := range payloads {
		group.Go(func() error {
			publisher, err := connect(s.broker, fmt.Sprintf("publisher-%d-%d", g, from))
			if err != nil {
				return err
			}
			defer publisher.close()
			return publisher.publish(topic(g), payloads[g][from:to])
		})
	}
	return group.Wait()
}

// countAnswers hears what the collector answers.
func countAnswers(s *system) (count func() int64, stop func(), err error) {
	hearer, err := connect(s.broker, "answers")
	if err != nil {
		return nil, nil, err
	}
	if err := hearer.subscribe("xnet/v1/+/+/" + string(wire.StoredChannel)); err != nil {
		return nil, nil, err
	}
	var answered atomic.Int64
	go hearer.discard(func(payload []byte) {
		var answer struct{ Stored []json.RawMessage }
		if json.Unmarshal(payload, &answer) == nil {
			answered.Add(int64(len(answer.Stored)))
		}
	})
	return answered.Load, hearer.close, nil
}

const collectorConfig = `broker: {url: "tcp://%s"}
influx: {url: "http://%s", keep: {readings_days: 0, hourly_days: 0, daily_days: 0}}
quarantine: {dir: %q}
figures: %q
log: warn
`

// startCollector runs the collector as it ships, with a registry of all meters.
func startCollector(ctx context.Context, s *system, l load) (*exec.Cmd, error) {
	payload, err := l.registry()
	if err != nil {
		return nil, err
	}
	if err := s.publish(wire.RegistryTopic(siteID), payload); err != nil {
		return nil, err
	}
	return s.runCollector(ctx)
}

// runCollector starts the collector and returns when it is ready.
func (s *system) runCollector(ctx context.Context) (*exec.Cmd, error) {
	config, err := s.collectorFile()
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, s.collector, "run", "--config", config)
	if err := s.Start(command); err != nil {
		return nil, err
	}
	return command, bench.Within(ctx, time.Minute, func() error {
		response, err := http.Get("http://" + s.figures + "/readyz")
		if err != nil {
			return err
		}
		if response.StatusCode != http.StatusOK {
			err = fmt.Errorf("the collector is not ready: %s", response.Status)
		}
		return errors.Join(err, response.Body.Close())
	})
}

func (s *system) collectorFile() (string, error) {
	config := filepath.Join(s.dir, "collector.yaml")
	text := fmt.Sprintf(collectorConfig, s.broker, s.influx, filepath.Join(s.dir, "quarantine"), s.figures)
	return config, os.WriteFile(config, []byte(text), 0o600)
}

const telegrafConfig = `[agent]
  interval = "1s"
  flush_interval = "100ms"
  metric_batch_size = 10000
  metric_buffer_limit = 1000000
  omit_hostname = true
  quiet = true
[[inputs.mqtt_consumer]]
  servers = ["tcp://%s"]
  topics = ["xnet/v1/+/+/readings"]
  topic_tag = ""
  qos = 1
  persistent_session = true
  client_id = "telegraf"
  max_undelivered_messages = %d
  data_format = "influx"
  influx_timestamp_precision = "1ms"
[[outputs.influxdb_v2]]
  urls = ["http://%s"]
  bucket = "xnet_readings/autogen"
  content_encoding = "identity"
  concurrent_writes = 2
`

// startTelegraf runs the peer with the settings that were fastest here: large
// batches, two writers, no compression, and room for several batches of messages
// under way.
func startTelegraf(ctx context.Context, s *system, l load) (*exec.Cmd, error) {
	path, err := peer.Telegraf(ctx, s.stderr)
	if err != nil {
		return nil, err
	}
	config := filepath.Join(s.dir, "telegraf.conf")
	undelivered := max(1000, 100_000/l.size)
	if err := os.WriteFile(config, fmt.Appendf(nil, telegrafConfig, s.broker, undelivered, s.influx), 0o600); err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, path, "--config", config)
	if err := s.Start(command); err != nil {
		return nil, err
	}
	return command, s.waitSubscribed(ctx)
}

// waitSubscribed sends a line of a meter of its own until it is stored.
func (s *system) waitSubscribed(ctx context.Context) error {
	return bench.Within(ctx, time.Minute, func() error {
		publisher, err := connect(s.broker, "first")
		if err != nil {
			return err
		}
		defer publisher.close()
		if err := publisher.publish(topic(0), [][]byte{[]byte("other,meter=first index=1i 1700000000000\n")}); err != nil {
			return err
		}
		time.Sleep(200 * time.Millisecond)
		n, err := s.stored()
		if err == nil && n == 0 {
			err = errors.New("nothing of Telegraf is stored yet")
		}
		return err
	})
}

// straight writes the same readings, prepared as text, into InfluxDB: two
// writers, ten thousand lines a request.
func (c *commands) straight(ctx context.Context, l load) (r result, err error) {
	s, err := c.newSystem(ctx)
	if err != nil {
		return r, err
	}
	defer s.stop()
	bodies, count, err := batches(l)
	if err != nil {
		return r, err
	}
	start := time.Now()
	var group errgroup.Group
	for w := range 2 {
		group.Go(func() error {
			for i := w; i < len(bodies); i += 2 {
				if err := s.write(ctx, bodies[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return r, err
	}
	r.perSecond = float64(count) / time.Since(start).Seconds()
	return r, nil
}

// batches joins messages as they would come, in turn from every gateway.
func batches(l load) (bodies [][]byte, count int, err error) {
	messages := make([][][]byte, gateways)
	for g := range messages {
		if messages[g], err = l.lines(g); err != nil {
			return nil, 0, err
		}
	}
	var body []byte
	for i := range l.share() {
		for g := range messages {
			body = append(body, messages[g][i]...)
			if count += l.size; count%10_000 < l.size {
				bodies, body = append(bodies, body), nil
			}
		}
	}
	if len(body) > 0 {
		bodies = append(bodies, body)
	}
	return bodies, count, nil
}

func (s *system) write(ctx context.Context, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.influx+"/write?db=xnet_readings&precision=ms", bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusNoContent {
		err = errors.Join(err, fmt.Errorf("influxdb: %s: %s", response.Status, said))
	}
	return err
}
