package registers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/registers"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// reader returns a reader of 32-bit registers at those addresses, one meter
// each, named by its address.
func reader(t interface {
	Helper()
	Fatal(...any)
}, line registers.Line, limit int, addresses ...int) *registers.Reader {
	t.Helper()
	p := firmwareconfig.Profile{Name: "p", Function: 3, Limit: uint16(limit)}
	d := firmwareconfig.Device{Slave: 7}
	for i, a := range addresses {
		p.Registers = append(p.Registers, firmwareconfig.Register{Channel: i, Quantity: metering.Index, Address: uint16(a), Type: "u32", Unit: "Wh"})
		d.Meters = append(d.Meters, firmwareconfig.Meter{ID: metering.MeterID(fmt.Sprint(a)), Kind: metering.Electricity, Channel: i})
	}
	r, err := registers.NewReader(d, p, line)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A meter refuses requests that touch one of the addresses that it has not, and
// counts the requests.
type meter struct {
	lacks map[int]bool
	asked int
}

// cycle plays a cycle and returns the requests that were answered, as in
// "0+4", and the fields that were read.
func (m *meter) cycle(r *registers.Reader, now time.Time) (good []string, read []string) {
	m.asked = 0
	for queue := r.Requests(now); len(queue) > 0; {
		q := queue[0]
		queue = queue[1:]
		m.asked++
		if m.refuses(q) {
			queue = append(r.Refused(q, now), queue...)
			continue
		}
		good = append(good, fmt.Sprintf("%d+%d", q.Address, q.Quantity))
		for _, f := range q.Fields {
			read = append(read, string(f.Meter.ID))
		}
	}
	return good, read
}

func (m *meter) refuses(q registers.Request) bool {
	for a := range m.lacks {
		if a >= int(q.Address) && a < int(q.Address)+int(q.Quantity) {
			return true
		}
	}
	return false
}

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func TestRequestsCostTheLeast(t *testing.T) {
	for _, tt := range []struct {
		name      string
		line      registers.Line
		limit     int
		addresses []int
		want      string
	}{
		{"neighbours", registers.Line{}, 100, []int{0, 2, 4}, "0+6"},
		{"a gap that costs less than a request", registers.Line{Baud: 9600}, 100, []int{0, 20}, "0+22"},
		{"a gap that costs more", registers.Line{Baud: 9600}, 100, []int{0, 21}, "0+2 21+2"},
		{"the same gap after a pause", registers.Line{Baud: 9600, Pause: 100 * time.Millisecond}, 100, []int{0, 21}, "0+23"},
		{"a slower line", registers.Line{Baud: 2400}, 100, []int{0, 15}, "0+2 15+2"},
		{"another table, though the line is fast", registers.Line{Baud: 115200}, 125, []int{0, 2, 60}, "0+4 60+2"},
		{"the limit cuts where it costs least", registers.Line{Baud: 9600}, 20, []int{0, 2, 16, 18, 24, 32}, "0+4 16+18"},
		{"out of order", registers.Line{}, 100, []int{4, 0, 2}, "0+6"},
		{"a limit of one number", registers.Line{}, 2, []int{0, 2, 4}, "0+2 2+2 4+2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			good, _ := new(meter).cycle(reader(t, tt.line, tt.limit, tt.addresses...), start)
			if got := strings.Join(good, " "); got != tt.want {
				t.Errorf("requests %s, want %s", got, tt.want)
			}
		})
	}
}

func TestOneBadRegisterCostsOneRegister(t *testing.T) {
	r := reader(t, registers.Line{}, 100, 0, 2, 4, 6, 8, 10, 12, 14)
	m := &meter{lacks: map[int]bool{10: true}}
	_, read := m.cycle(r, start)
	want := []string{"0", "2", "4", "6", "8", "12", "14"}
	if diff := cmp.Diff(want, read); diff != "" {
		t.Errorf("first cycle (-want +got):\n%s", diff)
	}
	if m.asked > 8 {
		t.Errorf("first cycle took %d requests, want at most two a halving", m.asked)
	}
	good, _ := m.cycle(r, start.Add(10*time.Second))
	if diff := cmp.Diff([]string{"0+10", "12+4"}, good); diff != "" || m.asked != 2 {
		t.Errorf("second cycle asked %d times (-want +got):\n%s", m.asked, diff)
	}
	if out := r.LeftOut(); len(out) != 1 || out[0].Meter.ID != "10" {
		t.Errorf("left out are %v, want the register at 10", out)
	}
}

