// Package spool keeps packs of readings on disk until the collector has
// answered that they are stored.
//
// The format is written in README.md of this folder. Packs are appended to
// segments of about a megabyte; a segment whose packs are all answered is
// unlinked. What stands behind a torn or damaged record is cut off when the
// spool is opened, and counted; each pack is checked again when it is read.
//
// A disk without room costs the readings that do not fit, and nothing else: what
// waits is still sent, which makes room.
package spool

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/xnetroseraie/xnet/internal/wire"
)

// Reasons why a spool cannot be used. Test with errors.Is.
var (
	ErrInUse = errors.New("the spool is in use by another process")
	ErrFull  = errors.New("the spool is full")
)

// Options are the limits of a spool. The zero value of an option is its default.
type Options struct {
	// MaxBytes is the size above which the oldest segment goes; 512 MB.
	MaxBytes int64
	// SegmentBytes is the size at which a segment is closed; 1 MB.
	SegmentBytes int64
	// SegmentAge is how long a segment is appended to: what was answered does not
	// stay on the disk for longer; 1 h.
	SegmentAge time.Duration
	// Refuse makes Append fail with [ErrFull] instead of dropping the oldest.
	Refuse bool
	// Log hears of alarms and losses; nil discards.
	Log *slog.Logger
	// Now gives the instant at which a pack is appended; time.Now.
	Now func() time.Time
}

func (o Options) filled() Options {
	if o.MaxBytes == 0 {
		o.MaxBytes = 512 << 20
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = 1 << 20
	}
	if o.SegmentAge == 0 {
		o.SegmentAge = time.Hour
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// PackReadings is how many readings a pack has at most.
const PackReadings = 500

// A Spool is a folder of packs. Its methods may be called from several
// goroutines; only one process at a time opens a folder.
type Spool struct {
	dir      string
	options  Options
	lock     *os.File
	identity identity
	changed  chan struct{}

	mu       sync.Mutex
	segments []*segment // by sequence number
	active   *segment   // the last of them while it is appended to
	reading  *segment   // the one whose file is open for reading
	claimed  bool       // numbers may be given
	next     wire.Seq
	packs    int // that wait
	bytes    int64
	counts   Counts // what only grows
	alarm    bool
}

// Counts is what a spool holds and has lost. Dropped, Damaged and CutBytes only
// grow while the process lives.
type Counts struct {
	Packs    int
	Bytes    int64     // of all segments
	MaxBytes int64     // at which the oldest go
	Oldest   time.Time // when the oldest pack was appended, to the second; zero without packs
	// Alarm says that the spool has been filled to 80 %, and not emptied to 70 %
	// since.
	Alarm bool
	// Dropped counts packs that went because the spool was full.
	Dropped uint64
	// Damaged counts packs that could not be read any more when they were due.
	Damaged uint64
	// CutBytes counts bytes behind damage that were cut off at opening.
	CutBytes int64
}

// Open opens the spool in dir, which is made where missing. It fails with
// [ErrInUse] while another process has it open. A disk that is full is no
// failure where packs wait: they can be sent.
func Open(dir string, o Options) (*Spool, error) {
	s := &Spool{dir: dir, options: o.filled(), changed: make(chan struct{}, 1)}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open spool: %w: name a folder in spool.dir that is there or can be made", err)
	}
	if err := s.acquire(); errors.Is(err, os.ErrPermission) {
		return nil, fmt.Errorf("open spool %s: %w: let the gateway's user own the folder, or name another in spool.dir", dir, err)
	} else if err != nil {
		return nil, fmt.Errorf("open spool %s: %w", dir, err)
	}
	if err := s.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("open spool %s: %w", dir, err), s.Close())
	}
	return s, nil
}

func (s *Spool) load() error {
	newest, err := s.loadSegments()
	if err != nil {
		return err
	}
	if err := s.loadIdentity(); err != nil {
		return err
	}
	if newest.After(s.identity.newest) {
		s.identity.newest = newest
	}
	if s.counts.CutBytes > 0 {
		s.options.Log.Warn("spool damaged: what stood behind the damage is lost", "bytes", s.counts.CutBytes)
	}
	s.watch()
	if err := s.claim(); err != nil && (s.packs == 0 || !noRoom(err)) {
		return err
	} else if err != nil {
		s.options.Log.Warn("no room on the disk: readings are lost until what waits is sent", "err", err)
	}
	return nil
}

