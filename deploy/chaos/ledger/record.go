package ledger

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A Recorder stands between gateways and their broker and keeps every pack
// before it passes it on. It cannot miss one that counts: a gateway deletes a
// pack only once a collector has answered for it, a collector has it only from
// the broker, and the broker only from here. What never came by is still in a
// spool, unless it was lost there.
type Recorder struct {
	broker   string
	listener net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex
	closed bool
	open   map[net.Conn]bool
	packs  map[packID][]byte
	sent   Sent
}

type packID struct {
	spool wire.SpoolID
	seq   wire.Seq
}

// Sent is what gateways have sent.
type Sent struct {
	Readings []metering.Reading // of each pack once
	Packs    map[metering.GatewayID]int
	Again    int // how often a pack came that had come before
	// Faults are what no gateway may send: a message that is no pack, or under a
	// number another pack than before.
	Faults []string
}

// Record begins to take gateways' connections to the broker, host:port. Close
// ends it.
func Record(broker string) (*Recorder, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("recorder before the broker %s: %w", broker, err)
	}
	r := &Recorder{broker: broker, listener: listener, open: map[net.Conn]bool{}, packs: map[packID][]byte{},
		sent: Sent{Packs: map[metering.GatewayID]int{}}}
	r.running.Go(r.accept)
	return r, nil
}

// Addr is where gateways find the recorder, host:port.
func (r *Recorder) Addr() string { return r.listener.Addr().String() }

// Sent returns what came by so far.
func (r *Recorder) Sent() Sent {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sent
	s.Readings, s.Faults, s.Packs = slices.Clone(s.Readings), slices.Clone(s.Faults), map[metering.GatewayID]int{}
	for g, n := range r.sent.Packs {
		s.Packs[g] = n
	}
	return s
}

// Close breaks all connections and takes no more.
func (r *Recorder) Close() error {
	err := r.listener.Close()
	r.mu.Lock()
	r.closed = true
	for conn := range r.open {
		_ = conn.Close()
	}
	r.mu.Unlock()
	r.running.Wait()
	return err
}

func (r *Recorder) accept() {
	for {
		conn, err := r.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // a connection that ended before it was taken
		}
		r.running.Go(func() { r.serve(conn) })
	}
}

// serve joins a gateway with the broker until one of them leaves. A broker that
// is not there looks as it does without the recorder behind a proxy.
func (r *Recorder) serve(gateway net.Conn) {
	defer r.drop(gateway)
	broker, err := net.Dial("tcp", r.broker)
	if err != nil || !r.hold(gateway) || !r.hold(broker) {
		if broker != nil {
			_ = broker.Close()
		}
		return
	}
	defer r.drop(broker)
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(gateway, broker) // its end is the connection's
		_ = gateway.Close()
	})
	_ = r.forward(broker, gateway)
	_ = broker.Close()
	back.Wait()
}

func (r *Recorder) hold(conn net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open[conn] = true
	return !r.closed
}

func (r *Recorder) drop(conn net.Conn) {
	_ = conn.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, conn)
}

// forward passes whole packets on, each after it was kept. Of one that the
// connection's end has torn the broker could make nothing.
func (r *Recorder) forward(broker io.Writer, gateway io.Reader) error {
	var packet bytes.Buffer
	from := io.TeeReader(bufio.NewReader(gateway), &packet)
	for {
		packet.Reset()
		read, err := packets.ReadPacket(from)
		if err != nil {
			return err
		}
		if p, ok := read.(*packets.PublishPacket); ok {
			r.keep(p.TopicName, p.Payload)
		}
		if _, err := broker.Write(packet.Bytes()); err != nil {
			return err
		}
	}
}

func (r *Recorder) keep(topic string, payload []byte) {
	source, channel, err := wire.ParseTopic(topic)
	if err != nil || channel != wire.ReadingsChannel {
		return
	}
	pack, err := wire.DecodePack(payload)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.sent.Faults = append(r.sent.Faults, fmt.Sprintf("%s sent what is no pack: %v", source.Gateway, err))
		return
	}
	id := packID{pack.Spool, pack.Seq}
	if before, known := r.packs[id]; known {
		if r.sent.Again++; !bytes.Equal(before, payload) {
			r.sent.Faults = append(r.sent.Faults, fmt.Sprintf("%s sent two packs of spool %s under number %d", source.Gateway, id.spool, id.seq))
		}
		return
	}
	r.packs[id] = payload
	r.sent.Packs[source.Gateway]++
	for i := range pack.Readings {
		r.sent.Readings = append(r.sent.Readings, pack.Readings[i].Reading)
	}
}
