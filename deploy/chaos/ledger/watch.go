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
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A Watcher keeps what a gateway writes to its spool, which the gateway deletes
// once it is answered. It holds each segment's file open from its creation on
// and reads it when it was deleted, or at the end.
type Watcher struct {
	dir     string
	inotify int
	ending  atomic.Bool
	done    chan struct{}

	mu       sync.Mutex
	open     map[string]*os.File
	readings []metering.Reading
	packs    int
	err      error
}

const segmentSuffix = ".seg"

// Watch begins to watch the spool in dir, which must exist, with what is in it.
// Close ends it.
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

// Written returns all readings that were written so far, in order of segments,
// how many packs they came in, and the first failure of the watch, after which
// something may be lacking. A record that was torn or cut off again is not
// written.
func (w *Watcher) Written() ([]metering.Reading, int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	readings, packs := append([]metering.Reading(nil), w.readings...), w.packs
	for name, file := range w.open {
		more, n, err := readSegment(file)
		if err != nil {
			return nil, 0, fmt.Errorf("segment %s of spool %s: %w", name, w.dir, err)
		}
		readings, packs = append(readings, more...), packs+n
	}
	return readings, packs, w.err
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
	runtime.LockOSThread() // and never unlocked: the thread goes with its preference
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
		w.fail(errors.New("the kernel had more notes than it keeps"))
	case !strings.HasSuffix(name, segmentSuffix):
	case mask&unix.IN_CREATE != 0:
		w.created(name)
	case mask&unix.IN_DELETE != 0:
		w.deleted(name)
	}
}

func (w *Watcher) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = fmt.Errorf("watch spool %s: %w", w.dir, err)
	}
}

func (w *Watcher) created(name string) {
	file, err := os.Open(filepath.Join(w.dir, name))
	if err != nil {
		w.fail(fmt.Errorf("a segment went before it could be opened: %w", err))
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
	readings, packs, err := readSegment(file)
	if err = errors.Join(err, file.Close()); err != nil && w.err == nil {
		w.err = fmt.Errorf("segment %s of spool %s: %w", name, w.dir, err)
	}
	w.readings, w.packs = append(w.readings, readings...), w.packs+packs
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
			return nil, 0, fmt.Errorf("a whole record that is no pack: %w", err)
		}
		for _, r := range pack.Readings {
			readings = append(readings, r.Reading)
		}
		packs, content = packs+1, content[end:]
	}
	return readings, packs, nil
}
