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
	Source wire.Source  `json:"-"`
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

const suffix = ".json"

// A Quarantine is a folder of refused packs with a limit. Its methods may be
// called concurrently.
type Quarantine struct {
	dir      string
	maxBytes int64

	mu   sync.Mutex
	size int64
}

// Open opens the folder, making it where it is missing. MaxBytes limits all its
// files together.
func Open(dir string, maxBytes int64) (*Quarantine, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open quarantine: %w: name a folder that can be written in quarantine.dir", err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil {
		return nil, fmt.Errorf("open quarantine %s: %w", dir, err)
	}
	q := &Quarantine{dir: dir, maxBytes: maxBytes}
	for _, file := range files {
		q.size += sizeOf(file)
	}
	return q, nil
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
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("quarantine pack of %s: %w", r.Source, err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	path := filepath.Join(q.dir, r.name())
	before := sizeOf(path)
	if grown := q.size - before + int64(len(text)); grown > q.maxBytes && !q.recount(path, int64(len(text))) {
		return fmt.Errorf("quarantine pack %d of %s in %s: %w", r.Seq, r.Source, q.dir, ErrFull)
	}
	if err := writeDurably(path, text); err != nil {
		return fmt.Errorf("quarantine pack %d of %s: %w", r.Seq, r.Source, err)
	}
	q.size += int64(len(text)) - before
	return nil
}

// recount looks again at what the folder holds, since people remove files, and
// reports whether path may now take size bytes.
func (q *Quarantine) recount(path string, size int64) bool {
	files, err := filepath.Glob(filepath.Join(q.dir, "*"+suffix))
	if err != nil {
		return false
	}
	q.size = 0
	for _, file := range files {
		q.size += sizeOf(file)
	}
	return q.size-sizeOf(path)+size <= q.maxBytes
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
	beside := path + ".new"
	file, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(beside))
	}
	if err := os.Rename(beside, path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
