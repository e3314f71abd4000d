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
	s := scanner{rest: payload, ok: true}
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
	p.Readings = make([]UnitReading, 0, len(s.rest)/56)
	for s.ok && !bytes.Equal(s.rest, []byte(`]`)) {
		p.Readings = append(p.Readings, s.reading())
	}
	if len(p.Readings) == 0 {
		p.Readings = nil
	}
	return p, s.ok && len(p.Readings) <= MaxPackReadings
}

// A scanner cuts what it expects off the front of rest; ok turns false at the
// first surprise and stays so.
type scanner struct {
	rest []byte
	ok   bool
}

func (s *scanner) reading() UnitReading {
	s.literal(`,{"n":"`)
	meter := s.until('/')
	quantity, symbol := metering.Quantity(s.until('"')), ""
	if bytes.HasPrefix(s.rest, []byte(`,"u":"`)) {
		s.literal(`,"u":"`)
		symbol = string(s.until('"'))
	}
	unit, decimals := s.unit(quantity, symbol)
	s.literal(`,"t":`)
	ms := s.number(3)
	s.literal(`,"v":`)
	amount := s.number(decimals)
	s.literal(`}`)
	if !s.ok || !validMeter(meter) || ms < minAbsoluteMs || ms > maxMs {
		s.ok = false
		return UnitReading{}
	}
	r := metering.Reading{Meter: metering.MeterID(meter), Quantity: quantity,
		At: time.UnixMilli(ms).UTC(), Amount: metering.Amount(amount)}
	return UnitReading{Reading: r, Unit: unit}
}

func (s *scanner) unit(q metering.Quantity, symbol string) (metering.Unit, int) {
	q, err := metering.ParseQuantity(string(q))
	if err != nil {
		s.ok = false
		return "", 0
	}
	unit, decimals, err := unitOf(q, symbol)
	s.ok = s.ok && err == nil
	return unit, decimals
}

func (s *scanner) literal(want string) {
	if len(s.rest) < len(want) || string(s.rest[:len(want)]) != want {
		s.ok = false
		return
	}
	s.rest = s.rest[len(want):]
}

// until cuts off what stands before the next end, and end itself.
func (s *scanner) until(end byte) []byte {
	i := bytes.IndexByte(s.rest, end)
	if i < 0 {
		s.ok = false
		return nil
	}
	text := s.rest[:i]
	s.rest = s.rest[i+1:]
	return text
}

// number reads digits with exactly the given count of decimals, at most 18
// digits in all, which fit an int64.
func (s *scanner) number(decimals int) int64 {
	negative := len(s.rest) > 0 && s.rest[0] == '-'
	i, n, point, first := 0, int64(0), -1, 0
	if negative {
		i, first = 1, 1
	}
	for ; i < len(s.rest) && i < 20; i++ {
		c := s.rest[i]
		switch {
		case c >= '0' && c <= '9':
			n = n*10 + int64(c-'0')
			continue
		case c == '.' && point < 0 && i > first:
			point = i
			continue
		}
		break
	}
	s.ok = s.ok && plainNumber(s.rest[first:i], point-first, decimals)
	if !s.ok {
		return 0
	}
	s.rest = s.rest[i:]
	if negative {
		return -n
	}
	return n
}

// plainNumber reports whether text is a JSON number of at most 18 digits with
// its point where decimals want it: at index point, negative for none.
func plainNumber(text []byte, point, decimals int) bool {
	switch {
	case len(text) == 0 || len(text) > 18:
		return false
	case text[0] == '0' && len(text) > 1 && text[1] != '.': // 007 is not JSON
		return false
	case decimals == 0:
		return point < 0
	default:
		return point > 0 && len(text)-point-1 == decimals
	}
}

func validMeter(id []byte) bool {
	if len(id) == 0 || len(id) > 64 || string(id) == "." || string(id) == ".." {
		return false
	}
	for _, c := range id {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
