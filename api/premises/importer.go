package premises

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises/stock"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
)

// A StockState is how far an import is.
type StockState string

// The states.
const (
	StockChecking  StockState = "checking"  // being read and held against what is stored
	StockFaulty    StockState = "faulty"    // over: the file is wrong, nothing was changed
	StockReady     StockState = "ready"     // a dry run without fault: waits to be confirmed
	StockImporting StockState = "importing" // being written
	StockDone      StockState = "done"      // over: all is written
	StockFailed    StockState = "failed"    // over: our fault, nothing was changed
)

// Over reports whether nothing more happens by itself.
func (s StockState) Over() bool { return s != StockChecking && s != StockImporting }

// A StockImport is a file of dwellings on its way in.
type StockImport struct {
	ID    string
	State StockState
	Report
	Step  Step // how far it is while it is not over
	Begun time.Time
}

// Times of imports: how long a ready one waits and its file is kept, and after
// how long one that says nothing was cut off with its program.
const (
	stockWaits   = 24 * time.Hour
	stockSilence = 10 * time.Minute
)

// An Importer imports files of dwellings while people wait. It may be used from
// several goroutines.
type Importer struct {
	store *Store
	log   *slog.Logger
	now   func() time.Time

	mu      sync.Mutex
	running map[string]Step
	working sync.WaitGroup
	turn    chan struct{} // one at a time: a file unpacks to much
}

// NewImporter returns an importer.
func NewImporter(s *Store, log *slog.Logger, now func() time.Time) *Importer {
	return &Importer{store: s, log: log, now: now, running: map[string]Step{}, turn: make(chan struct{}, 1)}
}

// Wait returns once no import is at work.
func (i *Importer) Wait() { i.working.Wait() }

const dropOldImports = `
DELETE FROM stock_import
 WHERE begun_ms < $1`

const putImport = `
INSERT INTO stock_import (id, person_id, state, file, line_count, made, changed, unchanged, fault_count, faults, begun_ms, moved_ms)
VALUES ($1, $2, $3, $4, 0, 0, 0, 0, 0, '[]', $5, $5)`

// Start takes a file in and returns the import's id at once. A dry run stops
// before it writes, and waits for [Importer.Confirm].
func (i *Importer) Start(ctx context.Context, staff accounts.PersonID, file []byte, dry bool) (string, error) {
	now, id := i.now(), newID()
	if _, err := i.store.db.ExecContext(ctx, dropOldImports, sqldb.Ms(now.Add(-stockWaits))); err != nil {
		return "", fmt.Errorf("start an import: %w", err)
	}
	if _, err := i.store.db.ExecContext(ctx, putImport, id, string(staff), string(StockChecking), file, sqldb.Ms(now)); err != nil {
		return "", fmt.Errorf("start an import: %w", err)
	}
	i.work(ctx, id, staff, file, dry)
	return id, nil
}

const confirmImport = `
UPDATE stock_import
   SET state = 'importing',
       moved_ms = $3
 WHERE id = $1
   AND person_id = $2
   AND state = 'ready'`

const importedFile = `
SELECT file
  FROM stock_import
 WHERE id = $1
   AND person_id = $2
   AND file IS NOT NULL`

// Confirm writes what a dry run found good; the file is checked again, because
// the stock may have changed. It fails with NotFound "stock.none" where the
// import is not the person's, and with Conflict where it does not wait.
func (i *Importer) Confirm(ctx context.Context, staff accounts.PersonID, id string) error {
	if _, err := i.ByID(ctx, staff, id); err != nil {
		return err
	}
	var file []byte
	err := i.store.db.QueryRowContext(ctx, importedFile, id, string(staff)).Scan(&file)
	if errors.Is(err, sql.ErrNoRows) {
		return &problem.Error{Kind: problem.Conflict, Message: "stock.not_ready"}
	}
	if err != nil {
		return fmt.Errorf("confirm import %s: %w", id, err)
	}
	done, err := i.store.db.ExecContext(ctx, confirmImport, id, string(staff), sqldb.Ms(i.now()))
	if err != nil {
		return fmt.Errorf("confirm import %s: %w", id, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return &problem.Error{Kind: problem.Conflict, Message: "stock.not_ready", Err: err}
	}
	i.work(ctx, id, staff, file, false)
	return nil
}

// work goes on when the sender has left.
func (i *Importer) work(ctx context.Context, id string, staff accounts.PersonID, file []byte, dry bool) {
	ctx = context.WithoutCancel(ctx)
	i.tell(id, Step{Reading: true})
	i.working.Go(func() {
		i.turn <- struct{}{}
		defer func() { <-i.turn }()
		report, err := i.store.ImportStock(ctx, staff, file, dry, func(s Step) { i.tell(id, s) })
		if err := errors.Join(err, i.keep(ctx, id, report, err, dry)); err != nil {
			i.log.Error("import of dwellings failed", "import", id, "error", err)
		}
		i.mu.Lock()
		defer i.mu.Unlock()
		delete(i.running, id)
	})
}

func (i *Importer) tell(id string, s Step) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.running[id] = s
}

const keepImport = `
UPDATE stock_import
   SET state = $2,
       file = CASE WHEN $2 = 'ready' THEN file END,
       line_count = $3,
       made = $4,
       changed = $5,
       unchanged = $6,
       fault_count = $7,
       faults = $8,
       moved_ms = $9
 WHERE id = $1`

func (i *Importer) keep(ctx context.Context, id string, r Report, failed error, dry bool) error {
	state := StockDone
	switch {
	case failed != nil:
		state = StockFailed
	case r.FaultCount > 0:
		state = StockFaulty
	case dry:
		state = StockReady
	}
	faults, err := json.Marshal(append([]stock.Fault{}, r.Faults...))
	if err != nil {
		return err
	}
	_, err = i.store.db.ExecContext(ctx, keepImport, id, string(state), r.Lines, r.Made, r.Changed, r.Unchanged,
		r.FaultCount, string(faults), sqldb.Ms(i.now()))
	return err
}

const importByID = `
SELECT state, line_count, made, changed, unchanged, fault_count, faults, begun_ms, moved_ms
  FROM stock_import
 WHERE id = $1
   AND person_id = $2`

// ByID returns an import of the person; it fails with NotFound "stock.none".
func (i *Importer) ByID(ctx context.Context, staff accounts.PersonID, id string) (StockImport, error) {
	one := StockImport{ID: id}
	var faults string
	var begunMs, movedMs int64
	err := i.store.db.QueryRowContext(ctx, importByID, id, string(staff)).Scan(&one.State, &one.Lines, &one.Made, &one.Changed,
		&one.Unchanged, &one.FaultCount, &faults, &begunMs, &movedMs)
	if err != nil {
		return StockImport{}, fmt.Errorf("import %s: %w", id, found(err, "stock.none"))
	}
	if err := json.Unmarshal([]byte(faults), &one.Faults); err != nil {
		return StockImport{}, fmt.Errorf("import %s: faults: %w", id, err)
	}
	one.Begun = sqldb.Time(begunMs)
	i.mu.Lock()
	defer i.mu.Unlock()
	step, here := i.running[id]
	one.Step = step
	if !one.State.Over() && !here && i.now().Sub(sqldb.Time(movedMs)) > stockSilence {
		one.State = StockFailed // its program ended; the transaction with it
	}
	return one, nil
}
