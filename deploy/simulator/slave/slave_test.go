package slave_test

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/simonvetter/modbus"

	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// ladder is a source whose register at address a of slave s holds 1000*s+a.
// Slave 99 is dead, 98 broken, addresses from 500 on are unmapped.
type ladder struct{}

func (ladder) Answers(unit byte) bool { return unit != 99 }

func (l ladder) Read(unit, function byte, address, quantity uint16) ([]uint16, error) {
	switch {
	case !l.Answers(unit):
		return nil, slave.ErrSilent
	case unit == 98:
		return nil, errors.New("fuse blown")
	case function == slave.ReadInput && unit == 1:
		return nil, slave.IllegalFunction
	case address+quantity > 500:
		return nil, slave.IllegalAddress
	}
	out := make([]uint16, quantity)
	for i := range out {
		out[i] = 1000*uint16(unit) + address + uint16(i)
	}
	return out, nil
}

// serve runs s on a random port of loopback until the test ends.
func serve(t *testing.T, s *slave.Server) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.ServeTCP(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("ServeTCP: %v", err)
		}
	})
	return listener.Addr().String()
}

// master is a Modbus TCP client that is not ours.
func master(t *testing.T, addr string, unit byte) *modbus.ModbusClient {
	t.Helper()
	client, err := modbus.NewClient(&modbus.ClientConfiguration{URL: "tcp://" + addr, Timeout: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if err := client.SetUnitId(unit); err != nil {
		t.Fatal(err)
	}
	return client
}

func TestTCPReads(t *testing.T) {
	addr := serve(t, slave.New(ladder{}, slave.Options{Log: testkit.Logger(t)}))
	for _, tt := range []struct {
		name              string
		unit              byte
		address, quantity uint16
		function          modbus.RegType
		want              []uint16
		err               error
	}{
		{"holding", 3, 7, 3, modbus.HOLDING_REGISTER, []uint16{3007, 3008, 3009}, nil},
		{"input", 4, 0, 1, modbus.INPUT_REGISTER, []uint16{4000}, nil},
		{"illegal function", 1, 0, 1, modbus.INPUT_REGISTER, nil, modbus.ErrIllegalFunction},
		{"illegal address", 3, 499, 2, modbus.HOLDING_REGISTER, nil, modbus.ErrIllegalDataAddress},
		{"broken source", 98, 0, 1, modbus.HOLDING_REGISTER, nil, modbus.ErrServerDeviceFailure},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := master(t, addr, tt.unit).ReadRegisters(tt.address, tt.quantity, tt.function)
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("registers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTCPFrames(t *testing.T) {
	addr := serve(t, slave.New(ladder{}, slave.Options{}))
	for _, tt := range []struct{ name, request, want string }{
		{"read", "1234 0000 0006 03 03 0001 0001", "1234 0000 0005 03 03 02 0bb9"},
		{"quantity of none", "0001 0000 0006 03 03 0001 0000", "0001 0000 0003 03 83 03"},
		{"quantity of too many", "0001 0000 0006 03 03 0001 007e", "0001 0000 0003 03 83 03"},
		{"past the last address", "0001 0000 0006 03 03 ffff 0002", "0001 0000 0003 03 83 02"},
		{"request too short", "0001 0000 0004 03 03 0001", "0001 0000 0003 03 83 03"},
		{"write", "0001 0000 0006 03 06 0001 0001", "0001 0000 0003 03 86 01"},
		{"identity", "0001 0000 0005 03 2b 0e 01 00", "0001 0000 0003 03 ab 01"},
		{"dead, then alive", "0001 0000 0006 63 03 0000 0001 0002 0000 0006 63 06 0000 0001 0003 0000 0006 02 03 0000 0001",
			"0003 0000 0005 02 03 02 07d0"},
		{"not Modbus", "1234 0001 0006 03 03 0001 0001", ""},
		{"length of none", "1234 0000 0001 03", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			request := unhex(t, tt.request)
			for _, chunk := range []int{len(request), 1} { // at once, and byte by byte
				conn, err := net.Dial("tcp", addr)
				if err != nil {
					t.Fatal(err)
				}
				for rest := request; len(rest) > 0; rest = rest[min(chunk, len(rest)):] {
					if _, err := conn.Write(rest[:min(chunk, len(rest))]); err != nil && tt.want != "" {
						t.Fatal(err)
					}
				}
				_ = conn.(*net.TCPConn).CloseWrite()
				got, _ := io.ReadAll(conn)
				_ = conn.Close()
				if diff := cmp.Diff(hex.EncodeToString(unhex(t, tt.want)), hex.EncodeToString(got)); diff != "" {
					t.Errorf("answer to a request in chunks of %d (-want +got):\n%s", chunk, diff)
				}
			}
		})
	}
}

func TestExchangesAreObserved(t *testing.T) {
	seen := make(chan slave.Exchange, 8)
	addr := serve(t, slave.New(ladder{}, slave.Options{Observe: func(x slave.Exchange) { seen <- x }}))
	before := time.Now()
	if _, err := master(t, addr, 3).ReadRegisters(7, 2, modbus.HOLDING_REGISTER); err != nil {
		t.Fatal(err)
	}
	x := <-seen
	if x.Received.Before(before) || x.Answered.Before(x.Received) {
		t.Errorf("received %s, answered %s, asked %s", x.Received, x.Answered, before)
	}
	x.Received, x.Answered = time.Time{}, time.Time{}
	want := slave.Exchange{Slave: 3, Function: 3, Address: 7, Quantity: 2, Registers: []uint16{3007, 3008}}
	if diff := cmp.Diff(want, x); diff != "" {
		t.Errorf("exchange (-want +got):\n%s", diff)
	}
	if _, err := master(t, addr, 99).ReadRegisters(7, 2, modbus.HOLDING_REGISTER); !errors.Is(err, modbus.ErrRequestTimedOut) {
		t.Errorf("a dead slave gave %v, want a timeout", err)
	}
	if x := <-seen; !errors.Is(x.Err, slave.ErrSilent) || !x.Answered.IsZero() {
		t.Errorf("exchange with a dead slave: %+v", x)
	}
}

// A master that hangs in the middle of a frame must not keep the server from
// ending.
func TestServerEndsWithOpenConnections(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- slave.New(ladder{}, slave.Options{}).ServeTCP(ctx, listener) }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte{0, 1, 0}); err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("ServeTCP: %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the server did not end")
	}
}

func TestCRC(t *testing.T) {
	for _, tt := range []struct {
		name, frame string
		want        uint16
	}{
		{"read of ten", "01 03 00 00 00 0a", 0xCDC5}, // worked example common to Modbus primers
		{"clause 6.2.2", "02 07", 0x1241},            // MODBUS over Serial Line V1.02, appendix B
	} {
		if got := slave.CRC(unhex(t, tt.frame)); got != tt.want {
			t.Errorf("%s: CRC %#04x, want %#04x", tt.name, got, tt.want)
		}
	}
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	var digits []byte
	for _, c := range []byte(text) {
		if c != ' ' {
			digits = append(digits, c)
		}
	}
	raw, err := hex.DecodeString(string(digits))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// request is a sealed RTU request.
func request(unit, function byte, address, quantity uint16) []byte {
	frame := []byte{unit, function}
	frame = binary.BigEndian.AppendUint16(frame, address)
	return sealed(binary.BigEndian.AppendUint16(frame, quantity))
}

func sealed(frame []byte) []byte {
	crc := slave.CRC(frame)
	return append(frame, byte(crc), byte(crc>>8))
}
