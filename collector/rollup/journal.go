package rollup

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// A span is a range of instants, both included. The zero value is empty.
type span struct {
	from, to time.Time
	readings int // marked in it; 0 means not known
}

// with returns the smallest span that holds both.
func (s span) with(o span) span {
	if s.from.IsZero() {
		return o
	}
	if o.from.Before(s.from) {
		s.from = o.from
	}
	if o.to.After(s.to) {
		s.to = o.to
	}
	if s.readings == 0 || o.readings == 0 {
		s.readings = 0
	} else {
		s.readings += o.readings
	}
	return s
}

// Spans of a meter closer than this are rolled up as one; a meter with more
// than so many is rolled up as one too.
const (
	mergeWithin = 48 * time.Hour
	maxSpans    = 32
)

// merge returns spans in order, joined where they are close.
func merge(spans []span) []span {
	if len(spans) == 2 { // the way of nearly every reading
		if a, b := spans[0], spans[1]; !b.from.Before(a.from) && b.from.Sub(a.to) <= mergeWithin {
			return []span{a.with(b)}
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return a.from.Compare(b.from) })
	joined := spans[:1]
	for _, s := range spans[1:] {
		last := &joined[len(joined)-1]
		if s.from.Sub(last.to) <= mergeWithin || len(spans) > maxSpans {
			*last = last.with(s)
		} else {
			joined = append(joined, s)
		}
	}
	return joined
}

// hull returns the one span from the first to the last; there must be one.
func hull(spans []span) span {
	all := spans[0]
	for _, s := range spans[1:] {
		all = all.with(s)
	}
	return all
}

// extend returns spans with at in one of them.
func extend(spans []span, at time.Time) []span {
	one := span{from: at, to: at, readings: 1}
	for i := range spans {
		s := &spans[len(spans)-1-i] // mostly the last
		if at.Sub(s.to) <= mergeWithin && s.from.Sub(at) <= mergeWithin {
			*s = s.with(one)
			return spans
		}
	}
	return append(spans, one)
}

// A journal is the dirty ranges on disk: one line each, "meter from to" in
// milliseconds, appended and synced. A torn last line belongs to a batch that
// was never answered.
//
// Writers of batches share a sync: on a slow disk one for each would be the pace
// of the whole collector.
type journal struct {
	path string
	lock *os.File

	mu   sync.Mutex // held while the file is written
	file *os.File
	size int64

	queue sync.Mutex
	next  *round
}

// A round is lines that become durable together.
type round struct {
	text []byte
	done bool
	err  error
}

// maxJournal is where a journal with work left is written anew.
const maxJournal = 1 << 20

// openJournal locks the journal against other processes and reads it.
func openJournal(path string) (*journal, map[metering.MeterID][]span, error) {
	lock, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open rollup journal: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("rollup journal %s is in use: give each collector a quarantine.dir of its own", path), lock.Close())
	}
	j := &journal{path: path, lock: lock, next: &round{}}
	left, err := readJournal(path)
	if err == nil {
		err = j.rewrite(left)
	}
	if err != nil {
		return nil, nil, errors.Join(err, lock.Close())
	}
	return j, left, nil
}

func readJournal(path string) (map[metering.MeterID][]span, error) {
	left := map[metering.MeterID][]span{}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return left, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read rollup journal: %w", err)
	}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if id, s, ok := parseLine(lines.Bytes()); ok {
			left[id] = merge(append(left[id], s))
		}
	}
	if err := errors.Join(lines.Err(), file.Close()); err != nil {
		return nil, fmt.Errorf("read rollup journal %s: %w", path, err)
	}
	return left, nil
}

func (j *journal) close() error { return errors.Join(j.file.Close(), j.lock.Close()) }

// add puts what is touched into the next round and returns it.
func (j *journal) add(touched []*meterState) *round {
	j.queue.Lock()
	defer j.queue.Unlock()
	for _, st := range touched {
		for _, s := range st.touched {
			j.next.text = appendLine(j.next.text, st.meter.Meter, s)
		}
	}
	return j.next
}

// sync returns nil once the round is durable.
func (j *journal) sync(r *round) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !r.done { // else another writer's sync was also this one's
		j.queue.Lock()
		j.next = &round{}
		j.queue.Unlock()
		r.done, r.err = true, j.append(r.text)
	}
	return r.err
}

func (j *journal) append(text []byte) error {
	if _, err := j.file.WriteAt(text, j.size); err != nil {
		return fmt.Errorf("write rollup journal: %w", err)
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("sync rollup journal: %w", err)
	}
	j.size += int64(len(text))
	return nil
}

// shorten leaves only what is left to do, where nothing is or the journal has
// grown large. Else what was done since is done again after a crash, no harm.
func (j *journal) shorten(left map[metering.MeterID][]span) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.size == 0 || (len(left) > 0 && j.size < maxJournal) {
		return nil
	}
	return j.rewrite(left)
}

// rewrite puts a new file in the journal's place: after a power cut one of the
// two is there, whole.
func (j *journal) rewrite(left map[metering.MeterID][]span) error {
	beside, text := j.path+".new", lines(left)
	file, err := os.OpenFile(beside, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write rollup journal: %w", err)
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync()); err == nil {
		err = os.Rename(beside, j.path)
	}
	if err == nil {
		err = syncDir(j.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write rollup journal: %w", err), file.Close())
	}
	if j.file != nil {
		err = j.file.Close()
	}
	j.file, j.size = file, int64(len(text))
	return err
}

func syncDir(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func lines(spans map[metering.MeterID][]span) []byte {
	var text []byte
	for _, id := range slices.Sorted(maps.Keys(spans)) {
		for _, s := range spans[id] {
			text = appendLine(text, id, s)
		}
	}
	return text
}

func appendLine(dst []byte, id metering.MeterID, s span) []byte {
	dst = append(append(dst, id...), ' ')
	dst = append(strconv.AppendInt(dst, s.from.UnixMilli(), 10), ' ')
	return append(strconv.AppendInt(dst, s.to.UnixMilli(), 10), '\n')
}

func parseLine(line []byte) (metering.MeterID, span, bool) {
	words := bytes.Fields(line)
	if len(words) != 3 || !metering.ValidID(metering.MeterID(words[0])) {
		return "", span{}, false
	}
	from, err1 := strconv.ParseInt(string(words[1]), 10, 64)
	to, err2 := strconv.ParseInt(string(words[2]), 10, 64)
	s := span{from: time.UnixMilli(from).UTC(), to: time.UnixMilli(to).UTC()}
	return metering.MeterID(words[0]), s, errors.Join(err1, err2) == nil && to >= from
}
