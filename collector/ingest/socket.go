package ingest

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// A socket is a connection to the broker on which many small packets cost few
// system calls. The library reads each packet in several parts and writes each
// acknowledgement by itself; here both go through memory, and what is written
// while the last write is under way leaves with the next.
//
// Writes keep a pause, so that the first acknowledgement leaves at once and those
// that follow leave together: one by one they cost the broker, which is a single
// thread, more than the messages themselves.
//
// A write that fails is told of by the next one. What was written and is lost is
// what a broken connection loses anyway.
type socket struct {
	net.Conn
	in *bufio.Reader

	mu      sync.Mutex
	changed sync.Cond // out, err or closed
	out     []byte    // to be written
	err     error     // of writing
	closed  bool
	flushed chan struct{} // closed when nothing will be written any more
}

const (
	socketBuffer = 256 << 10
	// maxOut is how much waits to be written before a writer waits itself.
	maxOut = 1 << 20
	// pause lies between two writes. Brokers that want few messages
	// unacknowledged still deliver so many a thousand times a second.
	pause = time.Millisecond
)

func newSocket(conn net.Conn) *socket {
	s := &socket{Conn: conn, in: bufio.NewReaderSize(conn, socketBuffer), flushed: make(chan struct{})}
	s.changed.L = &s.mu
	go s.flush()
	return s
}

func (s *socket) Read(p []byte) (int, error) { return s.in.Read(p) }

// Write takes p over and returns; it waits only for a line that is far too slow.
func (s *socket) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.out) > maxOut && s.err == nil && !s.closed {
		s.changed.Wait()
	}
	switch {
	case s.err != nil:
		return 0, s.err
	case s.closed:
		return 0, net.ErrClosed
	}
	s.out = append(s.out, p...)
	s.changed.Broadcast()
	return len(p), nil
}

// SetWriteDeadline does nothing: the library means its own write, which is over
// before the bytes leave. Each real write has [writeTimeout].
func (s *socket) SetWriteDeadline(time.Time) error { return nil }

// Close lets what was written leave, for a moment.
func (s *socket) Close() error {
	s.mu.Lock()
	s.closed = true
	s.changed.Broadcast()
	s.mu.Unlock()
	select {
	case <-s.flushed:
	case <-time.After(lastWordsMs * time.Millisecond):
	}
	return s.Conn.Close()
}

// flush writes what there is, until the connection ends.
func (s *socket) flush() {
	defer close(s.flushed)
	var out []byte
	for {
		if out = s.next(out[:0]); len(out) == 0 {
			return
		}
		err := s.Conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		if err == nil {
			_, err = s.Conn.Write(out)
		}
		if err != nil {
			s.fail(err)
			return
		}
		time.Sleep(pause)
	}
}

// next waits for bytes to write and returns them, none at the end. It gives
// memory in exchange, for what is written meanwhile.
func (s *socket) next(empty []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.out) == 0 && !s.closed {
		s.changed.Wait()
	}
	out := s.out
	s.out = empty
	s.changed.Broadcast()
	return out
}

func (s *socket) fail(err error) {
	s.mu.Lock()
	s.err = err
	s.changed.Broadcast()
	s.mu.Unlock()
	_ = s.Conn.Close() // so that the reader hears of it too
}

// dialSocket opens a connection as the library would, buffered.
func dialSocket(broker *url.URL, o paho.ClientOptions) (net.Conn, error) {
	var conn net.Conn
	var err error
	switch broker.Scheme {
	case "tcp", "mqtt":
		conn, err = o.Dialer.Dial("tcp", broker.Host)
	default:
		conn, err = tls.DialWithDialer(o.Dialer, "tcp", broker.Host, o.TLSConfig)
	}
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", broker.Host, err)
	}
	return newSocket(conn), nil
}

// buffered reports whether [dialSocket] knows the scheme of a broker's URL.
func buffered(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "tcp", "mqtt", "ssl", "tls", "mqtts", "mqtt+ssl", "tcps":
		return true
	default: // web sockets have buffers of their own
		return false
	}
}
