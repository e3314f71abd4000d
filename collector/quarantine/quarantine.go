// Package quarantine keeps what the collector refused, one file a pack, until a
// person has looked at it. A refusal is answered only once the file is durable.
package quarantine

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/xnetroseraie/xnet/internal/wire"
)

// ErrFull: the folder has reached its limit. The pack stays with its gateway.
var ErrFull = errors.New("quarantine is full: look at its files, then remove them or raise quarantine.max_bytes")

// A Refused is a pack that could not be used.
type Refused struct {
	At     time.Time    `json:"at"`
	Topic  string       `json:"topic"`
	Source wire.Source  `json:"-"`               // stands in the file's name
	Spool  wire.SpoolID `json:"spool,omitempty"` // "" where the header could not be read
	Seq    wire.Seq     `json:"seq,omitempty"`
	Reason string       `json:"reason"`
	// Payload is what arrived, byte for byte; base64 in the file.
	Payload []byte `json:"payload"`
}

// name is the same for the same pack, which a gateway sends again until it is
// answered. The separator cannot stand in an id.
func (r Refused) name() string {
	key := fmt.Sprintf("%s~%d", r.Spool, r.Seq)
	if r.Spool == "" {
		key = fmt.Sprintf("%.16x", sha256.Sum256(r.Payload))
	}
	return fmt.Sprintf("%s~%s~%s%s", r.Source.Site, r.Source.Gateway, key, suffix)
}

const (
	suffix = ".json"
	beside = ".new" // of a file that is being written
)

// A Quarantine is a folder of refused packs with a limit. Its methods may be
// called concurrently. One process keeps packs in it; others may read and drop
// them meanwhile.
type Quarantine struct {
	dir      string
	maxBytes int64

	mu   sync.Mutex
	size int64
}

// Open opens the folder for the process that keeps packs in it, making it where
// it is missing. MaxBytes limits all its files together. What a kill left half
// written was never answered, and goes.
func Open(dir string, maxBytes int64) (*Quarantine, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open quarantine: %w: name a folder that can be written in quarantine.dir", err)
	}
	torn, err := filepath.Glob(filepath.Join(dir, "*"+suffix+beside))
	if err != nil {
		return nil, fmt.Errorf("open quarantine %s: %w", dir, err)
	}
	for _, file := range torn {
		if err := os.Remove(file); err != nil {
			return nil, fmt.Errorf("open quarantine: %w", err)
		}
	}
	q := &Quarantine{dir: dir, maxBytes: maxBytes}
	return q, q.recount()
}

// Size returns how many bytes the files take.
func (q *Quarantine) Size() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.size
}

// Keep returns nil once r is durable. Keeping the same pack again replaces it.
// It fails with [ErrFull], or where the disk does.
func (q *Quarantine) Keep(r Refused) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("quarantine pack of %s: %w", r.Source, err)
	}
	path := filepath.Join(q.dir, r.name())
	grown := int64(len(text)) - sizeOf(path)
	if q.size+grown > q.maxBytes {
		if err := q.recount(); err != nil {
			return err
		}
	}
	if grown > 0 && q.size+grown > q.maxBytes {
		return fmt.Errorf("quarantine pack %d of %s in %s: %w", r.Seq, r.Source, q.dir, ErrFull)
	}
	if err := writeDurably(path, text); err != nil {
		return fmt.Errorf("quarantine pack %d of %s: %w", r.Seq, r.Source, err)
	}
	q.size += grown
	return nil
}

// recount looks again at what the folder holds, since people remove files.
func (q *Quarantine) recount() error {
	files, err := q.paths()
	q.size = 0
	for _, file := range files {
		q.size += sizeOf(file)
	}
	return err
}

func (q *Quarantine) paths() ([]string, error) {
	files, err := filepath.Glob(filepath.Join(q.dir, "*"+suffix))
	if err != nil {
		return nil, fmt.Errorf("look through quarantine %s: %w", q.dir, err)
	}
	return files, nil
}

func sizeOf(path string) int64 {
	file, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err != nil {
		return 0
	}
	return file.Size()
}

// writeDurably writes beside, syncs, renames and syncs the folder: after a power
// cut the file is whole or absent.
func writeDurably(path string, text []byte) error {
	aside := path + beside
	file, err := os.OpenFile(aside, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(aside))
	}
	if err := os.Rename(aside, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes durable which files the folder has.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