// A register that was refused while the meter started is back within a minute or
// two; one that does not exist costs a request an hour.
func TestRefusedRegistersAreTriedAgain(t *testing.T) {
	r := reader(t, registers.Line{}, 100, 0, 2, 4)
	m := &meter{lacks: map[int]bool{2: true}}
	extra := 0
	for at := time.Duration(0); at < 24*time.Hour; at += time.Minute {
		m.cycle(r, start.Add(at))
		if at > 12*time.Hour {
			extra += m.asked - 2
		}
	}
	if extra < 10 || extra > 13 {
		t.Errorf("in the second half of the day %d requests for a register that is not there, want one an hour", extra)
	}
	m.lacks = nil
	var good []string
	for at := 24 * time.Hour; at < 26*time.Hour; at += time.Minute {
		good, _ = m.cycle(r, start.Add(at))
	}
	if diff := cmp.Diff([]string{"0+6"}, good); diff != "" || len(r.LeftOut()) != 0 {
		t.Errorf("two hours after it is there, left out %v (-want +got):\n%s", r.LeftOut(), diff)
	}

	fresh, starting := reader(t, registers.Line{}, 100, 0, 2, 4), &meter{lacks: map[int]bool{0: true, 2: true, 4: true}}
	starting.cycle(fresh, start)
	starting.lacks = nil
	starting.cycle(fresh, start.Add(time.Minute))
	if good, _ := starting.cycle(fresh, start.Add(70*time.Second)); len(good) != 1 {
		t.Errorf("70 s after a start that refused everything: %v, want one request", good)
	}
}

// A gap that the meter has not is cut and remembered, and nothing is left out.
func TestGapThatTheMeterHasNot(t *testing.T) {
	r := reader(t, registers.Line{}, 100, 0, 2, 10, 12, 14)
	m := &meter{lacks: map[int]bool{5: true}}
	if _, read := m.cycle(r, start); len(read) != 5 {
		t.Errorf("first cycle read %v, want all five", read)
	}
	good, _ := m.cycle(r, start.Add(time.Minute))
	if diff := cmp.Diff([]string{"0+4", "10+6"}, good); diff != "" || m.asked != 2 {
		t.Errorf("second cycle (-want +got):\n%s", diff)
	}
	if m.cycle(r, start.Add(2*time.Hour)); m.asked != 3 {
		t.Errorf("after two hours %d requests, want the gap tried again", m.asked)
	}
}

// Whatever a meter lacks, each cycle reads every register that can be read, once,
// and refusals die out.
func TestEveryReadableRegisterIsRead(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		count := rapid.IntRange(1, 24).Draw(rt, "count")
		var addresses []int
		at := 0
		for range count {
			at += rapid.IntRange(0, 12).Draw(rt, "gap")
			addresses = append(addresses, at)
			at += 2
		}
		m := &meter{lacks: map[int]bool{}}
		for range rapid.IntRange(0, 4).Draw(rt, "lacks") {
			m.lacks[rapid.IntRange(0, at).Draw(rt, "lack")] = true
		}
		var want []string
		for _, a := range addresses {
			if !m.lacks[a] && !m.lacks[a+1] {
				want = append(want, fmt.Sprint(a))
			}
		}
		r := reader(rt, registers.Line{}, rapid.IntRange(2, 60).Draw(rt, "limit"), addresses...)
		for cycle := range 12 {
			good, read := m.cycle(r, start.Add(time.Duration(cycle)*time.Second))
			if diff := cmp.Diff(want, read); diff != "" {
				rt.Fatalf("cycle %d (-want +got):\n%s", cycle, diff)
			}
			if cycle == 11 && m.asked != len(good) {
				rt.Fatalf("after %d cycles still %d refusals", cycle, m.asked-len(good))
			}
		}
	})
}

func TestDoubtfulRegistersWantToBeAskedFor(t *testing.T) {
	p := profile(t, "registers: [{address: 0, type: u16, unit: W, quantity: power, confidence: D}, {address: 1, type: u16, unit: Wh, quantity: index}]")
	d := firmwareconfig.Device{Slave: 1, Meters: []firmwareconfig.Meter{{ID: "M", Kind: metering.Electricity}}}
	for _, tt := range []struct {
		doubtful bool
		fields   int
	}{{false, 1}, {true, 2}} {
		d.DoubtfulRegisters = tt.doubtful
		requests, err := registers.Plan(d, p)
		if err != nil || len(requests) != 1 || len(requests[0].Fields) != tt.fields {
			t.Errorf("doubtful %v: %v, %v, want %d fields", tt.doubtful, requests, err, tt.fields)
		}
	}
}

func TestRefuses(t *testing.T) {
	for code, want := range map[byte]bool{1: false, 2: true, 3: true, 4: false, 6: false, 11: false} {
		if got := registers.Refuses(code); got != want {
			t.Errorf("exception %d: %v, want %v", code, got, want)
		}
	}
}
