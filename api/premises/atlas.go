package premises

import (
	"database/sql"
	"fmt"
	"sync"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb"
)

// An atlas keeps the zones it has loaded: a page asks for that of its home several
// times, and loading one reads and parses a file. There are no more of them than
// places with a clock of their own. The zero value is ready.
type atlas struct{ known sync.Map }

// zone returns the zone of that name.
func (a *atlas) zone(name string) (*time.Location, error) {
	if known, ok := a.known.Load(name); ok {
		return known.(*time.Location), nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("zone %q: %w", name, err)
	}
	a.known.Store(name, zone)
	return zone, nil
}

// zones reads the name of a zone of every row and closes rows.
func (a *atlas) zones(rows *sql.Rows) ([]*time.Location, error) {
	return sqldb.Collect(rows, func(rows *sql.Rows) (*time.Location, error) {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		return a.zone(name)
	})
}
