package ingest_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/collector/ingest"
)

// pair returns both ends of a connection over loopback.
func pair(t *testing.T) (near, far net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if near, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

// TestSocketKeepsOrder: what several writers write comes out whole, each one's in
// its order, and all of it before the end.
func TestSocketKeepsOrder(t *testing.T) {
	near, far := pair(t)
	socket := ingest.NewSocket(near)
	const writers, packets = 4, 5000
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for n := range packets {
				if _, err := socket.Write([]byte{byte(w), byte(n >> 8), byte(n)}); err != nil {
					t.Errorf("writer %d, packet %d: %v", w, n, err)
					return
				}
			}
		})
	}
	closed := make(chan error, 1)
	go func() { group.Wait(); closed <- socket.Close() }()
	got, err := io.ReadAll(far)
	if err := errors.Join(err, <-closed); err != nil {
		t.Fatal(err)
	}
	if len(got) != 3*writers*packets {
		t.Fatalf("%d bytes came, want %d", len(got), 3*writers*packets)
	}
	var next [writers]int
	for ; len(got) > 0; got = got[3:] {
		if n := int(got[1])<<8 | int(got[2]); n != next[got[0]] {
			t.Fatalf("packet %d of writer %d came, want %d", n, got[0], next[got[0]])
		}
		next[got[0]]++
	}
}

// TestSocketReads: what comes in one piece is read in parts.
func TestSocketReads(t *testing.T) {
	near, far := pair(t)
	socket := ingest.NewSocket(near)
	t.Cleanup(func() { socket.Close() })
	if _, err := far.Write([]byte("reading")); err != nil {
		t.Fatal(err)
	}
	var parts [7]byte
	for i := range parts {
		if _, err := io.ReadFull(socket, parts[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(parts[:], []byte("reading")) {
		t.Errorf("read %q", parts)
	}
}

// TestSocketTellsOfBrokenLine: who writes to a broken connection is told at one of
// the next writes, and who reads it at once.
func TestSocketTellsOfBrokenLine(t *testing.T) {
	near, far := pair(t)
	socket := ingest.NewSocket(near)
	t.Cleanup(func() { socket.Close() })
	if err := far.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	far.Close()
	if _, err := socket.Read(make([]byte, 1)); err == nil {
		t.Error("read from a broken connection: no error")
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		if _, err := socket.Write([]byte("x")); err != nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("writes to a broken connection fail not within 10 s")
		}
		time.Sleep(time.Millisecond) // until the kernel has heard of it
	}
}

// TestSocketOfSilentPeer: a peer that reads nothing holds a writer up rather than
// memory, and the end does not wait for it.
func TestSocketOfSilentPeer(t *testing.T) {
	near, _ := pair(t)
	socket := ingest.NewSocket(near)
	written, blocked := make(chan int, 1000), make(chan error, 1)
	go func() {
		block := make([]byte, 256<<10)
		for {
			n, err := socket.Write(block)
			if err != nil {
				blocked <- err
				return
			}
			written <- n
		}
	}()
	all := 0
	for held := false; !held; {
		select {
		case n := <-written:
			all += n
		case <-time.After(500 * time.Millisecond):
			held = true
		}
	}
	if all > 64<<20 {
		t.Errorf("%d bytes were taken over for a peer that reads nothing", all)
	}
	begun := time.Now()
	socket.Close()
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("the end took %s", took)
	}
	select {
	case <-blocked:
	case <-time.After(10 * time.Second):
		t.Error("the writer is held up for ever")
	}
}
