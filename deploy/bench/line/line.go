// Package line simulates a serial line of Modbus slaves that takes the time of
// each byte: request, silence, turnaround and answer as a line at that rate
// would, on a pseudo-terminal, which itself has no rate.
package line

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
)

// Options say what line is simulated.
type Options struct {
	Baud       int
	Turnaround time.Duration
	Dead       map[byte]bool // slaves that do not answer
}

// An Exchange is a request and its answer as the line saw them.
type Exchange struct {
	Slave    byte
	Start    time.Time // the request's first byte
	End      time.Time // the answer's last byte; zero where none came
	Quantity uint16
}

// A Line is one end of the simulated line. Make it with [Open].
type Line struct {
	options Options
	pty     *slave.PTY
	dir     string
	ended   sync.WaitGroup

	mu        sync.Mutex
	exchanges []Exchange
	early     int
}

// characterBits is what metering over serial lines counts with: start, eight
// bits, parity, stop.
const characterBits = 11

// Character is the time of a byte.
func (o Options) Character() time.Duration {
	return characterBits * time.Second / time.Duration(o.Baud)
}

// Silence ends a frame: 3.5 characters, 1.75 ms above 19200 baud (Modbus over
// Serial Line 1.02, 2.5.1.1).
func (o Options) Silence() time.Duration {
	if o.Baud > 19200 {
		return 1750 * time.Microsecond
	}
	return characterBits * 7 * time.Second / time.Duration(2*o.Baud)
}

// Exchange is what a request for that many registers takes by itself, with the
// silences after request and answer: T(q).
func (o Options) Exchange(quantity int) time.Duration {
	return time.Duration(8+5+2*quantity)*o.Character() + 2*o.Silence() + o.Turnaround
}

// Open starts a line. The caller must close it.
func Open(o Options) (*Line, error) {
	dir, err := os.MkdirTemp("", "xnet-line-")
	if err != nil {
		return nil, err
	}
	l := &Line{options: o, dir: dir}
	if l.pty, err = slave.OpenPTY(filepath.Join(dir, "line")); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	l.ended.Go(l.serve)
	return l, nil
}

// Path is the device that a master opens.
func (l *Line) Path() string { return filepath.Join(l.dir, "line") }

// Close ends the line.
func (l *Line) Close() error {
	err := l.pty.Close()
	l.ended.Wait()
	return errors.Join(err, os.RemoveAll(l.dir))
}

// Take returns the exchanges since the last call, and how many requests began
// within the silence after an answer, which a real line forbids.
func (l *Line) Take() (exchanges []Exchange, early int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	exchanges, early = l.exchanges, l.early
	l.exchanges, l.early = nil, 0
	return exchanges, early
}

// serve answers requests until the line is closed. It holds a thread whose
// sleeps the kernel does not stretch.
func (l *Line) serve() {
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // ns; without it all is 50 µs later
	request := make([]byte, 0, 256)
	chunk := make([]byte, 256)
	var last time.Time
	for {
		n, err := l.pty.Read(chunk)
		if err != nil {
			return
		}
		if len(request) == 0 && time.Since(last) < l.options.Silence()*9/10 {
			l.mu.Lock()
			l.early++
			l.mu.Unlock()
		}
		request = append(request, chunk[:n]...)
		if len(request) < 8 {
			continue
		}
		last = l.answer(request[:8])
		request = request[:0]
	}
}

// answer plays one exchange in the time it takes, and returns its end.
func (l *Line) answer(request []byte) time.Time {
	start := time.Now()
	x := Exchange{Slave: request[0], Start: start, Quantity: binary.BigEndian.Uint16(request[4:])}
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.exchanges = append(l.exchanges, x)
	}()
	whole := slave.CRC(request[:6]) == binary.LittleEndian.Uint16(request[6:])
	if !whole || l.options.Dead[x.Slave] {
		return start
	}
	c := l.options.Character()
	at := start.Add(8*c + l.options.Silence() + l.options.Turnaround)
	x.End = l.send(Answer(request), at, c)
	return x.End
}

// send writes each byte when its last bit would have come, and returns when the
// last one had: before it is written, because a master may be quick.
func (l *Line) send(b []byte, at time.Time, character time.Duration) (end time.Time) {
	for sent := 0; sent < len(b); {
		SleepUntil(at.Add(time.Duration(sent+1) * character))
		end = time.Now()
		come := min(len(b), max(sent+1, int(end.Sub(at)/character)))
		if _, err := l.pty.Write(b[sent:come]); err != nil {
			return end
		}
		sent = come
	}
	return end
}

// Answer is what a slave whose registers hold their own addresses answers.
func Answer(request []byte) []byte {
	address, quantity := binary.BigEndian.Uint16(request[2:]), binary.BigEndian.Uint16(request[4:])
	b := []byte{request[0], request[1], byte(2 * quantity)}
	for i := range quantity {
		b = binary.BigEndian.AppendUint16(b, address+i)
	}
	return binary.LittleEndian.AppendUint16(b, slave.CRC(b))
}

// SleepUntil sleeps by the kernel's clock, to some ten microseconds.
func SleepUntil(at time.Time) {
	for {
		d := time.Until(at)
		if d <= 0 {
			return
		}
		left := unix.NsecToTimespec(int64(d))
		_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &left, nil)
	}
}

// Master reads quantity registers of each slave once, with requests that are
// made beforehand and nothing but the silence between them: what the line
// allows. It is the limit that real masters are measured against.
func (l *Line) Master(ctx context.Context, slaves []byte, quantity uint16, cycles int) error {
	port, err := os.OpenFile(l.Path(), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	defer func() { _ = port.Close() }()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	answer := make([]byte, 5+2*quantity)
	for range cycles {
		for _, s := range slaves {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			request := Request(s, quantity)
			if _, err := port.Write(request); err != nil {
				return err
			}
			for n := 0; n < len(answer); {
				got, err := port.Read(answer[n:])
				if err != nil {
					return fmt.Errorf("bare master: %w", err)
				}
				n += got
			}
			SleepUntil(time.Now().Add(l.options.Silence()))
		}
	}
	return nil
}

// Request is one for holding registers from 0 on.
func Request(unit byte, quantity uint16) []byte {
	b := []byte{unit, 3, 0, 0, byte(quantity >> 8), byte(quantity)}
	return binary.LittleEndian.AppendUint16(b, slave.CRC(b))
}

// Cycles returns how long each cycle took in which so many slaves were answered:
// from the first request to the first slave to the end of the last answer before
// the next such request. The second result counts the cycles that were broken
// off.
func Cycles(exchanges []Exchange, first byte, slaves int) (all []time.Duration, broken int) {
	var start, end time.Time
	answered := map[byte]bool{}
	for i, x := range exchanges {
		if x.Slave == first && (i == 0 || exchanges[i-1].Slave != first) {
			switch {
			case len(answered) >= slaves:
				all = append(all, end.Sub(start))
			case i > 0:
				broken++
			}
			start, answered = x.Start, map[byte]bool{}
		}
		if !x.End.IsZero() {
			end, answered[x.Slave] = x.End, true
		}
	}
	return all, broken
}
