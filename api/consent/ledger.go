package consent

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
)

// A Ledger is the file in which every erasure is written before it is done, one
// JSON object a line, synced. It stands beside the database and outside its
// back-ups: a restored back-up replays it. It names households, meters and who
// asked by id, nobody by name. Several programs may append to it at once.
type Ledger struct {
	path string
	mu   sync.Mutex
}

// OpenLedger returns the ledger at path; the file is made by its first line.
func OpenLedger(path string) *Ledger { return &Ledger{path: path} }

// Ended is what else ends with an erasure.
type Ended struct {
	Purposes []Purpose `json:"purposes,omitempty"` // consents of the tenancy that were taken back
	// Forgotten says that the people of the household were erased too.
	Forgotten bool `json:"forgotten,omitempty"`
}

// An entry is a line of the ledger.
type entry struct {
	Erasure   string               `json:"erasure"`
	Household premises.HouseholdID `json:"household"`
	Tenancy   string               `json:"tenancy"`
	What      What                 `json:"what"`
	Why       Why                  `json:"why"`
	At        time.Time            `json:"at"`
	By        accounts.PersonID    `json:"by,omitempty"`
	Due       time.Time            `json:"due"`
	Parts     []Part               `json:"parts,omitempty"`
	Ended     Ended                `json:"ended"`
}

// append returns nil once the entry is on the disk. It fails with [ErrLedger].
func (l *Ledger) append(e entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLedger, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.write(append(line, '\n')); err != nil {
		return fmt.Errorf("%w: %w", ErrLedger, err)
	}
	return nil
}

func (l *Ledger) write(line []byte) error {
	_, missing := os.Stat(l.path)
	file, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	// A line that a power cut tore must not swallow the next one.
	if torn, err := endsTorn(l.path); err == nil && torn {
		line = append([]byte{'\n'}, line...)
	}
	_, err = file.Write(line)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil || missing == nil {
		return err
	}
	return syncFolder(filepath.Dir(l.path))
}

func endsTorn(path string) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	stat, err := file.Stat()
	if err != nil || stat.Size() == 0 {
		return false, err
	}
	last := make([]byte, 1)
	_, err = file.ReadAt(last, stat.Size()-1)
	return last[0] != '\n', err
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// longestEntry is more than an erasure of a home of a hundred meters takes.
const longestEntry = 1 << 20

// entries reads the whole ledger; none where there is no file. The beginning of a
// line that a power cut tore is skipped: its erasure was never made. Any other
// line that does not parse is an error, because to skip an erasure would be to
// bring back what was erased.
func (l *Ledger) entries() ([]entry, error) {
	file, err := os.Open(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ledger of erasures: %w", err)
	}
	defer file.Close()
	var all []entry
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, longestEntry)
	for n := 1; scanner.Scan(); n++ {
		var e entry
		err := json.NewDecoder(bytes.NewReader(scanner.Bytes())).Decode(&e)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			continue
		case err != nil || e.Erasure == "" || e.Tenancy == "":
			return nil, fmt.Errorf("ledger of erasures %s: line %d is no erasure: take it from a copy of the ledger: %w", l.path, n, errNoEntry(err))
		}
		all = append(all, e)
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("ledger of erasures %s: %w", l.path, err)
	}
	return all, nil
}

// errNoEntry is why a line is no entry.
func errNoEntry(err error) error {
	if err == nil {
		return errors.New("it names no erasure or no tenancy")
	}
	return err
}
