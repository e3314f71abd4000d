// Package profiletest reads the fixtures of meter profiles for tests: what the
// registers of a real or described meter hold, and the amounts that must be read
// out of them.
//
// A fixture is a text file of parts, each after a line "-- name --":
//
//	-- source --     where registers and amounts come from, if possible not
//	                 where the profile comes from
//	-- registers --  lines "function address: words in hexadecimal"; whatever
//	                 is not listed does not exist
//	-- names --      lines "object name", what function 43 reads, if anything
//	-- meters --     lines "channel kind weight", the weight of a pulse or count
//	                 in mL or Wh, 0 where the registers have units
//	-- expected --   lines "channel quantity amount unit", or "none" for a
//	                 quantity that shows no value
package profiletest

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Fixture is one meter.
type Fixture struct {
	Name   string // the profile's
	Source string // never empty
	Meters []firmwareconfig.Meter
	// Expected is what must be read, by meter, all of what the profile reads.
	Expected map[metering.MeterID]map[metering.Quantity]Expectation
	// Names are the objects that function 43 reads; nil for a meter that does
	// not know it.
	Names map[byte]string

	words map[place]uint16
}

// An Expectation is an amount in its unit, or that there is none.
type Expectation struct {
	Amount metering.Amount
	Unit   metering.Unit
	None   bool
}

type place struct {
	function byte
	address  uint16
}

// Load reads the fixture of a profile in dir.
func Load(dir, profile string) (*Fixture, error) {
	text, err := os.ReadFile(filepath.Join(dir, profile+".txtar"))
	if err != nil {
		return nil, fmt.Errorf("fixture of profile %s: %w", profile, err)
	}
	f := &Fixture{Name: profile, Expected: map[metering.MeterID]map[metering.Quantity]Expectation{}, words: map[place]uint16{}}
	for part, lines := range parts(string(text)) {
		for _, line := range lines {
			if err := f.read(part, line); err != nil {
				return nil, fmt.Errorf("fixture of profile %s: %s: %q: %w", profile, part, line, err)
			}
		}
	}
	if f.Source == "" || len(f.words) == 0 || len(f.Meters) == 0 || len(f.Expected) == 0 {
		return nil, fmt.Errorf("fixture of profile %s: want the parts source, registers, meters and expected", profile)
	}
	return f, nil
}

// parts splits the text at its lines "-- name --"; empty lines are left out.
func parts(text string) map[string][]string {
	found := map[string][]string{}
	part := "comment"
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "-- "); ok && strings.HasSuffix(name, " --") {
			part = strings.TrimSuffix(name, " --")
		} else if line != "" {
			found[part] = append(found[part], line)
		}
	}
	return found
}

func (f *Fixture) read(part, line string) error {
	switch part {
	case "comment":
		return nil
	case "source":
		f.Source = strings.TrimSpace(f.Source + " " + line)
		return nil
	case "registers":
		return f.readRegisters(line)
	case "names":
		return f.readName(line)
	case "meters":
		return f.readMeter(strings.Fields(line))
	case "expected":
		return f.readExpected(strings.Fields(line))
	default:
		return fmt.Errorf("part %s is not known", part)
	}
}

func (f *Fixture) readRegisters(line string) error {
	head, words, _ := strings.Cut(line, ":")
	var function byte
	var address uint16
	if _, err := fmt.Sscanf(head, "%d 0x%X", &function, &address); err != nil {
		return err
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(words, " ", ""))
	if err != nil || len(raw)%2 != 0 {
		return fmt.Errorf("want whole words in hexadecimal: %w", err)
	}
	for i := 0; i < len(raw); i += 2 {
		at := place{function, address + uint16(i/2)}
		if _, twice := f.words[at]; twice {
			return fmt.Errorf("register %#04x stands twice", at.address)
		}
		f.words[at] = uint16(raw[i])<<8 | uint16(raw[i+1])
	}
	return nil
}

func (f *Fixture) readName(line string) error {
	object, name, _ := strings.Cut(line, " ")
	number, err := strconv.ParseUint(object, 0, 8)
	if err != nil || name == "" {
		return fmt.Errorf("want an object from 0 to 255 and its name")
	}
	if f.Names == nil {
		f.Names = map[byte]string{}
	}
	f.Names[byte(number)] = name
	return nil
}

func (f *Fixture) readMeter(cells []string) error {
	if len(cells) != 3 {
		return fmt.Errorf("want channel, kind and weight")
	}
	channel, err := strconv.Atoi(cells[0])
	if err != nil {
		return err
	}
	weight, err := strconv.ParseInt(cells[2], 10, 64)
	if err != nil {
		return err
	}
	f.Meters = append(f.Meters, firmwareconfig.Meter{ID: meterID(channel), Kind: metering.Kind(cells[1]),
		Channel: channel, PulseML: weight, PulseWh: weight})
	return nil
}

func (f *Fixture) readExpected(cells []string) error {
	none := len(cells) == 3 && cells[2] == "none"
	if len(cells) != 4 && !none {
		return fmt.Errorf("want channel, quantity, amount and unit, or channel, quantity and none")
	}
	channel, err := strconv.Atoi(cells[0])
	if err != nil {
		return err
	}
	want := Expectation{None: none}
	if !none {
		amount, err := strconv.ParseInt(cells[2], 10, 64)
		if err != nil {
			return err
		}
		want = Expectation{Amount: metering.Amount(amount), Unit: metering.Unit(cells[3])}
	}
	meter := meterID(channel)
	if f.Expected[meter] == nil {
		f.Expected[meter] = map[metering.Quantity]Expectation{}
	}
	f.Expected[meter][metering.Quantity(cells[1])] = want
	return nil
}

func meterID(channel int) metering.MeterID {
	return metering.MeterID("M-" + strconv.Itoa(channel))
}

// Read returns the words of quantity registers, and false where one of them
// does not exist.
func (f *Fixture) Read(function byte, address, quantity uint16) ([]uint16, bool) {
	words := make([]uint16, quantity)
	for i := range words {
		word, exists := f.words[place{function, address + uint16(i)}]
		if !exists {
			return nil, false
		}
		words[i] = word
	}
	return words, true
}

// Bytes is Read with two bytes a register, as on the wire.
func (f *Fixture) Bytes(function byte, address, quantity uint16) ([]byte, bool) {
	words, exists := f.Read(function, address, quantity)
	raw := make([]byte, 0, 2*quantity)
	for _, word := range words {
		raw = append(raw, byte(word>>8), byte(word))
	}
	return raw, exists
}
