// Package spool keeps packs of readings on disk until the collector has
// answered that they are stored.
//
// The format is written in README.md of this folder. Packs are appended to
// segments of about a megabyte; a segment whose packs are all answered is
// unlinked. What stands behind a torn or damaged record is cut off when the
// spool is opened, and counted.
package spool

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// Reasons why a spool cannot be used. Test with errors.Is.
var (
	ErrInUse = errors.New("the spool is in use by another process")
	ErrFull  = errors.New("the spool is full")
)

// Options are the limits of a spool. The zero value of a limit is its default.
type Options struct {
	// MaxBytes is the size above which the oldest segment goes; 512 MB.
	MaxBytes int64
	// SegmentBytes is the size at which a segment is closed; 1 MB.
	SegmentBytes int64
	// Refuse makes Append fail with [ErrFull] instead of dropping the oldest.
	Refuse bool
}

// PackReadings is how many readings a pack has at most.
const PackReadings = 500

// A Spool is a folder of packs. Its methods may be called from several
// goroutines; only one process at a time opens a folder.
type Spool struct {
	mu       sync.Mutex
	dir      string
	options  Options
	id       wire.SpoolID
	lock     *os.File
	segments []*segment // by sequence number; the last one is written to
	next     wire.Seq
	counts   Counts
	changed  chan struct{}
}

// Counts is what a spool holds and has lost. All but Packs, Bytes and Oldest
// only grow while the process lives.
type Counts struct {
	Packs  int
	Bytes  int64
	Oldest time.Time // when the oldest pack was appended; zero without packs
	// Dropped counts packs that went because the spool was full.
	Dropped uint64
	// CutBytes counts bytes behind damage that were cut off at opening.
	CutBytes int64
}

// Open opens the spool in dir, which is made where missing. It fails with
// [ErrInUse] while another process has it open.
func Open(dir string, o Options) (*Spool, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = 512 << 20
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = 1 << 20
	}
	s := &Spool{dir: dir, options: o, changed: make(chan struct{}, 1)}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	if err := s.acquire(); err != nil {
		return nil, fmt.Errorf("open spool %s: %w", dir, err)
	}
	if err := errors.Join(s.loadID(), s.loadSegments()); err != nil {
		return nil, errors.Join(fmt.Errorf("open spool %s: %w", dir, err), s.Close())
	}
	return s, nil
}

// ID returns the random name that was made with the spool.
func (s *Spool) ID() wire.SpoolID { return s.id }

// Append adds readings as packs of at most [PackReadings] and returns when they
// are durable: one fsync in all. On an error none of them counts as added. A
// full spool drops its oldest segment, or refuses.
func (s *Spool) Append(readings []wire.UnitReading) error {
	if len(readings) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	records, next, err := s.encode(readings)
	if err != nil {
		return fmt.Errorf("append to spool: %w", err)
	}
	if err := s.makeRoom(records); err != nil {
		return fmt.Errorf("append to spool %s: %w", s.dir, err)
	}
	if err := s.active().append(records); err != nil {
		return fmt.Errorf("append to spool %s: %w", s.dir, err)
	}
	s.next = next
	select {
	case s.changed <- struct{}{}:
	default:
	}
	return nil
}

// Changed receives after packs were added.
func (s *Spool) Changed() <-chan struct{} { return s.changed }

// encode makes the records of readings, numbered from s.next on.
func (s *Spool) encode(readings []wire.UnitReading) ([]record, wire.Seq, error) {
	var records []record
	seq, now := s.next, time.Now()
	for part := range slices.Chunk(readings, PackReadings) {
		payload, err := wire.AppendPack(nil, wire.Pack{Spool: s.id, Seq: seq, Readings: part})
		if err != nil {
			return nil, 0, err
		}
		records = append(records, record{seq: seq, at: now, payload: payload})
		seq++
	}
	return records, seq, nil
}

