package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/influxd"
)

// manager is the person who reads and imports.
const manager = "P-manager"

// A landlord is a database of its own with residences and their manager, and
// how to run the program on it.
type landlord struct {
	*commands
	dir    string
	addr   string // where the program serves
	broker *broker
	env    []string
}

const putResidence = `
INSERT INTO residence (id, name, zone, earliest_ms)
VALUES ($1, $1, 'Europe/Paris', 0)`

const putManager = `
INSERT INTO person (id, name, language)
VALUES ($1, 'Manager', 'fr')`

const putRole = `
INSERT INTO staff_role (person_id, role, residence_id)
VALUES ($1, 'manager', NULL)`

// newLandlord makes a database with residences for so many dwellings, and
// without the dwellings.
func (c *commands) newLandlord(ctx context.Context, dwellings int) (*landlord, error) {
	l := &landlord{commands: c}
	var err error
	if l.dir, err = os.MkdirTemp(c.dir, "landlord-"); err != nil {
		return nil, err
	}
	if l.addr, err = influxd.FreeAddr(); err != nil {
		return nil, err
	}
	away, err := influxd.FreeAddr()
	if err != nil {
		return nil, err
	}
	if l.broker, err = startBroker(); err != nil {
		return nil, err
	}
	l.env = append(os.Environ(), "XNET_API_LISTEN="+l.addr, "XNET_API_DATABASE_DSN="+l.dsn(), "XNET_API_ADVISOR_NAME=Advisor",
		"XNET_API_ADVISOR_TELEPHONE=02 41 00 00 00", "XNET_API_BROKER_URL="+l.broker.url, "XNET_API_INFLUX_URL=http://"+away,
		"XNET_API_LOG_LEVEL=warn")
	return l, l.with(ctx, func(db *sql.DB) error {
		return sqldb.InTx(ctx, db, func(tx *sql.Tx) error {
			for n := range residences(dwellings) {
				if _, err := tx.ExecContext(ctx, putResidence, residenceID(n)); err != nil {
					return fmt.Errorf("residence %s: %w", residenceID(n), err)
				}
			}
			_, person := tx.ExecContext(ctx, putManager, manager)
			_, role := tx.ExecContext(ctx, putRole, manager)
			return errors.Join(person, role)
		})
	})
}

func (l *landlord) dsn() string { return filepath.Join(l.dir, "api.db") }

// with opens the database for as long as do needs it, and returns when the disk
// has what was written: a program that is measured would wait for it.
func (l *landlord) with(ctx context.Context, do func(*sql.DB) error) error {
	db, err := sqldb.Open(ctx, l.dsn())
	if err != nil {
		return err
	}
	defer syscall.Sync()
	return errors.Join(do(db), db.Close())
}

// api runs the program with args to its end and returns what it said.
func (l *landlord) api(ctx context.Context, args ...string) (string, error) {
	var said, faults bytes.Buffer
	command := exec.CommandContext(ctx, l.program, args...)
	command.Env, command.Stdout, command.Stderr = l.env, &said, &faults
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("api %s: %w: %s%s", args[0], err, &said, &faults)
	}
	return said.String(), nil
}

// code returns a new code for the manager to sign in with.
func (l *landlord) code(ctx context.Context) (string, error) {
	said, err := l.api(ctx, "invite", "--json", manager)
	if err != nil {
		return "", err
	}
	var invited []struct{ Code string }
	if err := json.Unmarshal([]byte(said), &invited); err != nil || len(invited) != 1 {
		return "", fmt.Errorf("api invite said %q", said)
	}
	return invited[0].Code, nil
}

// serve starts the program and returns a browser of the manager, signed in, and
// what ends the program.
func (l *landlord) serve(ctx context.Context) (*browser, func(), error) {
	code, err := l.code(ctx)
	if err != nil {
		return nil, nil, err
	}
	command := exec.CommandContext(ctx, l.program, "run")
	command.Env, command.Stdout, command.Stderr = l.env, io.Discard, io.Discard
	if l.Verbose {
		command.Stderr = l.stderr
	}
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return nil, nil, fmt.Errorf("start the API: %w", err)
	}
	stop := func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	}
	b, err := newBrowser("http://" + l.addr)
	if err == nil {
		err = b.signIn(ctx, code)
	}
	if err != nil {
		stop()
		return nil, nil, err
	}
	return b, stop, nil
}

// end stops the broker and removes the database.
func (l *landlord) end() {
	l.broker.stop()
	_ = os.RemoveAll(l.dir)
}

// lastLine is what a command said last.
func lastLine(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	return lines[len(lines)-1]
}
