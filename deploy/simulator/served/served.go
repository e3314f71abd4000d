// Package served keeps the log of every amount that simulated meters ever
// showed to a master, so that a test can hold what was stored against what was
// there to be read.
//
// The log is a CSV file with the header
//
//	meter,quantity,received_ms,answered_ms,index
//
// Received is when the request was whole, answered when the answer had been
// sent, both in milliseconds since 1970; the register was read between the two.
// Index is the amount that the register encoded: Wh or mL for the quantity
// index, W for power, m°C for temperature.
package served

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

const header = "meter,quantity,received_ms,answered_ms,index\n"

// An Entry is one register of one answer. Its instants are UTC in whole
// milliseconds.
type Entry struct {
	Meter              metering.MeterID
	Quantity           metering.Quantity
	Received, Answered time.Time
	Index              metering.Amount
}

// A Log appends entries to a file. Its methods may be called from any number of
// goroutines.
type Log struct {
	path  string
	every time.Duration

	mu     sync.Mutex
	file   *os.File
	buffer *bufio.Writer
	err    error // the first that happened

	stop chan struct{}
	done chan struct{}
}

// Open opens the log at path, or makes it. A line that a crash left torn at the
// end is cut off. What is added reaches the file within a second and at
// [Log.Close]; it is not synced to the disk.
func Open(path string) (*Log, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log of served indexes: %w", err)
	}
	size, err := whole(file)
	if err == nil {
		err = file.Truncate(size)
	}
	if err == nil {
		_, err = file.Seek(size, io.SeekStart)
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("open the log of served indexes %s: %w", path, err)
	}
	l := &Log{
		path: path, every: time.Second, file: file, buffer: bufio.NewWriterSize(file, 1<<16),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	if size == 0 {
		_, l.err = l.buffer.WriteString(header)
	}
	go l.flushing()
	return l, nil
}

// whole returns the length of the file up to its last line end.
func whole(file *os.File) (int64, error) {
	stat, err := file.Stat()
	if err != nil {
		return 0, err
	}
	end := stat.Size()
	block := make([]byte, 4096)
	for end > 0 {
		from := max(0, end-int64(len(block)))
		n, err := file.ReadAt(block[:end-from], from)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if at := bytes.LastIndexByte(block[:n], '\n'); at >= 0 {
			return from + int64(at) + 1, nil
		}
		end = from
	}
	return 0, nil
}

// Add appends an entry. A failure to write is kept for [Log.Err] and
// [Log.Close].
func (l *Log) Add(e Entry) {
	line := make([]byte, 0, 80)
	line = append(line, e.Meter...)
	line = append(line, ',')
	line = append(line, e.Quantity...)
	for _, n := range []int64{e.Received.UnixMilli(), e.Answered.UnixMilli(), int64(e.Index)} {
		line = strconv.AppendInt(append(line, ','), n, 10)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := l.buffer.Write(append(line, '\n'))
	l.keep(err)
}

// Err returns the first failure to write, nil while there was none.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Flush hands what was added to the operating system.
func (l *Log) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keep(l.buffer.Flush())
	return l.err
}

// Close flushes and closes the log and returns the first failure of its life.
// Nothing may be added afterwards. It must be called once.
func (l *Log) Close() error {
	close(l.stop)
	<-l.done
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keep(l.buffer.Flush())
	l.keep(l.file.Close())
	return l.err
}

func (l *Log) keep(err error) {
	if err != nil && l.err == nil {
		l.err = fmt.Errorf("write the log of served indexes %s: %w", l.path, err)
	}
}

func (l *Log) flushing() {
	defer close(l.done)
	ticker := time.NewTicker(l.every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			_ = l.Flush() // kept in l.err
		case <-l.stop:
			return
		}
	}
}

// Read returns the entries of the log at path, in order. A torn last line, such
// as a log has while it is written, is left out.
func Read(path string) ([]Entry, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the log of served indexes: %w", err)
	}
	var entries []Entry
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if number == 1 || !strings.HasSuffix(line, "\n") {
			if number == 1 && line != header {
				return nil, fmt.Errorf("read %s: the first line is not %q", path, strings.TrimSpace(header))
			}
			continue
		}
		e, err := parse(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, fmt.Errorf("read %s: line %d: %w", path, number, err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func parse(line string) (Entry, error) {
	cells := strings.Split(line, ",")
	if len(cells) != 5 {
		return Entry{}, fmt.Errorf("has %d cells, not 5", len(cells))
	}
	var n [3]int64
	for i := range n {
		var err error
		if n[i], err = strconv.ParseInt(cells[2+i], 10, 64); err != nil {
			return Entry{}, err
		}
	}
	return Entry{
		Meter:    metering.MeterID(cells[0]),
		Quantity: metering.Quantity(cells[1]),
		Received: time.UnixMilli(n[0]).UTC(),
		Answered: time.UnixMilli(n[1]).UTC(),
		Index:    metering.Amount(n[2]),
	}, nil
}
