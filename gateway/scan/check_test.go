package scan_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	library "github.com/goburrow/modbus"
	"github.com/google/go-cmp/cmp"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/modbus"
	"github.com/xnetroseraie/xnet/gateway/scan"
)

func refusal(code byte) error {
	return &library.ModbusError{FunctionCode: 3, ExceptionCode: code}
}

// A reply plays a meter by hand, for what no fixture does.
type reply func(function byte, address, quantity uint16) ([]byte, error)

func (r reply) Read(_ context.Context, _, function byte, address, quantity uint16) ([]byte, error) {
	return r(function, address, quantity)
}

// named is a meter that also tells its name.
type named struct {
	reply
	name string
	err  error
}

func (n named) Identify(context.Context, byte, byte) (string, error) { return n.name, n.err }

func profile(t *testing.T, probe string) firmwareconfig.Profile {
	t.Helper()
	p, err := firmwareconfig.ParseProfile("p", []byte("source: s\nconfidence: A\nfunction: 3\nlimit: 20\nprobe: ["+probe+
		"]\nregisters: [{address: 1, type: u32, unit: Wh, quantity: index}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func slaveOf(t *testing.T, bus scan.Bus, profiles ...firmwareconfig.Profile) *scan.Finding {
	t.Helper()
	f, err := scan.Slave(t.Context(), bus, 1, scan.Options{Profiles: profiles})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// zeros answers every request with zeros, as some meters do for registers that
// they have not.
func zeros(_ byte, _, quantity uint16) ([]byte, error) { return make([]byte, 2*quantity), nil }

func nothing(byte, uint16, uint16) ([]byte, error) { return nil, refusal(2) }

// A device that shows zeros everywhere, or refuses everything, is nothing that
// we know.
func TestEmptyDevicesAreUnknown(t *testing.T) {
	for name, r := range map[string]reply{"zeros": zeros, "refusals": nothing,
		"ones": func(_ byte, _, quantity uint16) ([]byte, error) {
			return []byte(strings.Repeat("\xFF", 2*int(quantity))), nil
		}} {
		t.Run(name, func(t *testing.T) {
			if f := slaveOf(t, r, profiles(t)...); f == nil || len(f.Candidates) != 0 {
				t.Errorf("finding %+v, want a slave that is unknown", f)
			}
		})
	}
}

func TestWhoCountsAsThere(t *testing.T) {
	for _, tt := range []struct {
		name     string
		err      error
		there    bool
		garbled  bool
		fails    error
		thorough bool
	}{
		{name: "silence", err: modbus.ErrTimeout},
		{name: "silence asked twice", err: modbus.ErrTimeout, thorough: true},
		{name: "converter without slave", err: refusal(11)},
		{name: "converter without path", err: refusal(10)},
		{name: "refusal", err: refusal(2), there: true},
		{name: "unknown function", err: refusal(1), there: true},
		{name: "noise", err: modbus.ErrFrame, there: true, garbled: true},
		{name: "line down", err: modbus.ErrLine, fails: modbus.ErrLine},
		{name: "interrupted", err: context.Canceled, fails: context.Canceled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			bus := reply(func(byte, uint16, uint16) ([]byte, error) { asked++; return nil, tt.err })
			f, err := scan.Slave(t.Context(), bus, 1, scan.Options{Thorough: tt.thorough})
			if !errors.Is(err, tt.fails) || (f != nil) != tt.there || f != nil && f.Garbled != tt.garbled {
				t.Errorf("finding %+v, %v", f, err)
			}
			if want := map[bool]int{false: 1, true: 2}[tt.thorough]; asked != want {
				t.Errorf("asked %d times, want %d", asked, want)
			}
		})
	}
}

// A meter that answers one address and is silent at all others must not hold the
// scan up for a timeout a profile.
func TestMuteMeterEndsTheQuestions(t *testing.T) {
	asked := 0
	bus := reply(func(_ byte, address, quantity uint16) ([]byte, error) {
		if asked++; address == 0 && quantity == 1 {
			return []byte{0, 1}, nil
		}
		return nil, modbus.ErrTimeout
	})
	if f := slaveOf(t, bus, profiles(t)...); f == nil || asked > 8 {
		t.Errorf("asked %d times, finding %+v: want it given up after a few", asked, f)
	}
}

func TestNamesByFunction43(t *testing.T) {
	p := profile(t, "{what: maker, function: 43, object: 0, begins: [Schneider], certain: true}, {what: n, address: 0, type: u32, range: [0, 9]}")
	for _, tt := range []struct {
		name    string
		bus     scan.Bus
		fits    bool
		certain bool
	}{
		{"the right name", named{reply: zeros, name: "Schneider Electric"}, true, true},
		{"another name", named{reply: zeros, name: "Siemens"}, false, false},
		{"no name", named{reply: zeros, err: refusal(1)}, true, false},
		{"a bus that cannot ask", reply(zeros), true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := slaveOf(t, tt.bus, p)
			if (len(f.Candidates) == 1) != tt.fits {
				t.Fatalf("candidates %+v", f.Candidates)
			}
			if tt.fits && f.Candidates[0].Certain != tt.certain {
				t.Errorf("certain is %v, want %v", f.Candidates[0].Certain, tt.certain)
			}
		})
	}
}

// A slave is asked for a name once, however many profiles look at it, and no more
// once it kept silent.
func TestNamesAreAskedOnce(t *testing.T) {
	a := profile(t, "{what: maker, function: 43, object: 0, begins: [A]}, {what: n, address: 0, type: u32, range: [0, 9]}")
	b := profile(t, "{what: maker, function: 43, object: 0, begins: [B]}, {what: code, function: 43, object: 1, begins: [B]}, {what: n, address: 0, type: u32, range: [0, 9]}")
	for _, tt := range []struct {
		name       string
		err        error
		asked, fit int
		failed     error
	}{
		{"named", nil, 1, 1, nil}, // b's code is not looked at after its maker
		{"silent", modbus.ErrTimeout, 1, 2, nil},
		{"unknown function", refusal(1), 1, 2, nil},
		{"lacks these objects", modbus.ErrNoObject, 3, 2, nil},
		{"line down", modbus.ErrLine, 1, 0, modbus.ErrLine},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			bus := asking{reply: zeros, identify: func() (string, error) { asked++; return "A", tt.err }}
			f, err := scan.Slave(t.Context(), bus, 1, scan.Options{Profiles: []firmwareconfig.Profile{a, b}})
			if !errors.Is(err, tt.failed) || tt.failed == nil && (asked != tt.asked || len(f.Candidates) != tt.fit) {
				t.Errorf("asked %d times, %+v, %v: want %d times, %d candidates, %v", asked, f, err, tt.asked, tt.fit, tt.failed)
			}
		})
	}
}

