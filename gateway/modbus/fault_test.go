package modbus_test

import (
	"context"
	"encoding/binary"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	library "github.com/goburrow/modbus"

	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave/slavetest"
	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/modbus"
)

func request(unit, function byte, address, quantity uint16) []byte {
	b := []byte{unit, function}
	b = binary.BigEndian.AppendUint16(b, address)
	b = binary.BigEndian.AppendUint16(b, quantity)
	return binary.LittleEndian.AppendUint16(b, slave.CRC(b))
}

func wantContent(t *testing.T, bus *modbus.Bus, want uint16) {
	t.Helper()
	got, err := bus.Read(t.Context(), 5, 3, 0, 2)
	if err != nil || binary.BigEndian.Uint16(got) != want {
		t.Errorf("% x, %v, want registers of %d", got, err, want)
	}
}

// A library without a memory takes the answer that comes after two timeouts for
// the one to the third request, because it looks the same.
func TestAnswerLaterThanTwoTimeouts(t *testing.T) {
	var later sync.WaitGroup
	defer later.Wait()
	bus := scripted(t,
		func(r []byte, write func(...byte)) {
			late := frame(r, 666)
			later.Go(func() {
				time.Sleep(2*timeout + timeout/2) // the slave is slow, not the test
				write(late...)
			})
		},
		func(r []byte, write func(...byte)) {
			time.Sleep(3 * timeout)
			write(frame(r, 2)...)
		}, answer(3))
	for range 2 {
		if got, err := bus.Read(t.Context(), 5, 3, 0, 2); err == nil {
			t.Errorf("got % x before its time", got)
		}
	}
	deadline := time.Now().Add(20 * timeout)
	for time.Now().Before(deadline) {
		got, err := bus.Read(t.Context(), 5, 3, 0, 2)
		if err != nil {
			continue
		}
		if n := binary.BigEndian.Uint16(got); n != 3 {
			t.Errorf("got %d, want 3", n)
		}
		return
	}
	t.Error("never read again")
}

func TestBusy(t *testing.T) {
	busy := func(r []byte, write func(...byte)) { write(refusal(r, 6)...) }
	t.Run("for a moment", func(t *testing.T) {
		wantContent(t, scripted(t, busy, busy, answer(1)), 1)
	})
	t.Run("for long", func(t *testing.T) {
		bus := scripted(t, busy, busy, busy, busy, answer(1))
		start := time.Now()
		_, err := bus.Read(t.Context(), 5, 3, 0, 2)
		exception := (*library.ModbusError)(nil)
		if !errors.As(err, &exception) || exception.ExceptionCode != 6 {
			t.Errorf("got %v, want exception 6", err)
		}
		if took := time.Since(start); took > 2*timeout {
			t.Errorf("gave up after %s, want at most twice the timeout", took)
		}
		wantContent(t, bus, 1)
	})
	t.Run("until the caller goes", func(t *testing.T) {
		bus := scripted(t, busy)
		ctx, cancel := context.WithTimeout(t.Context(), timeout/16)
		defer cancel()
		start := time.Now()
		if _, err := bus.Read(ctx, 5, 3, 0, 2); err == nil || time.Since(start) > timeout {
			t.Errorf("%v after %s, want an error at once", err, time.Since(start))
		}
	})
}

func TestSecondMaster(t *testing.T) {
	foreign := request(5, 3, 100, 2) // looks like ours, but for the address
	for _, tt := range []struct {
		name   string
		faults []script // the answer to the last read is 2
		wrong  bool     // the first read must fail
	}{
		{"asks before the answer", []script{func(r []byte, write func(...byte)) {
			write(append(foreign, frame(foreign, 666)...)...)
			write(frame(r, 1)...)
		}}, true},
		{"asks in pieces", []script{func(r []byte, write func(...byte)) {
			write(foreign[:3]...)
			write(append(foreign[3:], frame(foreign, 666)...)...)
			write(frame(r, 1)...)
		}}, true},
		{"asks after the answer and is answered late", []script{func(r []byte, write func(...byte)) {
			write(append(frame(r, 1), foreign...)...)
			time.Sleep(timeout / 2)
			write(frame(foreign, 666)...)
		}}, false},
		{"asks another slave", []script{func(r []byte, write func(...byte)) {
			other := request(6, 3, 100, 2)
			write(append(other, frame(other, 666)...)...)
			write(frame(r, 1)...)
		}}, false},
		{"is an echo of our own", []script{func(r []byte, write func(...byte)) {
			write(append(append([]byte(nil), r...), frame(r, 1)...)...)
		}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bus := scripted(t, append(tt.faults, answer(2), answer(2))...)
			got, err := bus.Read(t.Context(), 5, 3, 0, 2)
			if (err != nil) != tt.wrong || err == nil && binary.BigEndian.Uint16(got) != 1 {
				t.Errorf("% x, %v, want an error: %t", got, err, tt.wrong)
			}
			wantContent(t, bus, 2)
		})
	}
}

