package modbus_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	library "github.com/goburrow/modbus"

	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave/slavetest"
	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/modbus"
)

// named are coded slaves that tell names: slave 1 three of them, slave 2 so many
// that they need several answers, the others none.
type named struct{ coded }

func (named) Names(unit byte) (map[byte]string, error) {
	switch unit {
	case 1:
		return map[byte]string{0: "Schneider Electric", 1: "A9MEM3155", 2: "001.003.005"}, nil
	case 2:
		return map[byte]string{0: strings.Repeat("M", 200), 1: strings.Repeat("P", 200), 2: "1.0",
			5: "model", 0x80: strings.Repeat("X", 244), 0xFF: "last"}, nil
	case 9:
		return nil, slave.ErrSilent
	}
	return nil, nil
}

func TestIdentify(t *testing.T) {
	for name, config := range map[string]firmwareconfig.Bus{
		"tcp": {URL: slavetest.TCP(t, named{}, slave.Options{}), Timeout: timeout},
		"rtu": {URL: slavetest.RTU(t, named{}, slave.Options{}), Baud: 19200, Parity: "even", StopBits: 1, Timeout: timeout},
	} {
		t.Run(name, func(t *testing.T) {
			bus := openBus(t, config)
			for _, tt := range []struct {
				unit, object byte
				want         string
				err          error
			}{
				{1, 0, "Schneider Electric", nil},
				{1, 1, "A9MEM3155", nil},
				{1, 5, "", modbus.ErrNoObject},
				{2, 1, strings.Repeat("P", 200), nil}, // stands in the second answer
				{2, 5, "model", nil},
				{2, 0xFF, "last", nil},
				{2, 0xFE, "", modbus.ErrNoObject},
				{9, 0, "", modbus.ErrTimeout},
			} {
				got, err := bus.Identify(t.Context(), tt.unit, tt.object)
				if got != tt.want || !errors.Is(err, tt.err) {
					t.Errorf("object %d of slave %d: %q, %v, want %q, %v", tt.object, tt.unit, got, err, tt.want, tt.err)
				}
				checkCoded(t, bus, 3, 7, 4) // the line is as good as before
			}
			_, err := bus.Identify(t.Context(), 3, 0)
			if exception := (*library.ModbusError)(nil); !errors.As(err, &exception) || exception.ExceptionCode != 1 {
				t.Errorf("a slave without the function: %v, want exception 1", err)
			}
		})
	}
}

// A teller answers the reads of an identity by hand: the frames of an answer
// without checksum or header, each with its pause before. Category and first are
// those of the request.
type teller func(category, first byte) []told

type told struct {
	after time.Duration
	frame []byte
	raw   bool // no checksum or header is added
}

func tell(frame ...byte) teller { return func(_, _ byte) []told { return []told{{frame: frame}} } }

// page is an answer of slave 5 in the basic category.
func page(conformity, more, next, count byte, objects ...string) []byte {
	b := []byte{5, 43, 14, 1, conformity, more, next, count}
	for _, o := range objects {
		b = append(append(b, o[0], byte(len(o)-1)), o[1:]...)
	}
	return b
}

// telling opens a bus to a slave that plays one teller for each read of an
// identity, and refuses everything else.
func telling(t *testing.T, scheme string, tellers ...teller) *modbus.Bus {
	t.Helper()
	listener := slavetest.Listen(t)
	var group sync.WaitGroup
	t.Cleanup(group.Wait)
	t.Cleanup(func() { listener.Close() })
	peer := &tellingPeer{tcp: scheme == "tcp", tellers: tellers}
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() { peer.converse(conn) })
		}
	})
	return openBus(t, firmwareconfig.Bus{URL: scheme + "://" + listener.Addr().String(), Timeout: timeout})
}

type tellingPeer struct {
	tcp     bool
	mu      sync.Mutex
	tellers []teller
}

func (p *tellingPeer) converse(conn net.Conn) {
	defer conn.Close()
	for {
		header, body := p.request(conn)
		if body == nil {
			return
		}
		if body[1] != 43 {
			p.write(conn, header, told{frame: []byte{body[0], body[1] | 0x80, 1}})
			continue
		}
		p.mu.Lock()
		if len(p.tellers) == 0 {
			p.mu.Unlock()
			return
		}
		next := p.tellers[0]
		p.tellers = p.tellers[1:]
		p.mu.Unlock()
		for _, w := range next(body[3], body[4]) {
			time.Sleep(w.after) // the slave is slow, not the test
			p.write(conn, header, w)
		}
	}
}

