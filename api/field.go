package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/meters"
	metercheck "github.com/xnetroseraie/xnet/api/meters/check"
	"github.com/xnetroseraie/xnet/api/meters/configuration"
	"github.com/xnetroseraie/xnet/api/meters/watch"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/registry"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/dashboards/installer"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/influx"
)

// settleEvery is how soon a dial or a tap is held against a reading that came.
const settleEvery = 5 * time.Second

// A field is what the program does with gateways in the background: it publishes
// the registry and configurations, hears what they report, and settles checks.
type field struct {
	publisher *registry.Publisher
	listener  *watch.Listener
	checks    *metercheck.Store
	log       *slog.Logger
}

// newField prepares it. Before each look at the registry before runs, unless it
// is nil.
func newField(c Config, db *sql.DB, client *influx.Client, before func(context.Context) error, log *slog.Logger) (*field, error) {
	password, err := config.Secret(c.Broker.PasswordFile)
	if err != nil {
		return nil, fmt.Errorf("broker.password_file: %w", err)
	}
	key, err := c.signingKey()
	if err != nil {
		return nil, err
	}
	trust, err := c.Broker.tls()
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("name of this machine: %w", err)
	}
	// Two programs with one name would throw each other off the broker.
	id := fmt.Sprintf("xnet-api-%s-%d", host, os.Getpid())
	homes, fleet := premises.NewStore(db), meters.NewStore(db)
	publisher := registry.New(registry.Broker{URL: c.Broker.URL, ClientID: id, Username: c.Broker.Username, Password: password, TLS: trust},
		homes, fleet, configuration.NewStore(db, fleet, key), c.Broker.Look, before, log)
	listener := watch.NewListener(watch.Broker{URL: c.Broker.URL, ClientID: id + "-watch", Username: c.Broker.Username, Password: password, TLS: trust},
		watch.NewStore(db, homes, fleet, client), watch.DefaultRhythms(), time.Now, log)
	return &field{publisher, listener, metercheck.NewStore(db, fleet, client), log}, nil
}

// run works until ctx ends.
func (f *field) run(ctx context.Context) {
	var background sync.WaitGroup
	background.Go(func() { f.publisher.Run(ctx) })
	background.Go(func() { f.listener.Run(ctx) })
	background.Go(func() { f.checks.Run(ctx, settleEvery, time.Now, f.log) })
	background.Wait()
}

// equipment adds the routes of gateways and meters, JSON and pages.
func (s server) equipment(e *echo.Echo, site *web.Site, v1 *echo.Group, homes *premises.Store, once *resource.Once) error {
	key, err := s.config.signingKey()
	if err != nil {
		return err
	}
	fleet := meters.NewStore(s.db)
	checks, reports := metercheck.NewStore(s.db, fleet, s.influx), watch.NewStore(s.db, homes, fleet, s.influx)
	configs := configuration.NewStore(s.db, fleet, key)
	enrol, err := s.enrolment(fleet)
	if err != nil {
		return err
	}
	enrol.Register(v1)
	installer.New(installer.Parts{Site: site, Meters: fleet, Checks: checks, Watch: reports, Configs: configs, Enrolments: enrol, Now: s.now}).Register(e)
	meters.NewHandler(fleet, checks.Replace, once, s.now).Register(v1)
	metercheck.NewHandler(checks, once, s.now).Register(v1)
	watch.NewHandler(reports, s.now).Register(v1)
	configuration.NewHandler(configs, s.now).Register(v1)
	return nil
}
