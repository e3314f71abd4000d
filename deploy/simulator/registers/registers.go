// Package registers lays the meters of a simulated gateway out as Modbus
// registers: which slave has which meters, at which addresses, in which form.
//
// All forms are big-endian, high word first; addresses count from 0.
//
//	iem3155          function 3   0x0C83  int64    imported energy, Wh
//	                              0x0BF3  float32  total power, kW
//	pulse-counter-4  function 4   0 2 4 6 uint32   counts of channels 1 to 4
//	room-sensor      function 4   0       int16    temperature, 0.1 °C
//
// The addresses of the iem3155 are those of the Schneider iEM3000 series
// (DOCA0005EN). A request that touches any other address, or cuts a register of
// several words in two, is refused with exception 2; one with the other function
// with exception 1.
package registers

import (
	"encoding/binary"
	"math"

	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A register is one quantity in a profile's map.
type register struct {
	address  uint16
	words    uint16
	channel  int // of a pulse counter, else 0
	quantity metering.Quantity
	encode   func(amount, count metering.Amount) []byte
	decode   func(raw []byte, count metering.Amount) metering.Amount
}

// A profile is the register map of one make of device, in order of address.
type profile struct {
	function  byte
	registers []register
}

var profiles = map[string]profile{
	household.ProfileElectricity: {slave.ReadHolding, []register{
		{0x0BF3, 2, 0, metering.Power, encodeKilowatts, decodeKilowatts},
		{0x0C83, 4, 0, metering.Index, encode64, decode64},
	}},
	household.ProfilePulseCounter: {slave.ReadInput, []register{
		{0, 2, 1, metering.Index, encodeCount, decodeCount},
		{2, 2, 2, metering.Index, encodeCount, decodeCount},
		{4, 2, 3, metering.Index, encodeCount, decodeCount},
		{6, 2, 4, metering.Index, encodeCount, decodeCount},
	}},
	household.ProfileRoomSensor: {slave.ReadInput, []register{
		{0, 1, 0, metering.Celsius, encodeTenths, decodeTenths},
	}},
}

// covered returns the registers that a request covers, or exception 2 where it
// reaches outside the map or cuts one in two.
func (p profile) covered(address, quantity uint16) ([]register, error) {
	var found []register
	next, end := int(address), int(address)+int(quantity)
	for _, r := range p.registers {
		if int(r.address) == next && next+int(r.words) <= end {
			found = append(found, r)
			next += int(r.words)
		}
	}
	if next != end {
		return nil, slave.IllegalAddress
	}
	return found, nil
}

func encode64(amount, _ metering.Amount) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(amount))
}

func decode64(raw []byte, _ metering.Amount) metering.Amount {
	return metering.Amount(binary.BigEndian.Uint64(raw))
}

func encodeCount(amount, count metering.Amount) []byte {
	return binary.BigEndian.AppendUint32(nil, uint32(amount/count))
}

func decodeCount(raw []byte, count metering.Amount) metering.Amount {
	return metering.Amount(binary.BigEndian.Uint32(raw)) * count
}

func encodeKilowatts(watts, _ metering.Amount) []byte {
	return binary.BigEndian.AppendUint32(nil, math.Float32bits(float32(float64(watts)/1000)))
}

func decodeKilowatts(raw []byte, _ metering.Amount) metering.Amount {
	kilowatts := math.Float32frombits(binary.BigEndian.Uint32(raw))
	return metering.Amount(math.Round(float64(kilowatts) * 1000))
}

func encodeTenths(milli, _ metering.Amount) []byte {
	return binary.BigEndian.AppendUint16(nil, uint16(int16(milli/100)))
}

func decodeTenths(raw []byte, _ metering.Amount) metering.Amount {
	return metering.Amount(int16(binary.BigEndian.Uint16(raw))) * 100
}

// words turns bytes into registers.
func words(raw []byte) []uint16 {
	out := make([]uint16, 0, len(raw)/2)
	for ; len(raw) >= 2; raw = raw[2:] {
		out = append(out, binary.BigEndian.Uint16(raw))
	}
	return out
}

// octets turns registers into bytes.
func octets(registers []uint16) []byte {
	out := make([]byte, 0, 2*len(registers))
	for _, word := range registers {
		out = binary.BigEndian.AppendUint16(out, word)
	}
	return out
}
