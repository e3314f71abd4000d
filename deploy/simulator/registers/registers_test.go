package registers_test

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/deploy/simulator/registers"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

var residence = household.New(1, civil.Date{Year: 2025, Month: time.October, Day: 20})

// on is ten in the evening of the n-th day after the epoch.
func on(n int) time.Time {
	return residence.Epoch.AddDays(n).Start(residence.Zone).Add(22 * time.Hour)
}

// source is a gateway's slaves as they are for ever at an instant.
func source(t testing.TB, gateway metering.GatewayID, at time.Time, unique bool) *registers.Source {
	t.Helper()
	s, err := registers.New(residence, gateway, func() time.Time { return at }, unique)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func meterOf(t testing.TB, id household.DwellingID, k metering.Kind) *household.Meter {
	t.Helper()
	for _, m := range residence.ByID(id).Meters {
		if m.Kind == k && m.To.IsZero() {
			return m
		}
	}
	t.Fatalf("dwelling %s has no %s meter", id, k)
	return nil
}

func TestElectricityMeter(t *testing.T) {
	at := on(10)
	m := meterOf(t, "A1-01", metering.Electricity)
	s := source(t, "gw-a", at, false)
	index, err := s.Read(m.Slave, 3, 0x0C83, 4)
	if err != nil {
		t.Fatal(err)
	}
	wh := int64(index[0])<<48 | int64(index[1])<<32 | int64(index[2])<<16 | int64(index[3])
	if want := int64(residence.Index(m, at)); wh != want || wh == 0 {
		t.Errorf("index %d Wh, want %d", wh, want)
	}
	power, err := s.Read(m.Slave, 3, 0x0BF3, 2)
	if err != nil {
		t.Fatal(err)
	}
	kw := math.Float32frombits(uint32(power[0])<<16 | uint32(power[1]))
	if want := float32(residence.Power(m, at)) / 1000; kw != want || kw == 0 {
		t.Errorf("power %g kW, want %g", kw, want)
	}
}

func TestPulseCounter(t *testing.T) {
	at := on(10)
	for _, tt := range []struct {
		name    string
		gateway metering.GatewayID
		flat    household.DwellingID
		weight  metering.Amount
	}{
		{"a litre a pulse", "gw-a", "A1-01", 1000},
		{"ten litres a pulse", "gw-c", "C1-01", 10_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cold, hot := meterOf(t, tt.flat, metering.ColdWater), meterOf(t, tt.flat, metering.HotWater)
			got, err := source(t, tt.gateway, at, false).Read(cold.Slave, 4, 0, 8)
			if err != nil {
				t.Fatal(err)
			}
			c, h := uint32(residence.Index(cold, at)/tt.weight), uint32(residence.Index(hot, at)/tt.weight)
			want := []uint16{uint16(c >> 16), uint16(c), uint16(h >> 16), uint16(h), 0, 0, 0, 0}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("registers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name              string
		gateway           metering.GatewayID
		slave, function   byte
		address, quantity uint16
		day               int
		want              error
	}{
		{"wrong function of a pulse counter", "gw-a", 1, 3, 0, 2, 10, slave.IllegalFunction},
		{"wrong function of an electricity meter", "gw-a", 101, 4, 0x0C83, 4, 10, slave.IllegalFunction},
		{"unmapped", "gw-a", 101, 3, 0x0C00, 2, 10, slave.IllegalAddress},
		{"across the gap", "gw-a", 101, 3, 0x0BF3, 0x94, 10, slave.IllegalAddress},
		{"one past the end", "gw-a", 1, 4, 6, 3, 10, slave.IllegalAddress},
		{"half a register", "gw-a", 1, 4, 0, 1, 10, slave.IllegalAddress},
		{"the other half", "gw-a", 1, 4, 1, 2, 10, slave.IllegalAddress},
		{"no such slave", "gw-a", 77, 3, 0, 1, 10, slave.ErrSilent},
		{"flat without meters", "gw-a", 16, 4, 0, 2, 10, slave.ErrSilent},
		{"dead meter", "gw-b", 105, 3, 0x0C83, 4, 301, slave.ErrSilent},
		{"dead meter while it lived", "gw-b", 105, 3, 0x0C83, 4, 299, nil},
		{"silent gateway", "gw-d", 9, 4, 0, 2, 386, slave.ErrSilent},
		{"silent gateway while it spoke", "gw-d", 9, 4, 0, 2, 384, nil},
		{"before the epoch", "gw-a", 1, 4, 0, 2, -3, slave.ErrSilent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := source(t, tt.gateway, on(tt.day), false).Read(tt.slave, tt.function, tt.address, tt.quantity)
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := registers.New(residence, "gw-z", time.Now, false); err == nil {
		t.Error("a gateway that does not exist has slaves")
	}
}

func TestRoomSensor(t *testing.T) {
	at := on(100)
	m := meterOf(t, "B2-02", metering.Temperature)
	s := source(t, "gw-b", at, false)
	got, err := s.Read(m.Slave, 4, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if want := residence.Temperature(m, at) / 100; metering.Amount(int16(got[0])) != want {
		t.Errorf("%d tenths of a degree, want %d", int16(got[0]), want)
	}
}

func TestDecodeIsTheInverseOfRead(t *testing.T) {
	for _, n := range []int{10, 199, 201, 299, 380} {
		at := on(n)
		for _, g := range residence.Gateways {
			s := source(t, g.ID, at, false)
			for _, m := range residence.Meters() {
				if m.Gateway != g.ID || !residence.Answers(m, at) {
					continue
				}
				x := slave.Exchange{Slave: m.Slave, Function: 4, Address: 0, Quantity: 8}
				switch m.Profile {
				case household.ProfileElectricity:
					x.Function, x.Address, x.Quantity = 3, 0x0C83, 4
				case household.ProfileRoomSensor:
					x.Quantity = 1
				}
				var err error
				if x.Registers, err = s.Read(x.Slave, x.Function, x.Address, x.Quantity); err != nil {
					t.Fatalf("day %d, meter %s: %v", n, m.ID, err)
				}
				want := registers.Shown{Meter: m.ID, Quantity: metering.Index, Amount: residence.Register(m, at)}
				if m.Kind == metering.Temperature {
					want.Quantity = metering.Celsius
				}
				if shown := s.Decode(x, at); !slices.Contains(shown, want) {
					t.Errorf("day %d: decoded %+v, want %+v among them", n, shown, want)
				}
			}
		}
	}
}

// Twenty masters at once must never see the same index twice.
func TestUniqueReads(t *testing.T) {
	m := meterOf(t, "A1-01", metering.ColdWater)
	s := source(t, "gw-a", on(10), true)
	var mu sync.Mutex
	seen := map[uint32]bool{}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			last := uint32(0)
			for range 100 {
				got := count(t, s, m.Slave)
				if got <= last {
					t.Errorf("one master read %d after %d", got, last)
				}
				last = got
				mu.Lock()
				if seen[got] {
					t.Errorf("%d was read twice", got)
				}
				seen[got] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if first := uint32(residence.Register(m, on(10)) / 1000); !seen[first+1] || !seen[first+2000] {
		t.Errorf("2,000 reads from %d on did not each add one", first)
	}
}

// count reads channel 1 of a pulse counter.
func count(t *testing.T, s *registers.Source, address byte) uint32 {
	got, err := s.Read(address, 4, 0, 2)
	if err != nil {
		t.Error(err)
		return 0
	}
	return binary.BigEndian.Uint32([]byte{byte(got[0] >> 8), byte(got[0]), byte(got[1] >> 8), byte(got[1])})
}

func TestUniqueReadsSurviveAClockSetBack(t *testing.T) {
	at := on(10)
	s, err := registers.New(residence, "gw-a", func() time.Time { return at }, true)
	if err != nil {
		t.Fatal(err)
	}
	first := count(t, s, 1)
	at = on(9)
	if second := count(t, s, 1); second != first+1 {
		t.Errorf("after the clock was set back a day it shows %d, want %d", second, first+1)
	}
}

func TestUniqueReadsGoOnAfterARestart(t *testing.T) {
	m := meterOf(t, "A2-04", metering.ColdWater) // the register that rolls over
	for _, tt := range []struct {
		name   string
		behind metering.Amount // what was shown last, after the register now
		want   metering.Amount // what is shown next, after the register now
	}{
		{"ahead", 50_000, 51_000},
		{"just there", 0, 1000},
		{"long past", -70_000, 1000},
		{"over the rollover", 50_000_000, 50_001_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := source(t, "gw-a", on(148), true)
			now := residence.Register(m, on(148))
			s.Resume(m.ID, (now+tt.behind)%m.IndexModulus)
			want := (now + tt.want) % m.IndexModulus / 1000
			if got := count(t, s, m.Slave); metering.Amount(got) != want {
				t.Errorf("shows %d, want %d", got, want)
			}
		})
	}
}
