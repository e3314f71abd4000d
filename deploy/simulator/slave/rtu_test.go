package slave_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	goburrow "github.com/goburrow/modbus"
	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// line runs s on a pseudo-terminal until the test ends and returns its link.
func line(t *testing.T, s *slave.Server) (link string) {
	t.Helper()
	link = filepath.Join(t.TempDir(), "bus")
	pty, err := slave.OpenPTY(link)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.ServeRTU(ctx, pty) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("ServeRTU: %v", err)
		}
		if err := pty.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if _, err := os.Lstat(link); !os.IsNotExist(err) {
			t.Errorf("the link outlived its line: %v", err)
		}
	})
	return link
}

func serialMaster(t *testing.T, link string, unit byte) (*goburrow.RTUClientHandler, goburrow.Client) {
	t.Helper()
	handler := goburrow.NewRTUClientHandler(link)
	handler.BaudRate, handler.DataBits, handler.Parity, handler.StopBits = 19200, 8, "N", 1
	handler.Timeout, handler.SlaveId = 400*time.Millisecond, unit
	if err := handler.Connect(); err != nil {
		t.Fatal(err)
	}
	return handler, goburrow.NewClient(handler)
}

// The other side closes the line and opens it again, as a gateway that is
// restarted does.
func TestRTUSurvivesReopening(t *testing.T) {
	link := line(t, slave.New(ladder{}, slave.Options{Log: testkit.Logger(t)}))
	for round := range 3 {
		handler, client := serialMaster(t, link, 5)
		got, err := client.ReadHoldingRegisters(uint16(round), 2)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if want := []byte{0x13, byte(0x88 + round), 0x13, byte(0x89 + round)}; !bytes.Equal(got, want) {
			t.Errorf("round %d: % x, want % x", round, got, want)
		}
		if err := handler.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRTUExceptionsAndSilence(t *testing.T) {
	link := line(t, slave.New(ladder{}, slave.Options{}))
	handler, client := serialMaster(t, link, 1)
	defer handler.Close()
	for _, tt := range []struct {
		name string
		read func() ([]byte, error)
		want byte
	}{
		{"illegal function", func() ([]byte, error) { return client.ReadInputRegisters(0, 1) }, 1},
		{"illegal address", func() ([]byte, error) { return client.ReadHoldingRegisters(499, 2) }, 2},
		{"write", func() ([]byte, error) { return client.WriteMultipleRegisters(1, 2, make([]byte, 4)) }, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.read()
			if refused, ok := errors.AsType[*goburrow.ModbusError](err); !ok || refused.ExceptionCode != tt.want {
				t.Errorf("error %v, want exception %d", err, tt.want)
			}
		})
	}
	handler.SlaveId = 99
	if _, err := client.ReadHoldingRegisters(0, 1); err == nil {
		t.Error("the dead slave answered")
	}
	handler.SlaveId = 2
	if _, err := client.ReadHoldingRegisters(0, 1); err != nil {
		t.Errorf("after a dead slave a living one gave %v", err)
	}
}

func TestRTUFraming(t *testing.T) {
	link := line(t, slave.New(ladder{}, slave.Options{}))
	far, err := os.OpenFile(link, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	ask := request(2, 3, 1, 1)
	answer := hex.EncodeToString(sealed([]byte{2, 3, 2, 0x07, 0xd1}))
	broken := bytes.Clone(ask)
	broken[7] ^= 1
	for _, tt := range []struct {
		name   string
		pieces [][]byte
		want   string
	}{
		{"whole", [][]byte{ask}, answer},
		{"in two", [][]byte{ask[:3], ask[3:]}, answer},
		{"byte by byte", [][]byte{ask[:1], ask[1:2], ask[2:3], ask[3:4], ask[4:5], ask[5:6], ask[6:7], ask[7:]}, answer},
		{"two at once", [][]byte{append(bytes.Clone(ask), ask...)}, answer + answer},
		{"after noise", [][]byte{append([]byte{0xff}, ask...)}, answer},
		{"after noise like a long write", [][]byte{append([]byte{2, 16, 0, 0, 0, 90, 180}, ask...)}, answer},
		{"after a wrong checksum", [][]byte{broken, ask}, answer},
		{"after a broadcast", [][]byte{request(0, 6, 1, 1), ask}, answer},
		{"after a write of many", [][]byte{sealed([]byte{2, 16, 0, 0, 0, 1, 2, 0, 0}), ask},
			hex.EncodeToString(sealed([]byte{2, 0x90, 1})) + answer},
		{"function of no known length", [][]byte{sealed([]byte{2, 0x41, 1, 2, 3})}, hex.EncodeToString(sealed([]byte{2, 0xc1, 1}))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			go func() {
				for _, piece := range tt.pieces {
					_, _ = far.Write(piece)
					time.Sleep(10 * time.Millisecond) // a pause within the frame
				}
			}()
			got := make([]byte, len(tt.want)/2)
			if _, err := io.ReadFull(far, got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, hex.EncodeToString(got)); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

// The beginning of a request that never ended must not be completed by the next.
func TestRTUForgetsHalfARequest(t *testing.T) {
	asked := make(chan uint16, 4)
	source := slave.SourceFunc(func(_, _ byte, address, quantity uint16) ([]uint16, error) {
		asked <- address
		return make([]uint16, quantity), nil
	})
	link := line(t, slave.New(source, slave.Options{}))
	far, err := os.OpenFile(link, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	whole := request(2, 3, 7, 1)
	if _, err := far.Write(whole[:5]); err != nil {
		t.Fatal(err)
	}
	time.Sleep(400 * time.Millisecond) // longer than any pause within a frame
	if _, err := far.Write(whole[5:]); err != nil {
		t.Fatal(err)
	}
	if _, err := far.Write(request(2, 3, 8, 1)); err != nil {
		t.Fatal(err)
	}
	if got := <-asked; got != 8 {
		t.Errorf("the source was asked for %d, want 8 only", got)
	}
}

func TestRTUTakesTheTimeOfTheWire(t *testing.T) {
	link := line(t, slave.New(ladder{}, slave.Options{Baud: 9600, Turnaround: 20 * time.Millisecond}))
	handler, client := serialMaster(t, link, 2)
	defer handler.Close()
	start := time.Now()
	if _, err := client.ReadHoldingRegisters(0, 50); err != nil {
		t.Fatal(err)
	}
	// 8 + 105 bytes and two silences of 3.5 at 11 bits, and the turnaround
	if took, least := time.Since(start), 157*time.Millisecond; took < least {
		t.Errorf("50 registers at 9600 baud took %s, want at least %s", took, least)
	}
}

func TestPTYLink(t *testing.T) {
	dir := t.TempDir()
	stale := filepath.Join(dir, "stale")
	if err := os.Symlink("/nowhere", stale); err != nil {
		t.Fatal(err)
	}
	pty, err := slave.OpenPTY(stale)
	if err != nil {
		t.Fatalf("over a stale link: %v", err)
	}
	if target, _ := os.Readlink(stale); target != pty.Path() {
		t.Errorf("the link leads to %s, want %s", target, pty.Path())
	}
	second, err := slave.OpenPTY(stale)
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Close(); err != nil {
		t.Error(err)
	}
	if target, _ := os.Readlink(stale); target != second.Path() {
		t.Errorf("closing the first line left the link at %q, want %s", target, second.Path())
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	file := filepath.Join(dir, "precious")
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := slave.OpenPTY(file); err == nil {
		t.Error("a regular file was replaced")
	}
	if text, _ := os.ReadFile(file); string(text) != "text" {
		t.Error("a regular file was changed")
	}
}

// tape is a line that plays bytes once and then hangs up.
type tape struct {
	io.Reader
	bytes.Buffer
}

func (t *tape) Read(b []byte) (int, error)      { return t.Reader.Read(b) }
func (t *tape) SetReadDeadline(time.Time) error { return nil }

// Whatever noise came before it, a request is answered. The zeros between are
// longer than any frame: without them noise whose checksum happens to be right,
// one in 65,536, may claim the bytes of the request as its own.
func FuzzRTU(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0xff, 0x10, 0, 0, 0, 1, 200})
	f.Add(request(2, 3, 0, 125))
	f.Add(sealed([]byte{2, 23, 0, 0, 0, 1, 0, 0, 0, 1, 2, 0, 0}))
	f.Fuzz(func(t *testing.T, noise []byte) {
		last := request(7, 3, 77, 2)
		noise = append(noise[:len(noise):len(noise)], make([]byte, 300)...)
		played := &tape{Reader: bytes.NewReader(append(noise, last...))}
		_ = slave.New(ladder{}, slave.Options{}).ServeRTU(t.Context(), played)
		want := sealed(append([]byte{7, 3, 4}, []byte{0x1b, 0xa5, 0x1b, 0xa6}...))
		if !bytes.HasSuffix(played.Bytes(), want) {
			t.Errorf("after %x the request %x was answered %x", noise, last, played.Bytes())
		}
	})
}

func ExampleException() {
	fmt.Println(slave.IllegalAddress)
	// Output: exception 2 (illegal data address)
}