type asking struct {
	reply
	identify func() (string, error)
}

func (a asking) Identify(context.Context, byte, byte) (string, error) { return a.identify() }

// A profile that could be certain and is not, because the slave does not tell its
// name, leaves the others their turn.
func TestPlausibleLeavesOthersTheirTurn(t *testing.T) {
	naming := profile(t, "{what: maker, function: 43, object: 0, begins: [A], certain: true}, {what: n, address: 0, type: u32, range: [0, 99]}")
	other := profile(t, "{what: n, address: 0, type: u32, range: [0, 9]}")
	naming.Name, other.Name = "naming", "other"
	all := []firmwareconfig.Profile{naming, other}
	for _, tt := range []struct {
		name string
		bus  scan.Bus
		want []string
	}{
		{"named", named{reply: zeros, name: "A"}, []string{"naming"}},
		{"not named", named{reply: zeros, err: refusal(1)}, []string{"other", "naming"}},
	} {
		if diff := cmp.Diff(tt.want, names(slaveOf(t, tt.bus, all...).Candidates)); diff != "" {
			t.Errorf("%s: candidates (-want +got):\n%s", tt.name, diff)
		}
	}
}

// Two profiles whose probes are equally telling are both named.
func TestUndecided(t *testing.T) {
	a := profile(t, "{what: n, address: 0, type: u32, range: [0, 9]}")
	b := profile(t, "{what: n, address: 2, type: u32, range: [0, 9]}")
	c := profile(t, "{what: n, address: 4, type: u32, range: [0, 99999]}")
	a.Name, b.Name, c.Name = "a", "b", "c"
	f := slaveOf(t, reply(zeros), c, a, b)
	if diff := cmp.Diff([]string{"a", "b"}, names(f.Best())); diff != "" || len(f.Candidates) != 3 {
		t.Errorf("of %v best (-want +got):\n%s", names(f.Candidates), diff)
	}
}

