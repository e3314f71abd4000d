package configuration

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A Store keeps published configurations. It may be used from several goroutines.
type Store struct {
	db     *sql.DB
	meters *meters.Store
	key    ed25519.PrivateKey
}

// NewStore returns a store on a migrated database that signs with key; without
// one, where it is nil, nothing is published.
func NewStore(db *sql.DB, m *meters.Store, key ed25519.PrivateKey) *Store {
	return &Store{db: db, meters: m, key: key}
}

// CanPublish reports whether there is a key to sign with.
func (s *Store) CanPublish() bool { return s.key != nil }

// A Status is the configuration of a gateway: as the registry makes it, as it was
// published last, and as the gateway says that it applies it.
type Status struct {
	Gateway meters.Gateway
	Draft   Draft
	// Published is the last version, 0 where nothing was published yet.
	Published   int64
	PublishedAt time.Time
	Same        bool // the draft is what was published last
	// Applied is the version that the gateway reports; empty: its own file.
	Applied string
	Refusal string // why the gateway does not apply the last one; empty: it says nothing
}

// Pending reports whether the gateway does not apply yet what was published.
func (s Status) Pending() bool {
	return s.Published > 0 && s.Applied != strconv.FormatInt(s.Published, 10)
}

const applied = `
SELECT config, config_fault
  FROM gateway_report
 WHERE residence_id = $1
   AND gateway_id = $2`

// Status returns the configuration of a gateway that the person may see. It fails
// with [meters.ErrNone].
func (s *Store) Status(ctx context.Context, who accounts.PersonID, id metering.GatewayID) (Status, error) {
	g, err := s.meters.GatewayByID(ctx, who, id)
	if err != nil {
		return Status{}, err
	}
	st := Status{Gateway: g}
	if st.Draft, err = s.draft(ctx, g); err != nil {
		return Status{}, err
	}
	last, err := s.last(ctx, s.db, id)
	if err != nil {
		return Status{}, err
	}
	st.Published, st.PublishedAt, st.Same = last.version, last.at, last.version > 0 && last.document == st.Draft.Document
	err = s.db.QueryRowContext(ctx, applied, string(g.Residence), string(id)).Scan(&st.Applied, &st.Refusal)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Status{}, fmt.Errorf("configuration of gateway %s: %w", id, err)
	}
	return st, nil
}

func (s *Store) draft(ctx context.Context, g meters.Gateway) (Draft, error) {
	all, err := s.meters.OfGateway(ctx, g.ID)
	if err != nil {
		return Draft{}, err
	}
	return Make(g, all)
}

// A published is one version.
type published struct {
	version  int64
	document string
	at       time.Time
}

const lastOf = `
SELECT version, document, published_ms
  FROM gateway_config
 WHERE gateway_id = $1
 ORDER BY version DESC
 LIMIT 1`

// last returns the last version of a gateway, the zero value where there is none.
func (s *Store) last(ctx context.Context, q sqldb.Querier, id metering.GatewayID) (published, error) {
	var p published
	var atMs int64
	err := q.QueryRowContext(ctx, lastOf, string(id)).Scan(&p.version, &p.document, &atMs)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return published{}, nil
	case err != nil:
		return published{}, fmt.Errorf("configuration of gateway %s: %w", id, err)
	}
	p.at = sqldb.Time(atMs)
	return p, nil
}

const putVersion = `
INSERT INTO gateway_config (gateway_id, version, document, published_ms, person_id)
VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (gateway_id, version) DO NOTHING`

// Publish makes the draft with that digest the gateway's configuration, and
// returns its version: a new one, or the last where that is the same document,
// and then fresh is false. It fails with [meters.ErrNone], with [meters.ErrNoKey],
// with [resource.ErrStale] where the registry makes another document by now, and
// with [meters.ErrConfiguration] where the gateway would refuse it.
func (s *Store) Publish(ctx context.Context, who accounts.PersonID, id metering.GatewayID, digest string, now time.Time) (version int64, fresh bool, err error) {
	g, err := s.meters.WritableGateway(ctx, who, id)
	if err != nil {
		return 0, false, err
	}
	draft, err := s.draft(ctx, g)
	switch {
	case err != nil:
		return 0, false, err
	case s.key == nil:
		return 0, false, meters.ErrNoKey
	case draft.Digest() != digest:
		return 0, false, resource.ErrStale
	case draft.Fault != "":
		return 0, false, meters.ErrConfiguration
	}
	err = sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		last, err := s.last(ctx, tx, id)
		if err != nil {
			return err
		}
		if version = last.version; version > 0 && last.document == draft.Document {
			return nil
		}
		// The clock keeps versions growing where a restored database has
		// forgotten the last ones, which gateways would take for older.
		version, fresh = max(last.version+1, now.Unix()), true
		done, err := tx.ExecContext(ctx, putVersion, string(id), version, draft.Document, sqldb.Ms(now), string(who))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(resource.ErrStale, err) // another one published at the same moment
		}
		return nil
	})
	if err != nil {
		return 0, false, fmt.Errorf("publish the configuration of gateway %s: %w", id, err)
	}
	return version, fresh, nil
}

const lastOfAll = `
SELECT gateway.residence_id, gateway.id, gateway_config.version, gateway_config.document
  FROM gateway_config
  JOIN gateway ON gateway.id = gateway_config.gateway_id
 WHERE gateway_config.version = (SELECT MAX(newer.version)
                                   FROM gateway_config AS newer
                                  WHERE newer.gateway_id = gateway_config.gateway_id)
 ORDER BY gateway.id`

// Signed returns the payload of the config topic of each gateway that has a
// configuration; none without a key.
func (s *Store) Signed(ctx context.Context) (map[wire.Source][]byte, error) {
	if s.key == nil {
		return nil, nil //nolint:nilnil // nothing to publish is no fault
	}
	rows, err := s.db.QueryContext(ctx, lastOfAll)
	if err != nil {
		return nil, fmt.Errorf("configurations: %w", err)
	}
	type row struct {
		source   wire.Source
		version  int64
		document string
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (r row, err error) {
		return r, rows.Scan(&r.source.Site, &r.source.Gateway, &r.version, &r.document)
	})
	if err != nil {
		return nil, fmt.Errorf("configurations: %w", err)
	}
	payloads := make(map[wire.Source][]byte, len(all))
	for _, r := range all {
		payload, err := firmwareconfig.Sign(s.key, strconv.FormatInt(r.version, 10), []byte(r.document)).Encode()
		if err != nil {
			return nil, fmt.Errorf("configuration of gateway %s: %w", r.source, err)
		}
		payloads[r.source] = payload
	}
	return payloads, nil
}
