package household

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	staircases = 2
	flats      = 8 // a staircase, two on each of four floors
)

var buildings = []string{"A", "B", "C"}

func paris() *time.Location {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(fmt.Sprintf("household: %v: install tzdata", err))
	}
	return zone
}

func gateways(silent time.Time) []Gateway {
	tcp := []Bus{{Name: "tcp", Transport: TCP}}
	return []Gateway{
		{ID: "gw-a", Where: "bâtiment A", Buses: tcp},
		{ID: "gw-b", Where: "bâtiment B", Buses: []Bus{{Name: "rs485", Transport: RTU}}},
		{ID: "gw-c", Where: "bâtiment C, escalier 1", Buses: slices.Clone(tcp)},
		{ID: "gw-d", Where: "bâtiment C, escalier 2", Buses: slices.Clone(tcp), SilentFrom: silent},
	}
}

// build lays out the flats, without people and meters.
func (r *Residence) build() []*Dwelling {
	var all []*Dwelling
	for _, building := range buildings {
		for staircase := 1; staircase <= staircases; staircase++ {
			for number := 1; number <= flats; number++ {
				all = append(all, r.flat(building, staircase, number))
			}
		}
	}
	return all
}

func (r *Residence) flat(building string, staircase, number int) *Dwelling {
	id := DwellingID(fmt.Sprintf("%s%d-%02d", building, staircase, number))
	rng := r.chance(id, streamFlat, 0)
	rooms := [...]int{2, 3, 3, 4, 3, 4, 2, 5}[(number+3*staircase)%flats]
	switch {
	case slices.Contains(storiesOf(id), NightWorker):
		rooms = 2
	case slices.Contains(storiesOf(id), LeakingToilet), slices.Contains(storiesOf(id), Rollover):
		rooms = 3
	}
	return &Dwelling{
		ID:        id,
		Building:  building,
		Staircase: staircase,
		Number:    number,
		Floor:     (number - 1) / 2,
		Rooms:     rooms,
		AreaM2:    15 + 16*rooms + rng.IntN(7),
		Stories:   storiesOf(id),
	}
}

// gatewayOf returns the gateway that reads a dwelling.
func (r *Residence) gatewayOf(d *Dwelling) Gateway {
	switch {
	case d.Building == "A":
		return r.Gateways[0]
	case d.Building == "B":
		return r.Gateways[1]
	case d.Staircase == 1:
		return r.Gateways[2]
	default:
		return r.Gateways[3]
	}
}

// equip hangs the meters. Slaves are numbered so that people find them: the
// pulse counter of the n-th flat of a building is n, its electricity meter
// 100+n, its room sensor 200+n.
func (r *Residence) equip() {
	for i, d := range r.Dwellings {
		if d.Has(Unmetered) {
			continue
		}
		place := byte((d.Staircase-1)*flats + d.Number)
		r.hangWater(d, metering.ColdWater, place, 1, i)
		r.hangWater(d, metering.HotWater, place, 2, i)
		r.hangElectricity(d, 100+place, i)
		if slices.Contains(sensorFlats, d.ID) {
			m := r.meter(d, metering.Temperature, 200+place, i)
			m.Profile = ProfileRoomSensor
			r.hang(d, m)
		}
		if d.Has(ReplacedMeter) {
			r.replace(d)
		}
	}
	slices.SortFunc(r.meters, func(a, b *Meter) int {
		return strings.Compare(string(a.ID), string(b.ID))
	})
}

func (r *Residence) hang(d *Dwelling, m *Meter) {
	d.Meters = append(d.Meters, m)
	r.meters = append(r.meters, m)
}

var idPrefix = map[metering.Kind]string{
	metering.ColdWater:   "CW",
	metering.HotWater:    "HW",
	metering.Electricity: "EL",
	metering.Temperature: "RT",
}

// meter begins a meter of the i-th dwelling. Its id tells nothing of the place,
// as a maker's serial number does not.
func (r *Residence) meter(d *Dwelling, k metering.Kind, slave byte, i int) *Meter {
	g := r.gatewayOf(d)
	m := &Meter{
		ID:       metering.MeterID(fmt.Sprintf("%s-%05d", idPrefix[k], 20411+37*i)),
		Kind:     k,
		Gateway:  g.ID,
		Bus:      g.Buses[0].Name,
		Slave:    slave,
		From:     r.day(0),
		Dwelling: d.ID,
		Bound:    d.ID,
	}
	m.Resolution = r.resolution(d, k)
	return m
}

func (r *Residence) hangWater(d *Dwelling, k metering.Kind, slave byte, channel, i int) {
	m := r.meter(d, k, slave, i)
	m.Profile, m.Channel, m.PulseML = ProfilePulseCounter, channel, 1000
	m.MaxPerHour = 2_500_000 // Q3 of a flat's meter is 2.5 m³/h
	if d.Building == "C" {
		m.PulseML = 10_000
	}
	m.IndexModulus = m.PulseML << 32
	m.FirstIndex = metering.Amount(20_000_000 + r.chance(d.ID, streamMeter, uint64(channel)).Int64N(400_000_000))
	if other, crossed := swappedWith[d.ID]; crossed {
		m.Bound = other
	}
	if d.Has(Rollover) && k == metering.ColdWater {
		drawn := r.streams[d.ID].drawn(cold, r.day(rolloverDay).Add(9*time.Hour)) / perUnit
		m.IndexModulus = rolloverML
		m.FirstIndex = rolloverML - metering.Amount(drawn)
	}
	r.hang(d, m)
}

func (r *Residence) hangElectricity(d *Dwelling, slave byte, i int) {
	m := r.meter(d, metering.Electricity, slave, i)
	m.Profile = ProfileElectricity
	m.MaxPerHour = 12_000 // a subscription of 12 kVA, twice the common one
	m.FirstIndex = metering.Amount(1_000_000 + r.chance(d.ID, streamMeter, 0).Int64N(30_000_000))
	if d.Has(DeadMeter) {
		m.DeadFrom = r.day(deadDay).Add(15*time.Hour + 20*time.Minute)
	}
	r.hang(d, m)
}

// replace hangs a new cold-water meter in the place of the first.
func (r *Residence) replace(d *Dwelling) {
	old := d.Meters[0]
	at := r.day(replacedDay).Add(10*time.Hour + 30*time.Minute)
	fresh := *old
	fresh.ID = old.ID + "R"
	fresh.From, fresh.FirstIndex = at, 3000 // what its maker ran through it as a test
	fresh.base = r.streams[d.ID].drawn(cold, at)
	old.To, old.LastIndex = at, r.Index(old, at)
	r.hang(d, &fresh)
}
