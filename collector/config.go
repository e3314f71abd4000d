package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"

	"github.com/xnetroseraie/xnet/collector/ingest"
	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/influx"
)

// Config is everything the collector is configured by.
type Config struct {
	Broker     ingest.Broker `yaml:"broker"`
	Influx     influx.Config `yaml:"influx"`
	Quarantine Quarantine    `yaml:"quarantine"`
	Ingest     Ingest        `yaml:"ingest"`
	// Figures is the address of /metrics, /healthz and /readyz.
	Figures string `yaml:"figures"`
	// Log is the least level that is logged: debug, info, warn or error.
	Log slog.Level `yaml:"log"`
}

// Quarantine is where refused packs are kept, together with the collector's own
// state. Each collector needs a folder of its own.
type Quarantine struct {
	Dir      string `yaml:"dir"`
	MaxBytes int64  `yaml:"max_bytes"`
}

// Ingest is how readings are batched.
type Ingest struct {
	BatchReadings int           `yaml:"batch_readings"`
	BatchAge      time.Duration `yaml:"batch_age"`
}

func defaultConfig() Config {
	in := ingest.DefaultConfig()
	return Config{
		Broker:     ingest.Broker{URL: "tcp://127.0.0.1:1883"},
		Influx:     influx.DefaultConfig(),
		Quarantine: Quarantine{Dir: "/var/lib/xnet/quarantine", MaxBytes: 100 << 20},
		Ingest:     Ingest{BatchReadings: in.BatchReadings, BatchAge: in.BatchAge},
		Figures:    "127.0.0.1:9102",
	}
}

// Validate joins every fault, each with its remedy.
func (c *Config) Validate() error {
	errs := []error{c.Influx.Validate()}
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if u, err := url.Parse(c.Broker.URL); err != nil || u.Scheme == "" || u.Host == "" {
		fault("broker.url %q: write it as tcp://host:1883 or ssl://host:8883", c.Broker.URL)
	}
	if _, err := c.Broker.TLS(); err != nil {
		fault("broker: %w", err)
	}
	if c.Quarantine.Dir == "" {
		fault("quarantine.dir is empty: name a folder that this collector alone writes to")
	}
	if c.Quarantine.MaxBytes < 1<<20 {
		fault("quarantine.max_bytes %d: use at least %d, one large pack", c.Quarantine.MaxBytes, 1<<20)
	}
	if c.Ingest.BatchReadings < 1 || c.Ingest.BatchReadings > 1_000_000 {
		fault("ingest.batch_readings %d: use 1 to 1000000", c.Ingest.BatchReadings)
	}
	if c.Ingest.BatchAge <= 0 || c.Ingest.BatchAge > 10*time.Second {
		fault("ingest.batch_age %s: use more than 0 and at most 10s", c.Ingest.BatchAge)
	}
	if _, _, err := net.SplitHostPort(c.Figures); err != nil {
		fault("figures %q: write it as 127.0.0.1:9102", c.Figures)
	}
	for key, path := range map[string]string{"broker.password_file": c.Broker.PasswordFile, "influx.token_file": c.Influx.TokenFile} {
		if _, err := config.Secret(path); err != nil {
			fault("%s: %w: make the file readable for the collector", key, err)
		}
	}
	return errors.Join(errs...)
}

// load reads the configuration: file, then variables XNET_COLLECTOR_….
func (e *environment) load() (Config, error) {
	c := defaultConfig()
	err := config.Load(&c, e.config, "XNET_COLLECTOR", e.getenv)
	return c, err
}

// logger writes JSON lines.
func (e *environment) logger(c Config) *slog.Logger {
	return slog.New(slog.NewJSONHandler(e.stderr, &slog.HandlerOptions{Level: c.Log}))
}

type checkCommand struct{}

// Run prints what the configuration amounts to.
func (*checkCommand) Run(e *environment) error {
	c, err := e.load()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "configuration %s is sound: from %s to %s, buckets %s_…, quarantine %s\n",
		e.config, c.Broker.URL, c.Influx.URL, c.Influx.Prefix, c.Quarantine.Dir)
	return err
}
