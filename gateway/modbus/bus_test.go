package modbus_test

import (
	"context"
	"encoding/binary"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	library "github.com/goburrow/modbus"

	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave/slavetest"
	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/modbus"
)

// coded answers each register with its slave and address, so that a mix-up
// shows. Slave 9 is dead, addresses from 0x1000 on do not exist.
type coded struct{}

func (coded) Read(unit, function byte, address, quantity uint16) ([]uint16, error) {
	switch {
	case unit == 9:
		return nil, slave.ErrSilent
	case address >= 0x1000:
		return nil, slave.IllegalAddress
	}
	registers := make([]uint16, quantity)
	for i := range registers {
		registers[i] = uint16(unit)<<12 | (address + uint16(i))
	}
	return registers, nil
}

const timeout = 60 * time.Millisecond

// lines serve coded slaves on each kind of line.
var lines = map[string]func(t *testing.T) firmwareconfig.Bus{
	"tcp": func(t *testing.T) firmwareconfig.Bus {
		return firmwareconfig.Bus{URL: slavetest.TCP(t, coded{}, slave.Options{}), Timeout: timeout}
	},
	"rtu": func(t *testing.T) firmwareconfig.Bus {
		return firmwareconfig.Bus{URL: slavetest.RTU(t, coded{}, slave.Options{}), Baud: 19200, Parity: "even", StopBits: 1, Timeout: timeout}
	},
}

func openBus(t *testing.T, c firmwareconfig.Bus) *modbus.Bus {
	t.Helper()
	bus, err := modbus.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bus.Close() })
	return bus
}

func checkCoded(t *testing.T, bus *modbus.Bus, unit byte, address, quantity uint16) {
	t.Helper()
	answer, err := bus.Read(t.Context(), unit, 3, address, quantity)
	if err != nil {
		t.Error(err)
		return
	}
	for i := range quantity {
		want := uint16(unit)<<12 | (address + i)
		if got := binary.BigEndian.Uint16(answer[2*i:]); got != want {
			t.Errorf("register %#x of slave %d reads %#x, want %#x", address+i, unit, got, want)
		}
	}
}

func TestReadFromSeveralGoroutines(t *testing.T) {
	for name, line := range lines {
		t.Run(name, func(t *testing.T) {
			bus := openBus(t, line(t))
			var group sync.WaitGroup
			for unit := byte(1); unit <= 4; unit++ {
				group.Go(func() {
					for address := range uint16(25) {
						checkCoded(t, bus, unit, 16*address, 1+address%125)
					}
				})
			}
			group.Wait()
		})
	}
}

func TestExceptionsAndSilence(t *testing.T) {
	for name, line := range lines {
		t.Run(name, func(t *testing.T) {
			bus := openBus(t, line(t))
			_, err := bus.Read(t.Context(), 1, 4, 0x1000, 2)
			exception := (*library.ModbusError)(nil)
			if !errors.As(err, &exception) || exception.ExceptionCode != 2 {
				t.Errorf("unknown address: %v, want exception 2", err)
			}
			start := time.Now()
			if _, err := bus.Read(t.Context(), 9, 3, 0, 2); !errors.Is(err, modbus.ErrTimeout) {
				t.Errorf("dead slave: %v, want %v", err, modbus.ErrTimeout)
			}
			if took := time.Since(start); took > 2*timeout+50*time.Millisecond {
				t.Errorf("dead slave took %s, want at most twice the timeout", took)
			}
			checkCoded(t, bus, 2, 7, 3)
		})
	}
}

func TestAbsentLineIsAnErrorUntilItComes(t *testing.T) {
	link := filepath.Join(t.TempDir(), "line")
	bus := openBus(t, firmwareconfig.Bus{URL: "rtu://" + link, Baud: 9600, Parity: "none", StopBits: 1, Timeout: timeout})
	if _, err := bus.Read(t.Context(), 1, 3, 0, 1); !errors.Is(err, modbus.ErrLine) {
		t.Fatalf("no device: %v, want %v", err, modbus.ErrLine)
	}
	for range 2 { // plugged in, read, unplugged
		pty, err := slave.OpenPTY(link)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { _ = slave.New(coded{}, slave.Options{}).ServeRTU(ctx, pty) })
		checkCoded(t, bus, 3, 100, 4)
		cancel()
		group.Wait()
		pty.Close()
		start := time.Now()
		if _, err := bus.Read(t.Context(), 3, 3, 100, 4); !errors.Is(err, modbus.ErrLine) {
			t.Errorf("unplugged: %v, want %v", err, modbus.ErrLine)
		}
		if took := time.Since(start); took > 2*timeout {
			t.Errorf("unplugged: the error took %s, want at most twice the timeout", took)
		}
	}
}

// A script answers one RTU request over TCP by hand, faults included.
type script func(request []byte, write func(...byte))