// request reads one request; body begins with the unit.
func (p *tellingPeer) request(conn net.Conn) (header, body []byte) {
	if p.tcp {
		header = make([]byte, 6)
		if _, err := io.ReadFull(conn, header); err != nil {
			return nil, nil
		}
		body = make([]byte, binary.BigEndian.Uint16(header[4:]))
	} else {
		body = make([]byte, 2)
		if _, err := io.ReadFull(conn, body); err != nil {
			return nil, nil
		}
		rest := make([]byte, map[bool]int{true: 5, false: 6}[body[1] == 43])
		if _, err := io.ReadFull(conn, rest); err != nil {
			return nil, nil
		}
		return nil, append(body, rest...)
	}
	if _, err := io.ReadFull(conn, body); err != nil {
		return nil, nil
	}
	return header, body
}

func (p *tellingPeer) write(conn net.Conn, header []byte, w told) {
	frame := w.frame
	switch {
	case w.raw:
	case p.tcp:
		frame = append(binary.BigEndian.AppendUint16(append([]byte(nil), header[:4]...), uint16(len(frame))), frame...)
	default:
		frame = binary.LittleEndian.AppendUint16(append([]byte(nil), frame...), slave.CRC(frame))
	}
	_, _ = conn.Write(frame)
}

var right = tell(page(0x81, 0, 0, 2, "\x00maker", "\x01code")...)

func TestIdentityFaults(t *testing.T) {
	const both = "tcp rtutcp"
	late := func(_, _ byte) []told {
		return []told{{after: timeout * 3 / 2, frame: page(0x81, 0, 0, 2, "\x00wrong", "\x01wrong")}}
	}
	echo := []byte{5, 43, 14, 1, 0}
	foreign := []byte{5, 43, 14, 1, 2}
	for _, tt := range []struct {
		name, on string
		tellers  []teller
		want     error // nil: the code is told
	}{
		{"two answers", both, []teller{tell(page(0x01, 0xFF, 1, 1, "\x00maker")...), func(_, first byte) []told {
			return []told{{frame: page(0x01, 0, 0, 1, string([]byte{first})+"code")}}
		}}, nil},
		{"goes on with itself", both, []teller{tell(page(0x81, 0xFF, 0, 1, "\x00maker")...)}, modbus.ErrFrame},
		{"goes on with nothing", both, []teller{tell(page(0x81, 0xFF, 0, 0)...)}, modbus.ErrFrame},
		{"more that is neither yes nor no", both, []teller{tell(page(0x81, 7, 1, 1, "\x00maker")...)}, modbus.ErrFrame},
		{"no such name", both, []teller{tell(page(0x81, 0, 0, 1, "\x00maker")...)}, modbus.ErrNoObject},
		{"no names", both, []teller{tell(page(0x81, 0, 0, 0)...)}, modbus.ErrNoObject},
		{"no conformity level", both, []teller{tell(page(0x00, 0, 0, 1, "\x01code")...)}, modbus.ErrFrame},
		{"wrong conformity level", both, []teller{tell(page(0x84, 0, 0, 1, "\x01code")...)}, modbus.ErrFrame},
		{"level of another category", both, []teller{tell(page(0x03, 0, 0, 1, "\x01code")...)}, nil},
		{"more names than fit", "tcp", []teller{tell(page(0x81, 0, 0, 3, "\x00maker", "\x01code")...)}, modbus.ErrFrame},
		{"more names than fit", "rtutcp", []teller{tell(page(0x81, 0, 0, 3, "\x00maker", "\x01code")...)}, modbus.ErrTimeout},
		{"fewer names than stand there", both, []teller{tell(page(0x81, 0, 0, 1, "\x00maker", "\x01code")...)}, modbus.ErrFrame},
		{"a name longer than a frame", "tcp", []teller{tell(append(page(0x81, 0, 0, 1), 1, 250, 'x')...)}, modbus.ErrFrame},
		{"a name longer than a frame", "rtutcp", []teller{tell(append(page(0x81, 0, 0, 1), 1, 250, 'x')...)}, modbus.ErrTimeout},
		{"only a head", "tcp", []teller{tell(5, 43, 14, 1)}, modbus.ErrFrame},
		{"another kind", "tcp", []teller{tell(5, 43, 13, 1, 0x81, 0, 0, 0)}, modbus.ErrFrame},
		{"another kind", "rtutcp", []teller{tell(5, 43, 13, 1, 0x81, 0, 0, 0)}, modbus.ErrTimeout},
		{"silence", both, []teller{func(_, _ byte) []told { return nil }}, modbus.ErrTimeout},
		{"late answer", both, []teller{late}, modbus.ErrTimeout},
		{"busy for a moment", both, []teller{tell(5, 0xAB, 6), tell(5, 0xAB, 6), right}, nil},
		{"converter gives up", both, []teller{tell(5, 0xAB, 11)}, modbus.ErrTimeout},
		{"split answer", "rtutcp", []teller{func(_, _ byte) []told {
			whole := page(0x81, 0, 0, 1, "\x01code")
			whole = binary.LittleEndian.AppendUint16(whole, slave.CRC(whole))
			return []told{{frame: whole[:7], raw: true}, {after: timeout / 4, frame: whole[7:9], raw: true}, {after: timeout / 4, frame: whole[9:], raw: true}}
		}}, nil},
		{"noise and another slave before", "rtutcp", []teller{func(_, _ byte) []told {
			other := page(0x81, 0, 0, 1, "\x01wrong")
			other[0]++
			return []told{{frame: []byte{0, 5, 43, 14}, raw: true}, {frame: other}, {frame: page(0x81, 0, 0, 1, "\x01code")}}
		}}, nil},
		{"echo of the request", "rtutcp", []teller{func(_, _ byte) []told {
			return []told{{frame: echo}, {frame: page(0x81, 0, 0, 1, "\x01code")}}
		}}, nil},
		{"wrong checksum", "rtutcp", []teller{func(_, _ byte) []told {
			return []told{{frame: append(page(0x81, 0, 0, 1, "\x01code"), 0, 0), raw: true}}
		}}, modbus.ErrFrame},
		{"second master", "rtutcp", []teller{func(_, _ byte) []told {
			return []told{{frame: foreign}, {frame: page(0x81, 0, 0, 2, "\x00wrong", "\x01wrong")}}
		}}, modbus.ErrFrame},
	} {
		for scheme := range strings.FieldsSeq(tt.on) {
			t.Run(tt.name+" "+scheme, func(t *testing.T) {
				t.Parallel()
				bus := telling(t, scheme, append(tt.tellers, right, right)...)
				got, err := bus.Identify(t.Context(), 5, 1)
				if !errors.Is(err, tt.want) || (err == nil) != (got == "code") {
					t.Errorf("%q, %v, want %v", got, err, tt.want)
				}
				for object, want := range []string{"maker", "code"} { // whatever came before
					if got, err := bus.Identify(t.Context(), 5, byte(object)); got != want || err != nil {
						t.Errorf("object %d after: %q, %v, want %q", object, got, err, want)
					}
				}
			})
		}
	}
}

