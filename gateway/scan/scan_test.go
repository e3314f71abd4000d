package scan_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave/slavetest"
	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/firmware-config/profiletest"
	"github.com/xnetroseraie/xnet/gateway/modbus"
	"github.com/xnetroseraie/xnet/gateway/scan"
)

const fixtures = "../../firmware-config/testdata"

// A bench is meters on a line: the fixture of each slave. Slave 0x77 answers and
// has no register that any profile knows.
type bench map[byte]*profiletest.Fixture

const stranger = 0x77

func (b bench) Read(unit, function byte, address, quantity uint16) ([]uint16, error) {
	if unit == stranger {
		if function != slave.ReadHolding || address+quantity > 3 {
			return nil, slave.IllegalAddress
		}
		return []uint16{17, 4, 2026}[address : address+quantity], nil
	}
	fixture, there := b[unit]
	if !there {
		return nil, slave.ErrSilent
	}
	words, exist := fixture.Read(function, address, quantity)
	if !exist {
		return nil, slave.IllegalAddress
	}
	return words, nil
}

func (b bench) Names(unit byte) (map[byte]string, error) {
	if fixture, there := b[unit]; there {
		return fixture.Names, nil
	}
	if unit == stranger {
		return nil, nil
	}
	return nil, slave.ErrSilent
}

func fixture(t *testing.T, name string) *profiletest.Fixture {
	t.Helper()
	f, err := profiletest.Load(fixtures, name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func profiles(t *testing.T) []firmwareconfig.Profile {
	t.Helper()
	l, err := firmwareconfig.OpenLibrary("")
	if err != nil {
		t.Fatal(err)
	}
	all, err := l.All()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// eight are the meters of the acceptance test: the first two use the same
// addresses with different types.
var eight = map[byte]string{2: "sdm630", 3: "eltako-dsz15", 5: "iem3155", 8: "abb-b23", 13: "gavazzi-em112",
	21: "socomec-countis-e2x", 34: "kamstrup-multical-300"}

func TestEightMeters(t *testing.T) {
	meters := bench{}
	want := map[byte][]string{stranger: nil}
	certain := map[byte]bool{5: true, 8: true, 21: true} // 5 by function 43, the others by registers
	for unit, name := range eight {
		meters[unit] = fixture(t, name)
		want[unit] = []string{name}
	}
	for name, line := range lines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bus := openBus(t, line(t, meters))
			asked := 0
			found, err := scan.Line(t.Context(), bus, scan.Options{From: 1, To: stranger + 1, Profiles: profiles(t),
				Progress: func(byte, *scan.Finding) { asked++ }})
			if err != nil {
				t.Fatal(err)
			}
			got := map[byte][]string{}
			for _, f := range found {
				got[f.Slave] = names(f.Best())
				if best := f.Best(); len(best) == 1 && certain[f.Slave] != best[0].Certain {
					t.Errorf("%s is certain: %v, saw %v", best[0].Profile.Name, best[0].Certain, best[0].Shown)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("slaves (-want +got):\n%s", diff)
			}
			if asked != stranger+1 {
				t.Errorf("progress was told of %d slaves, want %d", asked, stranger+1)
			}
		})
	}
}

func names(candidates []scan.Candidate) []string {
	var all []string
	for _, c := range candidates {
		all = append(all, c.Profile.Name)
	}
	return all
}

// Each profile with a probe finds its own fixture, and no other profile is as
// good; those without are never proposed.
func TestEachFixtureIsFound(t *testing.T) {
	all := profiles(t)
	for _, p := range all {
		t.Run(p.Name, func(t *testing.T) {
			f, err := scan.Slave(t.Context(), direct{fixture(t, p.Name)}, 1, scan.Options{Profiles: all})
			if err != nil || f == nil {
				t.Fatalf("finding %v, %v", f, err)
			}
			best := f.Best()
			if len(p.Probe) == 0 {
				if len(best) != 0 {
					t.Errorf("taken for %v", names(best))
				}
				return
			}
			if diff := cmp.Diff([]string{p.Name}, names(best)); diff != "" {
				t.Errorf("best (-want +got):\n%s", diff)
			}
			for _, c := range f.Candidates {
				t.Logf("%s: %.1f bits, certain %v: %v", c.Profile.Name, c.Bits, c.Certain, c.Shown)
			}
		})
	}
}

// direct is a bus with one meter and no line.
type direct struct{ *profiletest.Fixture }

func (d direct) Read(_ context.Context, _, function byte, address, quantity uint16) ([]byte, error) {
	raw, exists := d.Bytes(function, address, quantity)
	if !exists {
		return nil, refusal(2)
	}
	return raw, nil
}

// lines serve a source on each kind of line.
var lines = map[string]func(*testing.T, slave.Source) firmwareconfig.Bus{
	"tcp": func(t *testing.T, source slave.Source) firmwareconfig.Bus {
		return firmwareconfig.Bus{URL: slavetest.TCP(t, source, slave.Options{}), Timeout: timeout}
	},
	"rtu": func(t *testing.T, source slave.Source) firmwareconfig.Bus {
		return firmwareconfig.Bus{URL: slavetest.RTU(t, source, slave.Options{}), Baud: 115200, Parity: "none", StopBits: 1, Timeout: timeout}
	},
}

const timeout = 50 * time.Millisecond

func openBus(t *testing.T, c firmwareconfig.Bus) *modbus.Bus {
	t.Helper()
	bus, err := modbus.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bus.Close() })
	return bus
}
