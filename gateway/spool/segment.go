package spool

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/internal/wire"
)

// A record is length of the payload (4 bytes), CRC32C of all that follows (4),
// sequence number (8), milliseconds since 1970 when it was appended (8), and the
// payload; numbers little-endian.
const recordHeader = 24

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type record struct {
	seq     wire.Seq
	at      time.Time
	payload []byte
}

func (r record) size() int64 { return int64(recordHeader + len(r.payload)) }

func (r record) appendTo(b []byte) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.payload)))
	b = append(b, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(r.seq))
	b = binary.LittleEndian.AppendUint64(b, uint64(r.at.UnixMilli()))
	b = append(b, r.payload...)
	binary.LittleEndian.PutUint32(b[start+4:], crc32.Checksum(b[start+8:], castagnoli))
	return b
}

// readRecord reads the next whole record. Any error but io.EOF means damage.
func readRecord(r io.Reader, left int64) (record, error) {
	var header [recordHeader]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return record{}, err
	}
	length := int64(binary.LittleEndian.Uint32(header[:]))
	if length == 0 || length > wire.MaxPackBytes || recordHeader+length > left {
		return record{}, errDamaged
	}
	payload := make([]byte, length)
	if _, err := io.ReadFull(r, payload); err != nil {
		return record{}, err
	}
	sum := crc32.Update(crc32.Checksum(header[8:], castagnoli), castagnoli, payload)
	if sum != binary.LittleEndian.Uint32(header[4:]) {
		return record{}, errDamaged
	}
	return record{
		seq:     wire.Seq(binary.LittleEndian.Uint64(header[8:])),
		at:      time.UnixMilli(int64(binary.LittleEndian.Uint64(header[16:]))),
		payload: payload,
	}, nil
}

var errDamaged = errors.New("damaged record")

// A segment is one file of records, named by the first number it may hold.
type segment struct {
	file    *os.File
	first   wire.Seq
	size    int64
	entries []entry // by number
	waiting int     // entries that are not answered
	broken  bool    // a write failed: nothing is appended any more
}

type entry struct {
	seq      wire.Seq
	at       time.Time
	offset   int64 // of the payload
	length   int
	answered bool
}

func (g *segment) last() wire.Seq {
	if len(g.entries) == 0 {
		return 0
	}
	return g.entries[len(g.entries)-1].seq
}

func (g *segment) find(seq wire.Seq) *entry {
	i, ok := slices.BinarySearchFunc(g.entries, seq, func(e entry, s wire.Seq) int {
		return int(int64(e.seq) - int64(s))
	})
	if !ok {
		return nil
	}
	return &g.entries[i]
}

// append writes records in one go and syncs. After an error the file is cut
// back, so that no half record stands before later ones.
func (g *segment) append(records []record) error {
	var b []byte
	for _, r := range records {
		b = r.appendTo(b)
	}
	_, err := g.file.WriteAt(b, g.size)
	if err == nil {
		err = g.file.Sync()
	}
	if err != nil {
		g.broken = true // what the disk holds is unknown: go on in a new file
		return errors.Join(err, g.file.Truncate(g.size))
	}
	for _, r := range records {
		g.add(r)
	}
	return nil
}

func (g *segment) add(r record) {
	g.entries = append(g.entries, entry{seq: r.seq, at: r.at, offset: g.size + recordHeader, length: len(r.payload)})
	g.size += r.size()
	g.waiting++
}

func (g *segment) payload(e *entry) ([]byte, error) {
	payload := make([]byte, e.length)
	if _, err := g.file.ReadAt(payload, e.offset); err != nil {
		return nil, fmt.Errorf("read pack %d of the spool: %w", e.seq, err)
	}
	return payload, nil
}

const suffix = ".seg"

// loadSegments reads every segment and starts a new one to write to.
func (s *Spool) loadSegments() error {
	names, err := filepath.Glob(filepath.Join(s.dir, "*"+suffix))
	if err != nil {
		return err
	}
	slices.Sort(names) // numbers have leading zeros
	for _, name := range names {
		if err := s.loadSegment(name); err != nil {
			return err
		}
	}
	if err := s.startSegment(); err != nil {
		return err
	}
	return s.removeAnswered()
}

func (s *Spool) loadSegment(name string) error {
	first, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(name), suffix), 10, 64)
	if err != nil {
		return fmt.Errorf("%s is not a segment: remove it: %w", name, err)
	}
	file, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	g := &segment{file: file, first: wire.Seq(first)}
	s.segments = append(s.segments, g)
	cut, err := g.load()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	s.counts.CutBytes += cut
	s.next = max(s.next, g.first, g.last()+1)
	return nil
}

// load reads the records up to the first damage and cuts off the rest; it
// returns how many bytes that were.
func (g *segment) load() (cut int64, err error) {
	stat, err := g.file.Stat()
	if err != nil {
		return 0, err
	}
	r := bufio.NewReaderSize(g.file, 1<<16)
	for {
		next, err := readRecord(r, stat.Size()-g.size)
		if err != nil || next.seq <= g.last() || next.seq < g.first {
			break
		}
		g.add(next)
	}
	if cut = stat.Size() - g.size; cut == 0 {
		return 0, nil
	}
	return cut, g.file.Truncate(g.size)
}

// removeAnswered unlinks every segment that holds no waiting pack, but never the
// last one, which is written to.
func (s *Spool) removeAnswered() error {
	for i := 0; i < len(s.segments)-1; {
		if s.segments[i].waiting > 0 {
			i++
			continue
		}
		if err := s.removeSegment(i); err != nil {
			return err
		}
	}
	return nil
}

// startSegment makes the file that is appended to, durably.
func (s *Spool) startSegment() error {
	name := filepath.Join(s.dir, fmt.Sprintf("%020d%s", s.next, suffix))
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	s.segments = append(s.segments, &segment{file: file, first: s.next})
	return syncDir(s.dir)
}

func (s *Spool) removeSegment(i int) error {
	g := s.segments[i]
	s.segments = slices.Delete(s.segments, i, i+1)
	return errors.Join(os.Remove(g.file.Name()), g.file.Close())
}

// writeDurably writes a small file so that after a power cut it is there whole
// or not at all.
func writeDurably(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