// A slave that ignores functions it does not know cannot prove that it owes
// nothing. It is read again when nobody would answer any more.
func TestSlaveThatIgnoresFlushes(t *testing.T) {
	var silent atomic.Bool
	silent.Store(true)
	source := slave.SourceFunc(func(unit, function byte, address, quantity uint16) ([]uint16, error) {
		if function != 3 || silent.Load() {
			return nil, slave.ErrSilent
		}
		return coded{}.Read(unit, function, address, quantity)
	})
	url := slavetest.RTU(t, source, slave.Options{})
	bus := openBus(t, firmwareconfig.Bus{URL: url, Baud: 19200, Parity: "even", StopBits: 1, Timeout: timeout})
	if _, err := bus.Read(t.Context(), 1, 3, 0, 2); !errors.Is(err, modbus.ErrTimeout) {
		t.Fatalf("silent slave: %v, want %v", err, modbus.ErrTimeout)
	}
	silent.Store(false)
	deadline := time.Now().Add(20 * timeout)
	for time.Now().Before(deadline) {
		if _, err := bus.Read(t.Context(), 1, 3, 0, 2); err == nil {
			return
		}
	}
	t.Error("the slave is never read again")
}

// processorTime is what this process has used.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestUnpluggedAdapterCostsNothing(t *testing.T) {
	link := filepath.Join(t.TempDir(), "line")
	pty, err := slave.OpenPTY(link)
	if err != nil {
		t.Fatal(err)
	}
	bus := openBus(t, firmwareconfig.Bus{URL: "rtu://" + link, Baud: 9600, Parity: "none", StopBits: 1, Timeout: time.Second})
	failed := make(chan error, 1)
	go func() {
		_, err := bus.Read(context.Background(), 1, 3, 0, 1)
		failed <- err
	}()
	request := make([]byte, 8) // the read is under way
	if _, err := pty.Read(request); err != nil {
		t.Fatal(err)
	}
	pty.Close()
	start, busy := time.Now(), processorTime(t)
	if err := <-failed; !errors.Is(err, modbus.ErrLine) {
		t.Errorf("unplugged within a read: %v, want %v", err, modbus.ErrLine)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("the error took %s, want at most twice the timeout", took)
	}
	for time.Since(start) < 2*time.Second { // as often as a poller with a grid of 50 ms
		if _, err := bus.Read(t.Context(), 1, 3, 0, 1); !errors.Is(err, modbus.ErrLine) {
			t.Fatalf("unplugged: %v, want %v", err, modbus.ErrLine)
		}
		<-time.After(50 * time.Millisecond)
	}
	if share := float64(processorTime(t)-busy) / float64(time.Since(start)); share > 0.05 {
		t.Errorf("it took %.1f %% of a core, want at most 5 %%", 100*share)
	}
}

func TestLineHasOneOwner(t *testing.T) {
	config := lines["rtu"](t)
	first, second := openBus(t, config), openBus(t, config)
	checkCoded(t, first, 1, 0, 2)
	_, err := second.Read(t.Context(), 1, 3, 0, 2)
	if !errors.Is(err, modbus.ErrLine) || !strings.Contains(err.Error(), "another program") {
		t.Errorf("got %v, want an error that names the other owner", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	checkCoded(t, second, 1, 0, 2)
}

// A pseudo-terminal has no transceiver, as most adapters have none that the
// driver knows.
func TestRS485WithoutDriver(t *testing.T) {
	config := lines["rtu"](t)
	config.RS485 = firmwareconfig.RS485{Enabled: true, RTSOnSend: true, DelayBefore: time.Millisecond}
	_, err := openBus(t, config).Read(t.Context(), 1, 3, 0, 2)
	// An emulated kernel says ENOSYS where a real one says ENOTTY.
	refused := errors.Is(err, syscall.ENOTTY) || errors.Is(err, syscall.ENOSYS)
	if !errors.Is(err, modbus.ErrLine) || !refused || !strings.Contains(err.Error(), "leave rs485 out") {
		t.Errorf("got %v, want a remedy", err)
	}
}

// What a converter says of a silent slave must not count as the slave's answer.
func TestGatewayOnTheWay(t *testing.T) {
	for _, code := range []byte{10, 11} {
		bus := scripted(t, func(r []byte, write func(...byte)) { write(refusal(r, code)...) }, answer(1))
		_, err := bus.Read(t.Context(), 5, 3, 0, 2)
		exception := (*library.ModbusError)(nil)
		if !errors.Is(err, modbus.ErrTimeout) || !errors.As(err, &exception) || exception.ExceptionCode != code {
			t.Errorf("exception %d: %v, want %v and the exception", code, err, modbus.ErrTimeout)
		}
		wantContent(t, bus, 1)
	}
}
