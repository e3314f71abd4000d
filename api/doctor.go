package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/xnetroseraie/xnet/api/doctor"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/influx"
)

type doctorCommand struct {
	configured
	Collector string `help:"The collector's configuration (YAML); an empty name where it runs elsewhere." type:"path" default:"/etc/xnet/collector.yaml" placeholder:"FILE"`
}

// Run looks at the whole chain and changes nothing.
func (d doctorCommand) Run(ctx context.Context, p program) error {
	checks := []doctor.Check{{Part: "configuration", Look: func(context.Context) (string, error) {
		err := checkCommand{d.configured}.Run(program{p.getenv, io.Discard})
		if err == nil {
			return "valid", nil
		}
		return "", &doctor.Fault{Wrong: err.Error(), Remedy: "correct the file; xnet-api check-config says when it is right"}
	}}}
	c, err := d.load(p)
	if err == nil {
		collected, wrong := d.collector()
		checks = append(checks, c.checks(collected, wrong, time.Now)...)
	}
	return doctor.Run(ctx, p.stdout, checks)
}

// A collectorFile is what the doctor must know of the collector's configuration,
// which the collector itself checks.
type collectorFile struct {
	Broker     brokerConfig  `yaml:"broker"`
	Influx     influx.Config `yaml:"influx"`
	Quarantine struct {
		Dir string `yaml:"dir"`
	} `yaml:"quarantine"`
	Figures string `yaml:"figures"`
}

// collector reads the collector's file; nil where it runs elsewhere.
func (d doctorCommand) collector() (*collectorFile, error) {
	c := &collectorFile{Broker: brokerConfig{URL: "tcp://127.0.0.1:1883"}, Influx: influx.DefaultConfig(), Figures: "127.0.0.1:9102"}
	c.Quarantine.Dir = "/var/lib/xnet/quarantine"
	if d.Collector == "" {
		return nil, nil //nolint:nilnil // none here is no fault
	}
	text, err := os.ReadFile(d.Collector)
	if err == nil {
		err = yaml.Unmarshal(text, c)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// checks are those of a configuration that can be read.
func (c *Config) checks(collected *collectorFile, wrong error, now func() time.Time) []doctor.Check {
	secret := []string{c.Broker.PasswordFile, c.Broker.KeyFile, c.Influx.TokenFile, c.Mail.PasswordFile, c.Database.DSNFile, c.SigningKeyFile}
	if d, err := sqldb.DialectOf(c.Database.DSN); err == nil && d == sqldb.SQLite {
		secret = append(secret, c.Database.DSN)
	}
	certificates, folders := c.certificates(), c.folders()
	if collected != nil {
		secret = append(secret, collected.Broker.PasswordFile, collected.Broker.KeyFile, collected.Influx.TokenFile)
		folders = append(folders, collected.Quarantine.Dir)
	}
	field := doctor.Field{DSN: c.Database.DSN, Influx: c.Influx, Now: now}
	checks := []doctor.Check{doctor.Secrets(secret), doctor.Database(c.Database.DSN),
		doctor.Broker("api", c.Broker.user()), doctor.Influx("api", c.Influx), doctor.Program("api", c.Listen)}
	checks = append(checks, collected.checks(wrong)...)
	checks = append(checks, doctor.Clock(doctor.KernelClock, now), doctor.Certificates(certificates, now), doctor.Disks(folders))
	return append(checks, field.Checks()...)
}

// checks are those of the collector's own configuration.
func (c *collectorFile) checks(wrong error) []doctor.Check {
	if c == nil {
		return []doctor.Check{{Part: "collector", Look: func(context.Context) (string, error) {
			if wrong != nil {
				return "", &doctor.Fault{Wrong: wrong.Error(), Remedy: "name its configuration with --collector FILE, or --collector= where it runs on another machine"}
			}
			return "runs elsewhere: look there", nil
		}}}
	}
	return []doctor.Check{doctor.Broker("collector", c.Broker.user()), doctor.Influx("collector", c.Influx),
		doctor.Program("collector", c.Figures), doctor.Intake(c.Figures)}
}

// user is how the program signs in at the broker. What cannot be read is told by
// the checks of secrets and certificates.
func (b brokerConfig) user() doctor.BrokerUser {
	password, _ := config.Secret(b.PasswordFile)
	trust, _ := b.tls()
	if trust == nil {
		if u, err := url.Parse(b.URL); err == nil && u.Scheme == "ssl" {
			trust = &tls.Config{MinVersion: tls.VersionTLS12}
		}
	}
	return doctor.BrokerUser{URL: b.URL, Username: b.Username, Password: password, TLS: trust}
}

// certificates are the files whose end matters: the API's own, and the broker's
// where it stands on this machine.
func (c *Config) certificates() []string {
	var files []string
	for _, file := range []string{c.Broker.CAFile, c.Broker.CertificateFile, c.Broker.GatewaysCAFile} {
		if file != "" {
			files = append(files, file)
		}
	}
	if c.Broker.AccessDir != "" {
		server := filepath.Join(c.Broker.AccessDir, "server.pem")
		if _, err := os.Stat(server); !errors.Is(err, fs.ErrNotExist) {
			files = append(files, server)
		}
	}
	return files
}

// folders are those that fill up.
func (c *Config) folders() []string {
	folders := []string{filepath.Dir(c.ledger())}
	if beside := sqldb.Beside(c.Database.DSN, "db"); beside != "" && filepath.Dir(beside) != folders[0] {
		folders = append(folders, filepath.Dir(beside))
	}
	return folders
}