// The late answer to a read of an identity is none to a read of registers, and
// the other way round.
func TestIdentityAmongReads(t *testing.T) {
	bus := scripted(t, func(r []byte, write func(...byte)) {
		late := frame(r, 666)
		time.Sleep(timeout * 3 / 2) // the slave is slow, not the test
		write(late...)
	}, answer(2))
	if _, err := bus.Read(t.Context(), 5, 3, 0, 2); !errors.Is(err, modbus.ErrTimeout) {
		t.Errorf("a late answer: %v, want %v", err, modbus.ErrTimeout)
	}
	_, err := bus.Identify(t.Context(), 5, 0) // which the slave refuses
	if exception := (*library.ModbusError)(nil); !errors.As(err, &exception) || exception.ExceptionCode != 1 {
		t.Errorf("identity after a late answer: %v, want exception 1", err)
	}
	wantContent(t, bus, 2)
}

func FuzzIdentity(f *testing.F) {
	f.Add(page(0x81, 0, 0, 2, "\x00maker", "\x01code")[2:])
	f.Add(page(0x01, 0xFF, 1, 1, "\x00maker")[2:])
	f.Add(page(0x83, 0, 0, 3, "\x00", "\x01")[2:])
	f.Fuzz(func(t *testing.T, content []byte) {
		const most = 256 - 4
		if len(content) < 2 || content[0] != 14 || len(content) > most {
			return
		}
		if read, length := modbus.IdentityFits(content, content[1]); read && !length {
			t.Errorf("% x can be read, and is not found to have its own length", content)
		}
	})
}
