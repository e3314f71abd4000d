// Package backup writes everything that the system knows into one folder, SQL and
// InfluxDB, and puts it back: whole or not at all.
//
// The folder holds the database, each bucket of InfluxDB as line protocol, the
// ledger of erasures, manifest.json and, written last, the sums of them all in
// SHA256SUMS, as sha256sum writes them. InfluxDB is written before SQL, so that
// nothing is known of a meter that SQL does not know.
package backup

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/durable"
	"github.com/xnetroseraie/xnet/internal/influx"
)

// Reasons why a folder is refused. Test with errors.Is.
var (
	ErrExists = errors.New("there is something already: name a folder that does not exist, because a back-up is never overwritten")
	ErrBroken = errors.New("is no whole back-up: take another one")
	ErrOther  = errors.New("is a back-up of the other kind of database: restore it into one of its own kind")
)

// Names within the folder.
const (
	sumsFile     = "SHA256SUMS"
	manifestFile = "manifest.json"
	ledgerFile   = "erasures.log"
	databaseFile = "database"
)

func pointsFile(bucket string) string { return bucket + ".lp.gz" }

// version is that of the folder's form.
const version = 1

// A Manifest says what a back-up holds.
type Manifest struct {
	Version  int           `json:"version"`
	Made     time.Time     `json:"made"` // UTC, when it was begun
	Database sqldb.Dialect `json:"database"`
	// ErasedSince is the instant since which an erasure may not have reached the
	// readings of this back-up, though its database says so.
	ErasedSince time.Time      `json:"erased_since"`
	Points      map[string]int `json:"points"` // by bucket of InfluxDB
}

// A System is what is backed up, or restored.
type System struct {
	DSN    string // of the SQL database
	Ledger string // path of the ledger of erasures, which may not exist yet
	Influx *influx.Client
	Told   func(line string) // hears of the progress
}

// Write makes the folder dir with a back-up in it, while the programs may run.
// Where it fails there is no folder. It fails with [ErrExists].
func (s System) Write(ctx context.Context, dir string, now time.Time) (m Manifest, err error) {
	if _, err := os.Lstat(dir); err == nil {
		return m, fmt.Errorf("back-up %s: %w", dir, ErrExists)
	}
	partial := strings.TrimRight(dir, string(filepath.Separator)) + ".partial"
	if err := errors.Join(os.RemoveAll(partial), os.Mkdir(partial, 0o700)); err != nil {
		return m, fmt.Errorf("back-up %s: %w: name a folder where you may write", dir, err)
	}
	if m, err = s.fill(ctx, partial, now); err != nil {
		return m, errors.Join(fmt.Errorf("back-up %s: %w", dir, err), os.RemoveAll(partial))
	}
	if err := os.Rename(partial, dir); err != nil {
		return m, errors.Join(fmt.Errorf("back-up %s: %w", dir, err), os.RemoveAll(partial))
	}
	return m, durable.SyncFolder(filepath.Dir(filepath.Clean(dir)))
}

func (s System) fill(ctx context.Context, dir string, now time.Time) (m Manifest, err error) {
	m = Manifest{Version: version, Made: now.UTC(), Points: map[string]int{}}
	if m.Database, err = sqldb.DialectOf(s.DSN); err != nil {
		return m, err
	}
	if m.ErasedSince, err = s.unfinished(ctx, m.Made); err != nil {
		return m, err
	}
	for _, bucket := range influx.Archived() {
		if m.Points[bucket], err = s.export(ctx, bucket, filepath.Join(dir, pointsFile(bucket))); err != nil {
			return m, err
		}
	}
	s.Told("database: " + string(m.Database))
	if err := sqldb.Save(ctx, s.DSN, filepath.Join(dir, databaseFile)); err != nil {
		return m, err
	}
	// The ledger comes last: what was erased meanwhile is in it.
	if err := copyIfThere(s.Ledger, filepath.Join(dir, ledgerFile)); err != nil {
		return m, err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, err
	}
	if err := durable.Write(filepath.Join(dir, manifestFile), append(text, '\n')); err != nil {
		return m, err
	}
	sums, err := sumsOf(dir)
	if err != nil {
		return m, err
	}
	return m, durable.Write(filepath.Join(dir, sumsFile), sums)
}

const oldestUnfinished = `
SELECT MIN(asked_ms)
  FROM erasure
 WHERE done_ms IS NULL`

// unfinished returns when the oldest erasure was asked for that is not done, or
// now: it may be done before SQL is saved, and after its readings were.
func (s System) unfinished(ctx context.Context, now time.Time) (since time.Time, err error) {
	db, err := sqldb.Open(ctx, s.DSN)
	if err != nil {
		return now, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var askedMs sql.NullInt64
	if err := db.QueryRowContext(ctx, oldestUnfinished).Scan(&askedMs); err != nil {
		return now, fmt.Errorf("unfinished erasures: %w", err)
	}
	if askedMs.Valid && sqldb.Time(askedMs.Int64).Before(now) {
		return sqldb.Time(askedMs.Int64), nil
	}
	return now, nil
}

// tellEvery is how often a long part tells how far it has come.
const tellEvery = 5 * time.Second

func (s System) export(ctx context.Context, bucket, path string) (points int, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	packed := gzip.NewWriter(file)
	points, err = s.Influx.Export(ctx, packed, bucket, s.pace(bucket))
	if err = errors.Join(err, packed.Close(), file.Sync(), file.Close()); err != nil {
		return points, err
	}
	s.Told(fmt.Sprintf("InfluxDB %s: %d points", bucket, points))
	return points, nil
}

// pace tells of the points of a bucket, not too often.
func (s System) pace(bucket string) func(points int) {
	next := time.Now().Add(tellEvery)
	return func(points int) {
		if time.Now().After(next) {
			s.Told(fmt.Sprintf("InfluxDB %s: %d points so far", bucket, points))
			next = time.Now().Add(tellEvery)
		}
	}
}

func copyIfThere(from, to string) error {
	text, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ledger of erasures: %w", err)
	}
	return durable.Write(to, text)
}

// sumsOf returns the sums of all files of a folder, a line each.
func sumsOf(dir string) ([]byte, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var sums []byte
	for _, e := range entries {
		sum, err := sumOf(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		sums = fmt.Appendf(sums, "%s  %s\n", sum, e.Name())
	}
	return sums, nil
}

func sumOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
