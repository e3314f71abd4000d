package computers

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A PriceChange is one time that somebody set a price.
type PriceChange struct {
	What  Priced
	From  civil.Date // the day from which it holds
	Cents int64
	Was   int64     // cents that stood for that very day; -1 for none
	At    time.Time // when it was set, UTC
	By    string    // name of who set it; empty where nobody of that id is left
}

// mostPriceChanges is how many changes are listed: of many years.
const mostPriceChanges = 100

const listPriceChanges = `
SELECT workshop_price_change.what, workshop_price_change.from_date, workshop_price_change.price_cents,
       COALESCE(workshop_price_change.was_cents, -1), workshop_price_change.at_ms, COALESCE(person.name, '')
  FROM workshop_price_change
  LEFT JOIN person ON person.id = workshop_price_change.by_whom
 WHERE workshop_price_change.residence_id = $1
 ORDER BY workshop_price_change.number DESC
 LIMIT $2`

// PriceChanges lists who set the prices of a residence and when, the last hundred
// and the last first. It fails with [ErrNone] for who may not read its prices.
func (s *Store) PriceChanges(ctx context.Context, who accounts.PersonID, residence metering.SiteID) ([]PriceChange, error) {
	_, err := reached(ctx, s.db, reachOverseers, who, string(residence), time.Time{})
	var all []PriceChange
	if err == nil {
		all, err = several(ctx, s.db, scanPriceChange, listPriceChanges, string(residence), mostPriceChanges)
	}
	if err != nil {
		return nil, fmt.Errorf("changes of the prices of %s: %w", residence, err)
	}
	return all, nil
}

func scanPriceChange(rows *sql.Rows) (c PriceChange, err error) {
	var from string
	var atMs int64
	if err = rows.Scan(&c.What, &from, &c.Cents, &c.Was, &atMs, &c.By); err != nil {
		return c, err
	}
	c.At = sqldb.Time(atMs)
	return c, dates(dated{from, &c.From})
}