// scripted opens a bus to a peer that plays one script a request for holding
// registers, and refuses other functions as slaves do.
func scripted(t *testing.T, scripts ...script) *modbus.Bus {
	t.Helper()
	listener := slavetest.Listen(t)
	var group sync.WaitGroup
	t.Cleanup(group.Wait)
	t.Cleanup(func() { listener.Close() })
	group.Go(func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		request := make([]byte, 8)
		write := func(b ...byte) { _, _ = conn.Write(b) }
		for len(scripts) > 0 {
			if _, err := conn.Read(request); err != nil {
				return
			}
			if request[1] != 3 {
				write(refusal(request, 1)...)
				continue
			}
			scripts[0](request, write)
			scripts = scripts[1:]
		}
		_, _ = conn.Read(request) // until the bus closes
	})
	return openBus(t, firmwareconfig.Bus{URL: "rtutcp://" + listener.Addr().String(), Timeout: timeout})
}

// frame is the right answer to a request for registers that all hold content.
func frame(request []byte, content uint16) []byte {
	quantity := binary.BigEndian.Uint16(request[4:])
	b := []byte{request[0], request[1], byte(2 * quantity)}
	for range quantity {
		b = binary.BigEndian.AppendUint16(b, content)
	}
	return binary.LittleEndian.AppendUint16(b, slave.CRC(b))
}

// refusal is an exception.
func refusal(request []byte, code byte) []byte {
	b := []byte{request[0], request[1] | 0x80, code}
	return binary.LittleEndian.AppendUint16(b, slave.CRC(b))
}

func answer(content uint16) script {
	return func(request []byte, write func(...byte)) { write(frame(request, content)...) }
}

func TestFaultsOnTheLine(t *testing.T) {
	split := func(wait time.Duration, cut int, b []byte, write func(...byte)) {
		write(b[:cut]...)
		time.Sleep(wait)
		write(b[cut:]...)
	}
	for _, tt := range []struct {
		name  string
		fault script
		first error // of the request that meets the fault; nil: content 1
	}{
		{"late answer", func(r []byte, write func(...byte)) {
			late := frame(r, 666)
			time.Sleep(timeout + timeout/2)
			write(late...)
		}, modbus.ErrTimeout},
		{"split answer", func(r []byte, write func(...byte)) { split(timeout/4, 3, frame(r, 1), write) }, nil},
		{"noise before", func(r []byte, write func(...byte)) { write(append([]byte{0, 0xFF, r[0]}, frame(r, 1)...)...) }, nil},
		{"answer of another slave first", func(r []byte, write func(...byte)) {
			other := append([]byte(nil), r...)
			other[0]++
			write(append(frame(other, 666), frame(r, 1)...)...)
		}, nil},
		{"another function", func(r []byte, write func(...byte)) {
			other := append([]byte(nil), r...)
			other[1] = 4
			write(frame(other, 666)...)
		}, modbus.ErrTimeout},
		{"fewer registers", func(r []byte, write func(...byte)) {
			shorter := append([]byte(nil), r...)
			shorter[5]--
			write(frame(shorter, 666)...)
		}, modbus.ErrTimeout},
		{"wrong checksum", func(r []byte, write func(...byte)) {
			b := frame(r, 666)
			b[len(b)-1] ^= 1
			write(b...)
		}, modbus.ErrFrame},
		{"short frame", func(r []byte, write func(...byte)) { write(frame(r, 666)[:6]...) }, modbus.ErrTimeout},
		{"endless noise", func(r []byte, write func(...byte)) { write(make([]byte, 600)...) }, modbus.ErrFrame},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bus := scripted(t, tt.fault, answer(2), answer(3))
			got, err := bus.Read(t.Context(), 5, 3, 0, 2)
			if !errors.Is(err, tt.first) || err == nil && binary.BigEndian.Uint16(got) != 1 {
				t.Errorf("the faulty request: % x, %v, want %v", got, err, tt.first)
			}
			for want := uint16(2); want <= 3; want++ {
				got, err := bus.Read(t.Context(), 5, 3, 0, 2)
				if err != nil || binary.BigEndian.Uint16(got) != want {
					t.Errorf("a request after: % x, %v, want %d", got, err, want)
				}
			}
		})
	}
}

func TestSplitException(t *testing.T) {
	bus := scripted(t, func(r []byte, write func(...byte)) {
		b := refusal(r, 2)
		write(b[:4]...)
		time.Sleep(timeout / 4)
		write(b[4:]...)
	}, answer(2))
	_, err := bus.Read(t.Context(), 5, 3, 0, 2)
	exception := (*library.ModbusError)(nil)
	if !errors.As(err, &exception) || exception.ExceptionCode != 2 {
		t.Errorf("got %v, want exception 2", err)
	}
	if got, err := bus.Read(t.Context(), 5, 3, 0, 2); err != nil || binary.BigEndian.Uint16(got) != 2 {
		t.Errorf("the request after: % x, %v", got, err)
	}
}
