package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/notify"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/influx"
)

// Config is how the program is set up; api/CONFIGURATION.md shows a file.
type Config struct {
	Listen   string         `yaml:"listen"`
	Site     string         `yaml:"site"` // address of the pages as people type it; by default that of listen
	Database databaseConfig `yaml:"database"`
	Broker   brokerConfig   `yaml:"broker"`
	Influx   influx.Config  `yaml:"influx"`
	Advisor  web.Advisor    `yaml:"advisor"`
	SignIn   signInConfig   `yaml:"sign_in"`
	Letter   letterConfig   `yaml:"letter"`
	Mail     notify.Config  `yaml:"mail"`
	Privacy  privacyConfig  `yaml:"privacy"`
	Training trainingConfig `yaml:"training"`
	// Weather says where outdoor temperatures are asked for once a day; see
	// api/CONFIGURATION.md. Sensors that hang at buildings are read without it.
	Weather []consumption.WeatherSource `yaml:"weather"`
	// Proxy says that a reverse proxy on this machine or its private network
	// stands in front and writes X-Forwarded-For.
	Proxy bool `yaml:"behind_proxy"`
	// SigningKeyFile holds the private key that signs gateways' configurations,
	// as api sign-key makes it; without one none is published.
	SigningKeyFile string    `yaml:"signing_key_file"`
	Log            logConfig `yaml:"log"`
}

type databaseConfig struct {
	// DSN is the path of an SQLite file or postgres://…; DSNFile is a file that
	// holds it, for one with a password.
	DSN     string `yaml:"dsn"`
	DSNFile string `yaml:"dsn_file"`
}

type brokerConfig struct {
	URL          string        `yaml:"url"`
	Username     string        `yaml:"username"`
	PasswordFile string        `yaml:"password_file"`
	Look         time.Duration `yaml:"look"` // between two looks for a changed registry
	// CAFile holds the certificates (PEM) that may vouch for an ssl:// broker, the
	// system's where it is empty; CertificateFile and KeyFile are the program's own,
	// both or none.
	CAFile          string `yaml:"ca_file"`
	CertificateFile string `yaml:"certificate_file"`
	KeyFile         string `yaml:"key_file"`
	// AccessDir is where the broker reads who may connect, GatewaysURL how gateways
	// come to it, and GatewaysCAFile what may vouch for it there: without a
	// GatewaysURL none is enrolled.
	AccessDir      string `yaml:"access_dir"`
	GatewaysURL    string `yaml:"gateways_url"`
	GatewaysCAFile string `yaml:"gateways_ca_file"`
}

// tls returns how to speak TLS with the broker; see [config.TLS].
func (b brokerConfig) tls() (*tls.Config, error) {
	return config.TLS(b.CAFile, b.CertificateFile, b.KeyFile)
}

type signInConfig struct {
	Secure  bool          `yaml:"secure_cookie"` // cookies by HTTPS only
	Session time.Duration `yaml:"session"`       // how long a session lasts
	Code    time.Duration `yaml:"code"`          // how long a new code works
	Idle    time.Duration `yaml:"idle"`          // how long a session lasts that is not used
	// The same for whoever has a role: staff see more.
	StaffSession time.Duration `yaml:"staff_session"`
	StaffIdle    time.Duration `yaml:"staff_idle"`
}

func (s signInConfig) terms() accounts.Terms {
	return accounts.Terms{Length: s.Session, Idle: s.Idle, StaffLength: s.StaffSession, StaffIdle: s.StaffIdle}
}

type letterConfig struct {
	Sender []string `yaml:"sender"` // the landlord's name and address, at most 5 lines
}

type logConfig struct {
	Level string `yaml:"level"` // debug, info, warn or error
}

const day = 24 * time.Hour

func defaultConfig() Config {
	return Config{
		Listen:   "127.0.0.1:8080",
		Database: databaseConfig{DSN: "/var/lib/xnet/api.db"},
		Broker:   brokerConfig{URL: "tcp://127.0.0.1:1883", Look: 3 * time.Second},
		Influx:   influx.DefaultConfig(),
		SignIn: signInConfig{Session: 30 * day, Idle: 7 * day, StaffSession: 7 * day, StaffIdle: 8 * time.Hour,
			Code: 400 * day},
		Mail:     notify.DefaultConfig(),
		Training: defaultTraining(),
		Log:      logConfig{Level: "info"},
	}
}

