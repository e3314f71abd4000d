package backup

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/durable"
	"github.com/xnetroseraie/xnet/internal/influx"
)

// Check reads a back-up whole and returns its manifest. It fails with [ErrBroken],
// naming the file, where anything is missing, added or changed.
func Check(dir string) (m Manifest, err error) {
	broken := func(file string, err error) (Manifest, error) {
		return m, fmt.Errorf("%s: %w: %s: %w", dir, ErrBroken, file, err)
	}
	sums, err := os.ReadFile(filepath.Join(dir, sumsFile))
	if err != nil {
		return broken(sumsFile, errors.New("is missing: it is written last, so the back-up broke off, or this is none"))
	}
	known := []string{sumsFile}
	for line := range strings.Lines(string(sums)) {
		want, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok || name == "" || name != filepath.Base(name) {
			return broken(sumsFile, fmt.Errorf("a line %q", line))
		}
		got, err := sumOf(filepath.Join(dir, name))
		switch {
		case err != nil:
			return broken(name, err)
		case got != want:
			return broken(name, errors.New("is not as it was written"))
		}
		known = append(known, name)
	}
	text, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return broken(manifestFile, err)
	}
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&m); err != nil {
		return broken(manifestFile, err)
	}
	if m.Version != version {
		return broken(manifestFile, fmt.Errorf("has version %d, this program reads %d", m.Version, version))
	}
	for _, name := range required() {
		if !slices.Contains(known, name) {
			return broken(name, errors.New("is missing"))
		}
	}
	return m, nil
}

func required() []string {
	names := []string{manifestFile, databaseFile}
	for _, bucket := range influx.Archived() {
		names = append(names, pointsFile(bucket))
	}
	return names
}

// JoinLedgers adds to the ledger at path the lines of the back-up's, and of
// another file where one is named, that it lacks; nothing is taken from it: what
// was erased once is erased.
func JoinLedgers(path, dir, other string) (added int, err error) {
	ledger, err := linesOf(path, true)
	if err != nil {
		return 0, err
	}
	before := len(ledger)
	theirs, err := linesOf(filepath.Join(dir, ledgerFile), true)
	if err != nil {
		return 0, err
	}
	if other != "" {
		newest, err := linesOf(other, false)
		if err != nil {
			return 0, err
		}
		theirs = append(theirs, newest...)
	}
	for _, line := range theirs {
		if !slices.Contains(ledger, line) {
			ledger = append(ledger, line)
		}
	}
	if len(ledger) == before {
		return 0, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return 0, fmt.Errorf("ledger of erasures: %w", err)
	}
	return len(ledger) - before, durable.Write(path, []byte(strings.Join(ledger, "\n")+"\n"))
}

func linesOf(path string, mayLack bool) (lines []string, err error) {
	file, err := os.Open(path)
	if mayLack && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ledger of erasures: %w", err)
	}
	defer file.Close()
	in := bufio.NewReader(file)
	for {
		line, err := in.ReadString('\n')
		if whole, ok := strings.CutSuffix(line, "\n"); ok && whole != "" { // a torn end was never acted upon
			lines = append(lines, whole)
		}
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, fmt.Errorf("ledger of erasures %s: %w", path, err)
		}
	}
}

// Database puts the back-up's database in the place of the system's; see
// [sqldb.PutBack].
func (s System) Database(ctx context.Context, dir string, m Manifest, replace bool) error {
	dialect, err := sqldb.DialectOf(s.DSN)
	if err != nil {
		return err
	}
	if dialect != m.Database {
		return fmt.Errorf("%s: %w: it is of %s", dir, ErrOther, m.Database)
	}
	s.Told("database: " + string(dialect))
	return sqldb.PutBack(ctx, s.DSN, filepath.Join(dir, databaseFile), replace)
}

// Points adds the back-up's points to InfluxDB, whose buckets must exist. Those
// that are there stay.
func (s System) Points(ctx context.Context, dir string) error {
	for _, bucket := range influx.Archived() {
		if err := s.points(ctx, bucket, filepath.Join(dir, pointsFile(bucket))); err != nil {
			return fmt.Errorf("restore from %s: %w", dir, err)
		}
	}
	return nil
}

func (s System) points(ctx context.Context, bucket, path string) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	written, leftOut, err := s.Influx.Import(ctx, text, bucket, s.pace(bucket))
	if err != nil {
		return err
	}
	line := fmt.Sprintf("InfluxDB %s: %d points", bucket, written)
	if leftOut > 0 {
		line += fmt.Sprintf(", %d left out: they are older than InfluxDB keeps them", leftOut)
	}
	s.Told(line)
	return nil
}
