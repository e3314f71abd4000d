package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/dashboards/tenant"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/influx"
)

// privacyConfig says where what is erased is written down.
type privacyConfig struct {
	// Ledger is the file that every erasure is written to before it is done; by
	// default it stands beside an SQLite database. It belongs to no back-up of
	// the database, and is backed up on its own.
	Ledger string `yaml:"erasure_ledger"`
}

// ledger is the path of the ledger of erasures.
func (c *Config) ledger() string {
	if c.Privacy.Ledger != "" {
		return c.Privacy.Ledger
	}
	if beside := sqldb.Beside(c.Database.DSN, "erasures"); beside != "" {
		return beside
	}
	return "/var/lib/xnet/api.erasures"
}

// privacy is what keeps to what households agreed to, in the background.
type privacy struct {
	store  *consent.Store
	eraser *consent.Eraser
	keeper *consent.Keeper
	rests  time.Time // settling, until then
}

func newPrivacy(ctx context.Context, c Config, db *sql.DB, client *influx.Client, log *slog.Logger, figures prometheus.Registerer) (*privacy, error) {
	store := consent.NewStore(db, consent.OpenLedger(c.ledger()))
	// Whoever restored a back-up may have forgotten to replay: nothing that was
	// erased is served.
	replayed, err := store.Replay(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: nothing is served until what was erased is known", err)
	}
	if replayed > 0 {
		log.Warn("erasures replayed: the database was older than the ledger", "erasures", replayed)
	}
	eraser, err1 := consent.NewEraser(store, client, log, figures, time.Now)
	keeper, err2 := consent.NewKeeper(store, client, log, figures, time.Now)
	concluded, err3 := newConclusions(db)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	eraser.Also(concluded, c.machineRecords(db, time.Now), c.trainingRecords(db, time.Now), programme.Records{Store: programme.NewStore(db)})
	return &privacy{store: store, eraser: eraser, keeper: keeper}, nil
}

// settle makes every meter's resolution what it should be, before a look at the
// registry. What a household decides is settled at once where it decides; this is
// for moves, midnights and what other programs changed. Where the residences are
// so large that it takes a while it is left out of some looks.
func (p *privacy) settle(ctx context.Context) error {
	begun := time.Now()
	if begun.Before(p.rests) {
		return nil
	}
	_, err := p.store.Settle(ctx, begun)
	now := time.Now()
	p.rests = now.Add(restsFor * now.Sub(begun))
	return err
}

// restsFor is how many times as long as it worked settling rests, so that it
// takes at most a twentieth of one processor.
const restsFor = 19

func (p *privacy) run(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { p.eraser.Run(ctx) })
	all.Go(func() { p.keeper.Run(ctx) })
	all.Wait()
}

// consents adds the routes and pages of consents, erasures and archives.
func (s server) consents(e *echo.Echo, site *web.Site, v1 *echo.Group, homes *premises.Store, people *desk, once *resource.Once, concluded conclusions) {
	store := consent.NewStore(s.db, consent.OpenLedger(s.config.ledger()))
	handler := &consent.Handler{Store: store, Homes: homes, Once: once, Log: s.log, Now: s.now, Say: say,
		Exporter: consent.NewExporter(store, homes, meters.NewStore(s.db), s.influx)}
	handler.Exporter.Also(concluded, s.config.machineRecords(s.db, s.now), s.config.trainingRecords(s.db, s.now),
		programme.Records{Store: programme.NewStore(s.db)})
	handler.Register(v1)
	mine := &tenant.MyData{Site: site, Homes: homes, Consents: handler, Now: s.now,
		Invite: func(ctx context.Context, helper accounts.PersonID) (string, error) {
			code, err := people.persons.Invite(ctx, helper, s.now().Add(s.config.SignIn.Code))
			return code.String(), err
		}}
	mine.Register(e)
}
