package campaign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
)

// A line is the slaves' side of a serial line or of a Modbus TCP server. Each
// slave answers its requests in order, apart from the others.
type line struct {
	options Options
	url     string
	frames  frames
	kinds   []kind
	cancel  context.CancelFunc
	ended   sync.WaitGroup
	release func()
	queues  [slaves + 1]chan *request

	mu     sync.Mutex
	chance *rand.Rand
	number uint32
	recent []*request // of the read that runs
	past   []*request // the latest ones of all reads
	faults map[string]int
}

// A request is one that reached a slave.
type request struct {
	question
	header   [2]byte // transaction, on TCP
	number   uint32
	fault    kind
	received time.Time
	served   bool // a whole right answer was sent in time
	out      io.Writer
}

// mostPast is how many requests are remembered to explain a mix-up.
const mostPast = 200

// String says which request it was, for people.
func (r *request) String() string {
	return fmt.Sprintf("#%d (%s; %s)", r.number, r.question, cmp.Or(r.fault.name, "no fault"))
}

func newLine(o Options, number uint64) (*line, error) {
	ctx, cancel := context.WithCancel(context.Background())
	l := &line{options: o, cancel: cancel, faults: map[string]int{},
		chance: rand.New(rand.NewPCG(o.Seed+1, number))}
	for i := range l.queues {
		l.queues[i] = make(chan *request, 64)
		l.ended.Go(func() { l.serve(ctx, l.queues[i]) })
	}
	if o.TCP {
		l.frames, l.kinds = tcpFrames{}, tcpKinds
		return l, l.listen(ctx)
	}
	l.frames, l.kinds = rtuFrames{}, rtuKinds
	return l, l.openPTY(ctx)
}

func (l *line) close() {
	l.cancel()
	if l.release != nil {
		l.release()
	}
	l.ended.Wait()
}

func (l *line) listen(ctx context.Context) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	l.url = "tcp://" + listener.Addr().String()
	l.release = func() { _ = listener.Close() }
	l.ended.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			l.ended.Go(func() {
				defer stop()
				defer func() { _ = conn.Close() }()
				l.receive(conn, &locked{Writer: conn, closer: conn})
			})
		}
	})
	return nil
}

func (l *line) openPTY(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "xnet-campaign-")
	if err != nil {
		return err
	}
	pty, err := slave.OpenPTY(filepath.Join(dir, "line"))
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	l.url = "rtu://" + filepath.Join(dir, "line")
	l.release = func() {
		_ = pty.Close()
		_ = os.RemoveAll(dir)
	}
	l.ended.Go(func() { l.receive(pty, &locked{Writer: pty}) })
	return nil
}

// locked writes whole pieces.
type locked struct {
	io.Writer
	closer io.Closer // nil for a line that is never closed
	mu     sync.Mutex
}

// Write implements io.Writer.
func (w *locked) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Writer.Write(b)
}

// receive takes requests apart until the other side is gone.
func (l *line) receive(in io.Reader, out io.Writer) {
	var held []byte
	chunk := make([]byte, 512)
	for {
		n, err := in.Read(chunk)
		if err != nil {
			return
		}
		held = append(held, chunk[:n]...)
		for len(held) >= l.frames.requestLength() {
			r, ok := l.frames.decode(held)
			if !ok {
				held = held[1:]
				continue
			}
			held = held[l.frames.requestLength():]
			r.out = out
			l.take(r)
		}
	}
}

// take numbers a request, draws its fault, and hands it to its slave.
func (l *line) take(r *request) {
	l.mu.Lock()
	l.number++
	r.number, r.received = l.number, time.Now()
	if at := l.chance.Float64() / faultRate; at < float64(len(l.kinds)) {
		r.fault = l.kinds[int(at)]
		l.faults[r.fault.name]++
	}
	l.recent = append(l.recent, r)
	l.past = append(l.past, r)
	l.past = l.past[max(0, len(l.past)-mostPast):]
	l.mu.Unlock()
	if int(r.slave) < len(l.queues) {
		l.queues[r.slave] <- r
	}
}

// serve answers the requests of one slave.
func (l *line) serve(ctx context.Context, queue <-chan *request) {
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-queue:
			play := r.fault.play
			if play == nil {
				play = answer
			}
			play(ctx, l, r)
		}
	}
}

// between draws a duration.
func (l *line) between(from, to time.Duration) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return from + time.Duration(l.chance.Int64N(int64(to-from)))
}

func (l *line) intN(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.chance.IntN(n)
}

// spoil makes the read that runs unreadable, if one of its requests is for the
// slave: another master talks to it at the same time.
func (l *line) spoil(slave byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.recent {
		if r.slave == slave {
			r.served = false
			r.fault.lost = true
		}
	}
}

// served notes that the whole right answer has gone, in time or not.
func (l *line) served(r *request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.served = !r.fault.lost && time.Since(r.received) < l.options.Timeout*8/10
}

// patience is how long the reader waits for the answer to r.
func (l *line) patience(r *request) time.Duration {
	if l.options.Slack == nil {
		return l.options.Timeout
	}
	return l.options.Timeout + l.options.Slack(r.quantity)
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (q question) String() string {
	return fmt.Sprintf("slave %d function %d address %d quantity %d", q.slave, q.function, q.address, q.quantity)
}
