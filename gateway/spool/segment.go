package spool

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/internal/durable"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A segment is one file of records with consecutive numbers, named by the first.
// Its file is open while it is written to or was read last: a spool of many
// segments must not use up the process's files.
type segment struct {
	path    string
	file    *os.File // nil while closed
	first   wire.Seq
	size    int64
	entries []entry // entries[i] is the pack first+i
	head    int     // all entries before it are answered
	waiting int     // entries that are not answered
}

// An entry is where a pack stands. It is small because hundreds of thousands of
// them stay in memory after a long outage.
type entry struct {
	offset, length uint32 // of the record and of its payload
	at             uint32 // seconds since 1970 when it was appended
	answered       bool
}

func (g *segment) end() wire.Seq { return g.first + wire.Seq(len(g.entries)) }

// age is how long ago the first pack was appended; 0 without packs.
func (g *segment) age(now time.Time) time.Duration {
	if len(g.entries) == 0 {
		return 0
	}
	return now.Sub(time.Unix(int64(g.entries[0].at), 0))
}

// find returns the entry of a pack that is not answered, nil where there is none.
func (g *segment) find(seq wire.Seq) *entry {
	if seq < g.first || seq >= g.end() || g.entries[seq-g.first].answered {
		return nil
	}
	return &g.entries[seq-g.first]
}

// answer marks an entry and moves head on.
func (g *segment) answer(e *entry) {
	e.answered = true
	g.waiting--
	for g.head < len(g.entries) && g.entries[g.head].answered {
		g.head++
	}
}

// append writes records in one go and syncs. After an error the file is cut back
// as far as the disk allows, and must not be appended to again: what the disk
// holds is unknown.
func (g *segment) append(records []record) error {
	var b []byte
	for _, r := range records {
		b = r.appendTo(b)
	}
	if g.size+int64(len(b)) > math.MaxUint32 {
		return errors.New("too many readings at once: append them in parts")
	}
	_, err := g.file.WriteAt(b, g.size)
	if err == nil {
		err = g.file.Sync()
	}
	if err != nil {
		return errors.Join(err, g.file.Truncate(g.size))
	}
	for _, r := range records {
		g.add(r)
	}
	return nil
}

func (g *segment) add(r record) {
	g.entries = append(g.entries, entry{offset: uint32(g.size), length: uint32(len(r.payload)), at: uint32(r.at.Unix())})
	g.size += r.size()
	g.waiting++
}

// payload reads a pack and checks that it is what was written.
func (g *segment) payload(seq wire.Seq, e *entry) ([]byte, error) {
	size := int64(recordHeader) + int64(e.length)
	r, err := readRecord(io.NewSectionReader(g.file, int64(e.offset), size), size)
	if err == nil && r.seq != seq {
		err = errDamaged
	}
	return r.payload, err
}

func (g *segment) open() (err error) {
	if g.file == nil {
		g.file, err = os.OpenFile(g.path, os.O_RDWR, 0)
	}
	return err
}

func (g *segment) close() error {
	if g.file == nil {
		return nil
	}
	err := g.file.Close()
	g.file = nil
	return err
}

const suffix = ".seg"

// loadSegments reads every segment and returns the newest instant at which a
// pack was appended, zero without packs.
func (s *Spool) loadSegments() (newest time.Time, err error) {
	names, err := filepath.Glob(filepath.Join(s.dir, "*"+suffix))
	if err != nil {
		return newest, err
	}
	slices.Sort(names) // numbers have leading zeros
	for _, name := range names {
		at, err := s.loadSegment(name)
		if err != nil {
			return newest, err
		}
		if at.After(newest) {
			newest = at
		}
	}
	return newest, nil
}

func (s *Spool) loadSegment(name string) (newest time.Time, err error) {
	first, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(name), suffix), 10, 64)
	if err != nil {
		return newest, fmt.Errorf("%s is not a segment: remove it: %w", name, err)
	}
	g := &segment{path: name, first: wire.Seq(first)}
	if err := g.open(); err != nil {
		return newest, err
	}
	newest, cut, err := g.load()
	if err = errors.Join(err, g.close()); err != nil {
		s.options.Log.Error("segment cannot be read to its end: copy it away, the disk may be dying", "file", name, "err", err)
	}
	s.counts.CutBytes += cut
	s.next = max(s.next, g.first, g.end())
	if g.waiting == 0 {
		if err != nil {
			return newest, nil // left for whoever can read it
		}
		return newest, os.Remove(name)
	}
	s.segments = append(s.segments, g)
	s.packs += g.waiting
	s.bytes += g.size
	return newest, nil
}

// load reads the records up to the first damage and cuts off the rest; it
// returns how many bytes that were. What the disk cannot read is left out too
// and is an error, but not cut: it may be readable elsewhere.
func (g *segment) load() (newest time.Time, cut int64, err error) {
	stat, err := g.file.Stat()
	if err != nil {
		return newest, 0, err
	}
	r := bufio.NewReaderSize(g.file, 1<<16)
	for {
		var next record
		next, err = readRecord(r, stat.Size()-g.size)
		if err != nil || next.seq != g.end() {
			break
		}
		g.add(next)
		if next.at.After(newest) {
			newest = next.at
		}
	}
	cut = stat.Size() - g.size
	switch {
	case cut == 0:
		return newest, 0, nil
	case err != nil && !cutShort(err):
		return newest, cut, err
	default:
		return newest, cut, g.file.Truncate(g.size)
	}
}

// startSegment makes the file that is appended to, durably.
func (s *Spool) startSegment() error {
	name := filepath.Join(s.dir, fmt.Sprintf("%020d%s", s.next, suffix))
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := durable.SyncFolder(s.dir); err != nil {
		return errors.Join(err, file.Close(), os.Remove(name))
	}
	s.active = &segment{path: name, file: file, first: s.next}
	s.segments = append(s.segments, s.active)
	return nil
}

// retire closes the segment that is appended to, so that the next append begins
// another one.
func (s *Spool) retire() error {
	g := s.active
	if s.active = nil; g == nil {
		return nil
	}
	if g.waiting == 0 {
		return s.removeSegment(g)
	}
	return g.close()
}

// removeSegment unlinks a segment.
func (s *Spool) removeSegment(g *segment) error {
	i := slices.Index(s.segments, g)
	s.segments = slices.Delete(s.segments, i, i+1)
	s.packs -= g.waiting
	s.bytes -= g.size
	if s.active == g {
		s.active = nil
	}
	if s.reading == g {
		s.reading = nil
	}
	return errors.Join(os.Remove(g.path), g.close())
}
