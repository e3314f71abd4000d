package meters

import (
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A shownIndex is what a dial showed: exactly in the base unit, or as its digits
// were typed, in m³ or kWh.
type shownIndex struct {
	Index *metering.Amount `json:"index"`
	Dial  string           `json:"dial"`
}

func (s shownIndex) check(f *fields, name string) {
	switch {
	case (s.Index == nil) == (s.Dial == ""):
		f.fault(name, "equipment.index_or_dial")
	case s.Index != nil:
		f.between(name+".index", int64(*s.Index), 0, int64(mostIndex))
	default:
		f.text(name+".dial", s.Dial, longestDial)
	}
}

// amount returns the index in the base unit of the meter, which must be below
// its modulus.
func (s shownIndex) amount(name string, m Meter) (metering.Amount, error) {
	var shown metering.Amount
	if s.Index != nil {
		shown = *s.Index
	} else {
		d, err := ParseDial(s.Dial, m.Kind)
		if err != nil {
			return 0, problem.OfFields([]problem.Field{{Name: name + ".dial", Message: ErrDialMalformed.Message}})
		}
		shown = d.Index
	}
	if m.IndexModulus > 0 && shown >= m.IndexModulus {
		return 0, problem.OfFields([]problem.Field{{Name: name, Message: "equipment.over_modulus"}})
	}
	return shown, nil
}

// digit is what the last digit that was typed stands for, 0 for an exact index.
func (s shownIndex) digit(kind metering.Kind) metering.Amount {
	if s.Index != nil {
		return 0
	}
	d, err := ParseDial(s.Dial, kind)
	if err != nil {
		return 0 // amount says what is wrong with it
	}
	return d.Digit
}

type newBinding struct {
	Point metering.PointID `json:"point"`
	From  string           `json:"from"`
	First shownIndex       `json:"first"`
}

// Check implements resource.Checked.
func (b *newBinding) Check() []problem.Field {
	var f fields
	f.id("point", string(b.Point))
	f.text("from", b.From, 40)
	b.First.check(&f, "first")
	return f
}

type removal struct {
	At   string     `json:"at"`
	Last shownIndex `json:"last"`
}

// Check implements resource.Checked.
func (r *removal) Check() []problem.Field {
	var f fields
	f.text("at", r.At, 40)
	r.Last.check(&f, "last")
	return f
}

type replacement struct {
	At    string     `json:"at"`
	Last  shownIndex `json:"last"`
	First shownIndex `json:"first"`
	// ID and Serial are of the new meter.
	ID     metering.MeterID `json:"id"`
	Serial string           `json:"serial"`
	Pulse  *metering.Amount `json:"pulse"`
	Sure   bool             `json:"sure"`
}

// Check implements resource.Checked.
func (r *replacement) Check() []problem.Field {
	var f fields
	r.Serial = strings.TrimSpace(r.Serial)
	f.text("at", r.At, 40)
	r.Last.check(&f, "last")
	r.First.check(&f, "first")
	if r.ID != "" {
		f.id("id", string(r.ID))
	}
	f.text("serial", r.Serial, 64)
	if r.Serial == "" {
		f.fault("serial", "field.missing")
	}
	if r.Pulse != nil {
		f.between("pulse", int64(*r.Pulse), 0, mostPulse)
	}
	return f
}

func (r replacement) replacement(old Meter, version int64, now time.Time) (Replacement, error) {
	made := Replacement{Old: old.ID, Version: version, New: r.ID, Serial: r.Serial, Pulse: r.Pulse, Sure: r.Sure, Digit: r.Last.digit(old.Kind)}
	var err error
	if made.At, err = instantOf("at", r.At, now); err != nil {
		return Replacement{}, err
	}
	if made.Last, err = r.Last.amount("last", old); err != nil {
		return Replacement{}, err
	}
	made.First, err = r.First.amount("first", old)
	return made, err
}

// CheckSerial fails where text is no serial number: one that is there, of at most
// 64 characters.
func CheckSerial(text string) error {
	var f fields
	f.text("serial", text, 64)
	if strings.TrimSpace(text) == "" {
		f.fault("serial", "field.missing")
	}
	return problem.OfFields(f)
}