// ID returns the random name that was made with the spool.
func (s *Spool) ID() wire.SpoolID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.identity.id
}

// LastAppended returns the newest instant at which a pack is known to have been
// appended, in this opening or an earlier one; zero for none. That instant has
// passed for certain.
func (s *Spool) LastAppended() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.identity.newest
}

// Append adds readings as packs of at most [PackReadings] and returns when they
// are durable: one fsync in all. On an error none of them counts as added. A
// full spool drops its oldest segment, or refuses.
func (s *Spool) Append(readings []wire.UnitReading) error {
	if len(readings) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.append(readings); err != nil {
		return fmt.Errorf("append to spool %s: %w", s.dir, err)
	}
	s.watch()
	select {
	case s.changed <- struct{}{}:
	default:
	}
	return nil
}

func (s *Spool) append(readings []wire.UnitReading) error {
	if s.lock == nil {
		return os.ErrClosed
	}
	if !s.claimed {
		if err := s.claim(); err != nil {
			return err
		}
	}
	records, next, err := s.encode(readings)
	if err != nil {
		return err
	}
	if err := s.makeRoom(records); err != nil {
		return err
	}
	size := s.active.size
	err = s.active.append(records)
	s.next = next // after an error too: the disk may hold them after all
	if err != nil {
		return errors.Join(err, s.retire())
	}
	s.packs += len(records)
	s.bytes += s.active.size - size
	s.identity.newest = records[0].at
	return nil
}

// Seal ends the segment that is appended to, so that it goes as soon as all of it
// is answered: for when what it holds is to be erased.
func (s *Spool) Seal() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.retire(); err != nil {
		return fmt.Errorf("seal spool %s: %w", s.dir, err)
	}
	return nil
}

// Changed receives after packs were added.
func (s *Spool) Changed() <-chan struct{} { return s.changed }

// encode makes the records of readings, numbered from s.next on.
func (s *Spool) encode(readings []wire.UnitReading) ([]record, wire.Seq, error) {
	var records []record
	seq, now := s.next, s.options.Now()
	for part := range slices.Chunk(readings, PackReadings) {
		payload, err := wire.AppendPack(nil, wire.Pack{Spool: s.identity.id, Seq: seq, Readings: part})
		if err != nil {
			return nil, 0, err
		}
		records = append(records, record{seq: seq, at: now, payload: payload})
		seq++
	}
	return records, seq, nil
}

// makeRoom drops the oldest while there is too much, and sees to a segment that
// can be appended to.
func (s *Spool) makeRoom(records []record) error {
	var size int64
	for _, r := range records {
		size += r.size()
	}
	for s.bytes+size > s.options.MaxBytes {
		if s.options.Refuse || len(s.segments) == 0 || s.segments[0] == s.active {
			return fmt.Errorf("%w: %d of %d bytes: let the gateway send first, or raise spool.max_mb",
				ErrFull, s.bytes, s.options.MaxBytes)
		}
		oldest := s.segments[0]
		s.counts.Dropped += uint64(oldest.waiting)
		s.options.Log.Error("spool full: the oldest packs are dropped", "packs", oldest.waiting, "since", s.oldest())
		if err := s.removeSegment(oldest); err != nil {
			return err
		}
	}
	if s.active != nil && (s.active.size >= s.options.SegmentBytes || s.active.age(s.options.Now()) >= s.options.SegmentAge) {
		if err := s.retire(); err != nil {
			return err
		}
	}
	if s.active == nil {
		return s.startSegment()
	}
	return nil
}

// Close closes the files. Everything appended is durable already.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, g := range s.segments {
		errs = append(errs, g.close())
	}
	s.segments, s.active, s.reading = nil, nil, nil
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
		s.lock = nil
	}
	return errors.Join(errs...)
}