// makeRoom closes a full segment, and drops the oldest while there is too much.
func (s *Spool) makeRoom(records []record) error {
	var size int64
	for _, r := range records {
		size += r.size()
	}
	for s.bytes()+size > s.options.MaxBytes {
		if s.options.Refuse || len(s.segments) < 2 {
			return fmt.Errorf("%w: %d of %d bytes: let the gateway send first, or raise spool.max_mb",
				ErrFull, s.bytes(), s.options.MaxBytes)
		}
		s.counts.Dropped += uint64(s.segments[0].waiting)
		if err := s.removeSegment(0); err != nil {
			return err
		}
	}
	switch a := s.active(); {
	case a.broken && a.size == 0: // its name is the one that is wanted
		if err := s.removeSegment(len(s.segments) - 1); err != nil {
			return err
		}
		return s.startSegment()
	case a.broken || a.size >= s.options.SegmentBytes:
		return s.startSegment()
	}
	return nil
}

// Waiting returns the numbers of at most limit packs that are not answered,
// oldest first, beginning after the number after.
func (s *Spool) Waiting(after wire.Seq, limit int) []wire.Seq {
	s.mu.Lock()
	defer s.mu.Unlock()
	var seqs []wire.Seq
	for _, g := range s.segments {
		if g.waiting == 0 || g.last() <= after {
			continue
		}
		for _, e := range g.entries {
			if e.answered || e.seq <= after {
				continue
			}
			if seqs = append(seqs, e.seq); len(seqs) == limit {
				return seqs
			}
		}
	}
	return seqs
}

// Payload returns the payload of a pack that is not answered, and false where
// there is none of that number.
func (s *Spool) Payload(seq wire.Seq) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.segments {
		if e := g.find(seq); e != nil && !e.answered {
			payload, err := g.payload(e)
			return payload, err == nil, err
		}
	}
	return nil, false, nil
}

// Answered forgets packs that are durable elsewhere and unlinks the segments
// that hold no others. Unknown numbers are ignored.
func (s *Spool) Answered(seqs []wire.Seq) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seq := range seqs {
		for _, g := range s.segments {
			if e := g.find(seq); e != nil && !e.answered {
				e.answered = true
				g.waiting--
			}
		}
	}
	if err := s.removeAnswered(); err != nil {
		return fmt.Errorf("spool %s: %w", s.dir, err)
	}
	return nil
}

// Counts returns what the spool holds now.
func (s *Spool) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts
	c.Bytes = s.bytes()
	for _, g := range s.segments {
		c.Packs += g.waiting
		if i := slices.IndexFunc(g.entries, func(e entry) bool { return !e.answered }); i >= 0 && c.Oldest.IsZero() {
			c.Oldest = g.entries[i].at
		}
	}
	return c
}

// Close closes the files. Everything appended is durable already.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, g := range s.segments {
		errs = append(errs, g.file.Close())
	}
	s.segments = nil
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

func (s *Spool) active() *segment { return s.segments[len(s.segments)-1] }

func (s *Spool) bytes() (sum int64) {
	for _, g := range s.segments {
		sum += g.size
	}
	return sum
}

func (s *Spool) acquire() error {
	lock, err := os.OpenFile(filepath.Join(s.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return errors.Join(fmt.Errorf("%w: stop the gateway first: %w", ErrInUse, err), lock.Close())
	}
	s.lock = lock
	return nil
}

// numbersPerOpening is how far apart the numbers of two openings begin. Whatever
// damage the segments suffer, no number is given twice; and 2^53, up to which
// every JSON reader is exact, leaves room for nine million openings.
const numbersPerOpening = 1_000_000_000

// loadID reads the spool's name and how often it was opened, or makes them, and
// counts this opening, durably.
func (s *Spool) loadID() error {
	path := filepath.Join(s.dir, "id")
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var openings uint64
	if _, err := fmt.Sscanf(string(text), "%s %d", &s.id, &openings); err != nil || !metering.ValidID(s.id) {
		if s.id, err = newID(); err != nil {
			return err
		}
	}
	s.next = wire.Seq(openings*numbersPerOpening + 1)
	return writeDurably(path, fmt.Appendf(nil, "%s %d\n", s.id, openings+1))
}

func newID() (wire.SpoolID, error) {
	var random [16]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", err
	}
	return wire.SpoolID(hex.EncodeToString(random[:])), nil
}
