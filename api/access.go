package main

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"os"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/enrolment"
	"github.com/xnetroseraie/xnet/api/sqldb"
)

// accessCommand is what a set-up runs before the broker starts for the first time.
type accessCommand struct{ configured }

// Run writes the files by which the broker knows its users, and the passwords of
// the two programs where there are none yet.
func (a accessCommand) Run(ctx context.Context, p program) (err error) {
	c, err := a.load(p)
	if err != nil {
		return err
	}
	if c.Broker.AccessDir == "" {
		return errors.New("broker.access_dir is empty: name the folder from which the broker reads who may connect")
	}
	db, err := sqldb.Open(ctx, c.Database.DSN)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	files := enrolment.Files{Dir: c.Broker.AccessDir}
	if err := c.writeAccess(ctx, db); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s says who may connect to the broker: have it read anew\n", files.Dir)
	for _, program := range []string{enrolment.APIUser, enrolment.CollectorUser} {
		fmt.Fprintf(p.stdout, "%s: broker username %s, password_file %s\n", program, program, files.PasswordFile(program))
	}
	return nil
}

// writeAccess brings the broker's files up to date. The API does so at its start:
// on a machine that was restored they know no gateway yet.
func (c Config) writeAccess(ctx context.Context, db *sql.DB) error {
	return enrolment.NewStore(db, meters.NewStore(db), enrolment.Files{Dir: c.Broker.AccessDir}).Write(ctx)
}

// enrolment returns the handler by which gateways get their access.
func (s server) enrolment(fleet *meters.Store) (*enrolment.Handler, error) {
	reach, err := s.config.reach()
	if err != nil {
		return nil, err
	}
	return &enrolment.Handler{Store: enrolment.NewStore(s.db, fleet, enrolment.Files{Dir: s.config.Broker.AccessDir}),
		Reach: reach, Throttle: accounts.NewThrottle(), Now: s.now}, nil
}

// reach is how gateways come to the broker.
func (c Config) reach() (enrolment.Reach, error) {
	r := enrolment.Reach{URL: c.Broker.GatewaysURL, Pages: c.siteAddress()}
	if c.Broker.GatewaysCAFile != "" {
		text, err := os.ReadFile(c.Broker.GatewaysCAFile)
		if err != nil {
			return r, fmt.Errorf("broker.gateways_ca_file: %w: name the certificates (PEM) that vouch for the broker", err)
		}
		r.Authority = string(text)
	}
	key, err := c.signingKey()
	if err != nil || key == nil {
		return r, err
	}
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return r, errors.New("signing_key_file: the key is no ed25519 key: api sign-key makes one")
	}
	r.ConfigKey = base64.StdEncoding.EncodeToString(public)
	return r, nil
}
