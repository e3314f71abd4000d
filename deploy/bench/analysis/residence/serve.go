package residence

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/internal/influxd"
)

const (
	site       = "site"
	modulus    = 100_000_000_000 // of the registers, in mL or Wh
	maxPerHour = 3_000_000
)

// A House is the residence behind the real program, which is built from the
// working directory and runs as a child.
type House struct {
	*Residence
	URL string // of the pages

	program string
	serving int // process id
	env     []string
	codes   []string // of the tenants, by dwelling
	broker  *mochi.Server
	url     string // of the broker
}

// Settle builds the program, has it load the residence's file and judge the last
// night, and makes a code for each tenant to sign in with. The caller ends the house.
func (r *Residence) Settle(ctx context.Context) (*House, error) {
	h := &House{Residence: r}
	addr, err := influxd.FreeAddr()
	if err != nil {
		return nil, err
	}
	if h.program, err = bench.Build(ctx, r.dir, "api"); err != nil {
		return nil, err
	}
	broker, err := h.startBroker()
	if err != nil {
		return nil, err
	}
	h.URL, h.url = "http://"+addr, broker
	h.env = append(os.Environ(), "XNET_API_LISTEN="+addr, "XNET_API_DATABASE_DSN="+h.dsn(), "XNET_API_ADVISOR_NAME=Advisor",
		"XNET_API_ADVISOR_TELEPHONE=02 41 00 00 00", "XNET_API_BROKER_URL="+broker, "XNET_API_INFLUX_URL="+r.url, "XNET_API_LOG_LEVEL=warn")
	if err := h.load(ctx); err != nil {
		return nil, errors.Join(err, h.End())
	}
	return h, nil
}

func (h *House) dsn() string { return filepath.Join(h.dir, "api.db") }

// startBroker starts one in this process that takes the registry, which the
// program publishes while it serves.
func (h *House) startBroker() (url string, err error) {
	h.broker = mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler)})
	tcp := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	err = errors.Join(h.broker.AddHook(new(auth.AllowHook), nil), h.broker.AddListener(tcp))
	if err == nil {
		err = h.broker.Serve()
	}
	if err != nil {
		return "", fmt.Errorf("broker: %w", err)
	}
	return "tcp://" + tcp.Address(), nil
}

// End ends the broker; what [House.Serve] started must have ended.
func (h *House) End() error { return h.broker.Close() }

func (h *House) load(ctx context.Context) error {
	path := filepath.Join(h.dir, "residence.yaml")
	if err := os.WriteFile(path, h.file(), 0o600); err != nil {
		return err
	}
	if err := h.run(ctx, "load", path); err != nil {
		return err
	}
	if err := h.run(ctx, "nightly"); err != nil { // pages show what was found; done by day it would be measured beside them
		return err
	}
	return h.invite(ctx)
}

// run does one of the program's commands.
func (h *House) run(ctx context.Context, args ...string) error {
	command := exec.CommandContext(ctx, h.program, args...)
	command.Env = h.env
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("api %s: %w: %.500s", args[0], err, said)
	}
	return nil
}

// file is the residence as the program loads it: one household of two a dwelling,
// who agreed to be shown their days.
func (h *House) file() []byte {
	var text bytes.Buffer
	since := h.First.First()
	fmt.Fprintf(&text, "residence: {id: %s, name: Residence, zone: %s, earliest: %sT00:00:00Z}\ngateways: [{id: gw}]\ndwellings:\n", site, h.Zone, since.AddDays(-1))
	for n := range h.Dwellings {
		fmt.Fprintf(&text, "  - {id: D-%04d, building: %q, staircase: \"%d\", label: \"%d\", floor: %d, rooms: 3, area_m2: 62.5, ",
			n, string(rune('A'+n/60%26)), 1+n%60/20, n, n%20/4)
		fmt.Fprintf(&text, "households: [{id: F-%04[1]d, occupants: 2, language: fr, moved_in: %[2]s, consents: [%[3]s], "+
			"persons: [{id: P-%04[1]d, name: Tenant}]}], points: [", n, since, h.consents())
		for i, k := range Kinds {
			fmt.Fprintf(&text, "%s{id: D-%04d-%s, kind: %[3]s, meters: [{id: %s, gateway: gw, interval: 10m, index_modulus: %d, "+
				"max_per_hour: %d, resolution: %s, from: %q}]}", strings.Repeat(", ", min(i, 1)), n, k, Meter(k, n), modulus, maxPerHour, h.resolution(),
				since.Start(h.Zone).UTC().Format(time.RFC3339))
		}
		text.WriteString("]}\n")
	}
	return text.Bytes()
}

// quick is a cost of guessing that lets hundreds sign in within seconds: signing
// in is not what is measured.
var quick = accounts.Cost{Passes: 1, MemoryKiB: 64}

func (h *House) invite(ctx context.Context) (err error) {
	db, err := sqldb.Open(ctx, h.dsn())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return h.inviteAll(ctx, db)
}

func (h *House) inviteAll(ctx context.Context, db *sql.DB) error {
	people, err := accounts.NewStore(db, quick)
	if err != nil {
		return err
	}
	for n := range h.Dwellings {
		code, err := people.Invite(ctx, accounts.PersonID(fmt.Sprintf("P-%04d", n)), h.now.AddDate(1, 0, 0))
		if err != nil {
			return fmt.Errorf("invite tenant %d: %w", n, err)
		}
		h.codes = append(h.codes, code.String())
	}
	return nil
}
