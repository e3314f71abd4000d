package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A Watcher keeps what a gateway writes to its spool, which the gateway deletes
// once it is answered. It holds each segment's file open from its creation on
// and reads it when it was deleted, or at the end. A segment that comes and goes
// before the watcher gets a processor is missed, and counted: it is a witness
// beside the [Recorder], which misses nothing that was sent.
type Watcher struct {
	dir     string
	inotify int
	ending  atomic.Bool
	done    chan struct{}

	mu       sync.Mutex
	open     map[string]*os.File
	written  Written
	failures []error
}

// Written is what a watcher saw.
type Written struct {
	Readings []metering.Reading // in order of segments
	Packs    int
	// Missed counts segments that came and went unseen, and times at which the
	// kernel had more notes of them than it keeps.
	Missed int
}

const segmentSuffix = ".seg"

// Watch begins to watch the spool in dir, which must exist, with what is in it.
// Close ends it, after the programs that the caller started.
func Watch(dir string) (*Watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch spool %s: %w", dir, err)
	}
	w := &Watcher{dir: dir, inotify: fd, done: make(chan struct{}), open: map[string]*os.File{}}
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_CREATE|unix.IN_DELETE); err != nil {
		return nil, errors.Join(fmt.Errorf("watch spool %s: %w", dir, err), unix.Close(fd))
	}
	present, err := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix))
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	for _, path := range present {
		w.created(filepath.Base(path))
	}
	go w.follow()
	return w, nil
}

// Written returns what was written so far. A record that was torn or cut off
// again is not written. It fails where a segment cannot be read, or holds a whole
// record that is no pack; the rest is returned all the same.
func (w *Watcher) Written() (Written, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	all, failures := w.written, slices.Clone(w.failures)
	all.Readings = slices.Clone(all.Readings)
	for name, file := range w.open {
		if err := all.read(file); err != nil {
			failures = append(failures, fmt.Errorf("segment %s of spool %s: %w", name, w.dir, err))
		}
	}
	return all, errors.Join(failures...)
}

// OnDisk returns what the segments of the spool in dir hold at the moment,
// answered or not. It may be asked beside the gateway.
func OnDisk(dir string) (all Written, err error) {
	segments, err := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix))
	if err != nil {
		return all, fmt.Errorf("read spool %s: %w", dir, err)
	}
	var failures []error
	for _, path := range segments {
		file, err := os.Open(path)
		if errors.Is(err, os.ErrNotExist) {
			continue // answered meanwhile
		}
		if err == nil {
			err = errors.Join(all.read(file), file.Close())
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("read spool: segment %s: %w", path, err))
		}
	}
	return all, errors.Join(failures...)
}

func (w *Written) read(segment io.ReaderAt) error {
	readings, packs, err := readSegment(segment)
	w.Readings, w.Packs = append(w.Readings, readings...), w.Packs+packs
	return err
}

// Close ends the watch and closes what is open.
func (w *Watcher) Close() error {
	w.ending.Store(true)
	<-w.done
	err := unix.Close(w.inotify)
	for _, file := range w.open {
		err = errors.Join(err, file.Close())
	}
	return err
}

// Times of the watch. A segment lives for a tenth of a second where everything
// is well, so that whoever opens it must not wait for a turn: the thread asks to
// be preferred, which a system may refuse.
const (
	preferred = -15
	lookMs    = 200 // between looks at whether the watch is to end
)

// follow reads the kernel's notes until the watch is closed.
func (w *Watcher) follow() {
	defer close(w.done)
	// Never unlocked: the thread goes with its preference. A program that was
	// started from it to die with its parent dies then, so the watch is to be
	// closed last.
	runtime.LockOSThread()
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), preferred)
	var notes [64 << 10]byte
	for !w.ending.Load() {
		if n, err := unix.Poll([]unix.PollFd{{Fd: int32(w.inotify), Events: unix.POLLIN}}, lookMs); n <= 0 || err != nil {
			continue
		}
		n, err := unix.Read(w.inotify, notes[:])
		if err != nil {
			continue
		}
		w.read(notes[:n], unix.IN_CREATE|unix.IN_Q_OVERFLOW) // what was made must be opened first
		w.read(notes[:n], unix.IN_DELETE)
	}
}

// read takes those of the notes that are of the kinds in mask.
func (w *Watcher) read(notes []byte, mask uint32) {
	for len(notes) >= unix.SizeofInotifyEvent {
		kind := binary.NativeEndian.Uint32(notes[4:])
		length := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(notes[12:]))
		if kind&mask != 0 {
			w.note(kind, strings.TrimRight(string(notes[unix.SizeofInotifyEvent:length]), "\x00"))
		}
		notes = notes[length:]
	}
}

func (w *Watcher) note(mask uint32, name string) {
	switch {
	case mask&unix.IN_Q_OVERFLOW != 0:
		w.miss()
	case !strings.HasSuffix(name, segmentSuffix):
	case mask&unix.IN_CREATE != 0:
		w.created(name)
	case mask&unix.IN_DELETE != 0:
		w.deleted(name)
	}
}

func (w *Watcher) miss() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.written.Missed++
}

func (w *Watcher) created(name string) {
	file, err := os.Open(filepath.Join(w.dir, name))
	if err != nil {
		w.miss() // it went before it could be opened
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.open[name]; known {
		_ = file.Close()
		return
	}
	w.open[name] = file
}

func (w *Watcher) deleted(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	file, known := w.open[name]
	if !known {
		return
	}
	delete(w.open, name)
	if err := errors.Join(w.written.read(file), file.Close()); err != nil {
		w.failures = append(w.failures, fmt.Errorf("segment %s of spool %s: %w", name, w.dir, err))
	}
}

// recordHeader is the length of a record before its payload; the format stands
// in the README of gateway/spool.
const recordHeader = 24

// readSegment returns the readings of the whole records of a segment.
func readSegment(file io.ReaderAt) (readings []metering.Reading, packs int, err error) {
	content, err := io.ReadAll(io.NewSectionReader(file, 0, 1<<32))
	if err != nil {
		return nil, 0, err
	}
	sums := crc32.MakeTable(crc32.Castagnoli)
	for len(content) >= recordHeader {
		end := recordHeader + int(binary.LittleEndian.Uint32(content))
		if end == recordHeader || end > len(content) || crc32.Checksum(content[8:end], sums) != binary.LittleEndian.Uint32(content[4:]) {
			break
		}
		pack, err := wire.DecodePack(content[recordHeader:end])
		if err != nil {
			return readings, packs, fmt.Errorf("a whole record that is no pack: %w", err)
		}
		for _, r := range pack.Readings {
			readings = append(readings, r.Reading)
		}
		packs, content = packs+1, content[end:]
	}
	return readings, packs, nil
}