// How telling a check is: the logarithm of the contents that would fail, and one
// bit for the register being there.
func TestBits(t *testing.T) {
	for _, tt := range []struct {
		name, probe string
		content     []byte
		want        float64
	}{
		{"one of all integers", "{what: n, address: 0, type: u32, range: [5, 5]}", []byte{0, 0, 0, 5}, 33},
		{"half of them", "{what: n, address: 0, type: u16, range: [0, 32767]}, {what: n, address: 0, type: u32, range: [0, 0]}", []byte{0, 0, 0, 0}, 2 + 33},
		{"scaled", "{what: n, address: 0, type: u32, scale: \"0.1\", range: [0, 1.5]}", []byte{0, 0, 0, 15}, 29},
		{"an octave of floats", "{what: n, address: 0, type: f32, range: [1, 1.9999999]}, {what: n, address: 0, type: u32, range: [1065353216, 1065353216]}", []byte{0x3F, 0x80, 0, 0}, 1 + 32 - 23 + 33},
		{"letters", "{what: n, address: 0, type: text, words: 2, begins: [AB C]}", []byte("ABC\x00"), 25},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bus := reply(func(_ byte, _, quantity uint16) ([]byte, error) { return tt.content[:2*quantity], nil })
			f := slaveOf(t, bus, profile(t, tt.probe))
			if len(f.Candidates) != 1 || f.Candidates[0].Bits < tt.want-0.01 || f.Candidates[0].Bits > tt.want+0.01 {
				t.Errorf("candidates %+v, want one of %.2f bits", f.Candidates, tt.want)
			}
		})
	}
}

func TestScanEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	found, err := scan.Line(ctx, reply(nothing), scan.Options{From: 1, To: 247, Pause: 1,
		Progress: func(unit byte, _ *scan.Finding) {
			if unit == 3 {
				cancel()
			}
		}, Profiles: profiles(t)})
	if !errors.Is(err, context.Canceled) || len(found) != 3 {
		t.Errorf("%d found, %v, want what was found until then", len(found), err)
	}
}

// A profile whose words are turned round does not fit the meter it was made for:
// a voltage in the wrong order is no voltage.
func TestWrongWordOrderDoesNotFit(t *testing.T) {
	for _, name := range []string{"sdm630", "gavazzi-em340", "iem3155", "eltako-dsz15"} {
		p, err := firmwareconfig.LoadProfile(name)
		if err != nil {
			t.Fatal(err)
		}
		turned := map[firmwareconfig.Order]firmwareconfig.Order{"": "CDAB", "CDAB": "ABCD"}
		for i := range p.Probe {
			p.Probe[i].Order = turned[p.Probe[i].Order]
		}
		if f := slaveOf(t, direct{fixture(t, name)}, p); len(f.Candidates) != 0 {
			t.Errorf("%s with its words turned round fits: %v", name, f.Candidates[0].Shown)
		}
	}
}
