package wire

import (
	"bytes"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// scanPack reads packs in the very form that [AppendPack] writes, in one pass
// and without reflection. It reports false for anything else, which
// [decodeGeneral] then reads or refuses; a fuzz test holds the two equal.
func scanPack(payload []byte) (Pack, bool) {
	s := scanner{text: payload, ok: true}
	s.literal(`[{"bver":26,"n":"spool","vs":"`)
	spool := s.until('"')
	s.literal(`},{"n":"seq","v":`)
	seq := s.number(0)
	s.literal(`}`)
	if !s.ok || seq < 1 || !metering.ValidID(SpoolID(spool)) {
		return Pack{}, false
	}
	p := Pack{Spool: SpoolID(spool), Seq: Seq(seq)}
	// A record is hardly shorter than this: one allocation serves them all.
	p.Readings = make([]UnitReading, 0, len(s.rest())/56)
	for s.ok && string(s.rest()) != `]` {
		p.Readings = append(p.Readings, s.reading())
	}
	if len(p.Readings) == 0 {
		p.Readings = nil
	}
	return p, s.ok && len(p.Readings) <= MaxPackReadings
}

// A scanner steps over what it expects at its place in text; ok turns false at
// the first surprise and stays so. The place is a number, not a shrinking slice:
// the garbage collector watches every slice that is stored.
type scanner struct {
	text []byte
	at   int
	ok   bool
	last metering.MeterID
}

func (s *scanner) rest() []byte { return s.text[s.at:] }

func (s *scanner) reading() UnitReading {
	s.literal(`,{"n":"`)
	meter := s.meter(s.until('/'))
	quantity := s.quantity(s.until('"'))
	unit, decimals := s.unit(quantity)
	s.literal(`,"t":`)
	ms := s.number(3)
	s.literal(`,"v":`)
	amount := s.number(decimals)
	s.literal(`}`)
	if !s.ok || !plausibleMs(ms) {
		s.ok = false
		return UnitReading{}
	}
	r := metering.Reading{Meter: meter, Quantity: quantity,
		At: time.UnixMilli(ms).UTC(), Amount: metering.Amount(amount)}
	return UnitReading{Reading: r, Unit: unit}
}

// meter returns the id, in the memory of the one before where they are equal: a
// meter's quantities stand side by side.
func (s *scanner) meter(id []byte) metering.MeterID {
	if string(id) != string(s.last) || len(id) == 0 { // at first none is the last
		s.ok = s.ok && validMeter(id)
		s.last = metering.MeterID(id)
	}
	return s.last
}

// quantity returns the known quantity of that name, in no memory of its own.
func (s *scanner) quantity(name []byte) metering.Quantity {
	for _, q := range metering.Quantities {
		if string(name) == string(q) {
			return q
		}
	}
	s.ok = false
	return ""
}

// unit reads the unit of a record, which is absent for a bare number.
func (s *scanner) unit(q metering.Quantity) (metering.Unit, int) {
	const label = `,"u":"`
	var symbol []byte
	if bytes.HasPrefix(s.rest(), []byte(label)) {
		s.at += len(label)
		symbol = s.until('"')
	}
	unit, decimals, ok := unitOf(q, symbol)
	s.ok = s.ok && ok
	return unit, decimals
}

func (s *scanner) literal(want string) {
	rest := s.rest()
	if len(rest) < len(want) || string(rest[:len(want)]) != want {
		s.ok = false
		return
	}
	s.at += len(want)
}

// until steps over end and returns what stands before it.
func (s *scanner) until(end byte) []byte {
	rest := s.rest()
	i := bytes.IndexByte(rest, end)
	if i < 0 {
		s.ok = false
		return nil
	}
	s.at += i + 1
	return rest[:i]
}

// number reads a JSON number with exactly the given count of decimals, of at
// most 18 digits in all, which fit an int64.
func (s *scanner) number(decimals int) int64 {
	text, sign := s.rest(), int64(1)
	if len(text) > 0 && text[0] == '-' {
		text, sign = text[1:], -1
		s.at++
	}
	whole, n := digits(text, 0)
	end := whole
	if decimals > 0 && end < len(text) && text[end] == '.' {
		var fraction int
		fraction, n = digits(text[end+1:], n)
		end += 1 + fraction
	}
	want := whole
	if decimals > 0 {
		want += 1 + decimals
	}
	padded := whole > 1 && text[0] == '0' // 007 is not JSON
	if whole == 0 || padded || end != want || whole+decimals > 18 {
		s.ok = false
		return 0
	}
	s.at += end
	return sign * n
}

// digits appends the digits that text begins with to n and counts them. More
// than 18 overflow, which the caller refuses.
func digits(text []byte, n int64) (int, int64) {
	for i, c := range text {
		if c < '0' || c > '9' {
			return i, n
		}
		n = n*10 + int64(c-'0')
	}
	return len(text), n
}

func validMeter[T ~string | ~[]byte](id T) bool {
	if len(id) == 0 || len(id) > 64 || string(id) == "." || string(id) == ".." {
		return false
	}
	for i := range len(id) {
		c := id[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