// Validate joins every fault, each with its remedy.
func (c *Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		fault("listen %q: want host:port such as 127.0.0.1:8080", c.Listen)
	}
	if _, err := sqldb.DialectOf(c.Database.DSN); err != nil && c.Database.DSNFile == "" {
		fault("database.dsn: %w", err)
	}
	if u, err := url.Parse(c.Broker.URL); err != nil || u.Host == "" {
		fault("broker.url %q: want tcp://host:port or ssl://host:port", c.Broker.URL)
	}
	if _, err := c.Broker.tls(); err != nil {
		fault("broker: %w", err)
	}
	if u, err := url.Parse(c.Broker.GatewaysURL); c.Broker.GatewaysURL != "" && (err != nil || u.Host == "") {
		fault("broker.gateways_url %q: want ssl://host:port, as gateways reach the broker", c.Broker.GatewaysURL)
	}
	if (c.Broker.GatewaysURL == "") != (c.Broker.AccessDir == "") {
		fault("broker: name gateways_url and access_dir, or none of the two: a gateway that the broker does not know cannot be enrolled")
	}
	if c.Broker.Look < 100*time.Millisecond {
		fault("broker.look %s: want at least 100ms", c.Broker.Look)
	}
	if err := c.Influx.Validate(); err != nil {
		faults = append(faults, err)
	}
	if strings.TrimSpace(c.Advisor.Name) == "" || c.Advisor.Dial() == "" {
		fault("advisor: want the name and the telephone of the human whom every page names")
	}
	if c.SignIn.Session < time.Minute {
		fault("sign_in.session %s: want at least 1m", c.SignIn.Session)
	}
	if c.SignIn.Idle < time.Minute || c.SignIn.StaffIdle < time.Minute || c.SignIn.StaffSession < time.Minute {
		fault("sign_in: idle %s, staff_idle %s, staff_session %s: want at least 1m each", c.SignIn.Idle, c.SignIn.StaffIdle, c.SignIn.StaffSession)
	}
	if u, err := url.Parse(c.siteAddress()); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || len(c.siteAddress()) > 200 {
		fault("site %q: want the address of the pages such as https://roseraie.example", c.Site)
	}
	if len(c.Letter.Sender) > 5 {
		fault("letter.sender has %d lines: want at most 5", len(c.Letter.Sender))
	}
	if err := c.Mail.Validate(); err != nil {
		faults = append(faults, err)
	}
	faults = append(faults, c.weatherFault())
	if err := c.Training.terms().Validate(); err != nil {
		faults = append(faults, err)
	}
	if c.SignIn.Code < time.Hour {
		fault("sign_in.code %s: want at least 1h", c.SignIn.Code)
	}
	if _, err := logLevel(c.Log.Level); err != nil {
		fault("log.level %q: want debug, info, warn or error", c.Log.Level)
	}
	return errors.Join(faults...)
}

// siteAddress is the address of the pages without a slash at its end.
func (c *Config) siteAddress() string {
	if c.Site == "" {
		return "http://" + c.Listen
	}
	return strings.TrimRight(c.Site, "/")
}

// A configured command reads its configuration from a file and the environment.
type configured struct {
	Config string `help:"Configuration file (YAML). Variables XNET_API_… override it." type:"path" placeholder:"FILE"`
}

func (f configured) load(p program) (Config, error) {
	c := defaultConfig()
	if err := config.Load(&c, f.Config, "XNET_API", p.getenv); err != nil {
		return Config{}, err
	}
	if c.Database.DSNFile != "" {
		dsn, err := config.Secret(c.Database.DSNFile)
		if err != nil {
			return Config{}, fmt.Errorf("database.dsn_file: %w", err)
		}
		c.Database.DSN = dsn
	}
	return c, nil
}

type checkCommand struct{ configured }

// Run serves check-config.
func (k checkCommand) Run(p program) error {
	c, err := k.load(p)
	if err != nil {
		return err
	}
	if _, err := sqldb.DialectOf(c.Database.DSN); err != nil {
		return err
	}
	if _, err := c.signingKey(); err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, "the configuration is valid")
	return nil
}
