package wire

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// decodeGeneral reads any SenML pack of the labels that [record] knows. It is
// the reference that the scanner is held against.
func decodeGeneral(payload []byte) (Pack, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(payload, &raw); err != nil {
		return Pack{}, fmt.Errorf("decode pack: %w: %w", ErrMalformed, err)
	}
	p, records, err := header(raw)
	if err != nil {
		return Pack{}, fmt.Errorf("decode pack: %w", err)
	}
	raw = raw[len(records):]
	if len(raw) > MaxPackReadings {
		return p, fmt.Errorf("decode pack %d of %d readings: %w", p.Seq, len(raw), ErrTooLarge)
	}
	readings, err := decodeReadings(records, raw)
	if err != nil {
		return p, fmt.Errorf("decode pack %d, record %w", p.Seq, err)
	}
	p.Readings = readings
	return p, nil
}

// header reads the first two records, spool and seq, and returns them too.
func header(raw []json.RawMessage) (Pack, [2]record, error) {
	var records [2]record
	if len(raw) < len(records) {
		return Pack{}, records, ErrNoHeader
	}
	for i := range records {
		if err := json.Unmarshal(raw[i], &records[i]); err != nil {
			return Pack{}, records, fmt.Errorf("%w: %w", ErrNoHeader, err)
		}
	}
	spool, seq := &records[0], &records[1]
	switch {
	case spool.baseName != "" || spool.name != "spool" || spool.text == nil || spool.number != nil,
		seq.baseName != "" || seq.name != "seq" || seq.number == nil || seq.text != nil,
		!metering.ValidID(SpoolID(*spool.text)):
		return Pack{}, records, ErrNoHeader
	}
	n, err := ParseDecimal(seq.number.String(), 0)
	if err != nil || n < 1 {
		return Pack{}, records, ErrNoHeader
	}
	return Pack{Spool: SpoolID(*spool.text), Seq: Seq(n)}, records, nil
}

// decodeReadings reads the records after the header, whose base labels they
// inherit. An error begins with the number of the record, from 1.
func decodeReadings(head [2]record, raw []json.RawMessage) ([]UnitReading, error) {
	var base record
	for i := range head {
		base.inherit(&head[i])
		if err := checkVersion(&base, &head[i]); err != nil {
			return nil, fmt.Errorf("%d: %w", i+1, err)
		}
	}
	var readings []UnitReading
	for i, text := range raw {
		r, err := decodeReading(&base, text)
		if err != nil {
			return nil, fmt.Errorf("%d: %w", len(head)+i+1, err)
		}
		readings = append(readings, r)
	}
	return readings, nil
}

func decodeReading(base *record, text json.RawMessage) (UnitReading, error) {
	var r record
	if string(text) == "null" { // which encoding/json does not show to UnmarshalJSON
		return UnitReading{}, fmt.Errorf("%w: null for a record", ErrMalformed)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return UnitReading{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if err := checkVersion(base, &r); err != nil {
		return UnitReading{}, err
	}
	base.inherit(&r)
	return r.reading(base)
}

// checkVersion refuses a version that is unknown or not that of the pack.
func checkVersion(base, r *record) error {
	switch {
	case r.baseVersion == "":
		return nil
	case r.baseVersion != "10" && r.baseVersion != "26":
		return fmt.Errorf("%w: version %s", ErrMalformed, r.baseVersion)
	case r.baseVersion != base.baseVersion:
		return fmt.Errorf("%w: versions %s and %s", ErrMalformed, base.baseVersion, r.baseVersion)
	}
	return nil
}

func (r *record) reading(base *record) (UnitReading, error) {
	meter, quantity, ok := strings.Cut(base.baseName+r.name, "/")
	if !ok || r.number == nil || r.text != nil {
		return UnitReading{}, fmt.Errorf("%w: %q", ErrName, base.baseName+r.name)
	}
	at, err := instant(base.baseTime, r.time)
	if err != nil {
		return UnitReading{}, fmt.Errorf("time of %s: %w", meter, err)
	}
	symbol := r.unit
	if symbol == "" {
		symbol = base.baseUnit
	}
	return newReading(meter, quantity, symbol, at, r.number.String())
}

// Bounds of an instant. 2^28 seconds is the least time that RFC 8428 reads as
// absolute; a gateway always says when it read, so relative times are refused.
// Past the end of the year 9999 instants have no common text.
const (
	minAbsoluteMs = (1 << 28) * 1000
	maxMs         = 253402300799999
)

// instant adds a base time and a record's own, either of which may be absent.
func instant(base, own json.Number) (time.Time, error) {
	var ms int64
	for _, part := range []json.Number{base, own} {
		if part == "" {
			continue
		}
		n, err := ParseDecimal(part.String(), 3)
		if err != nil {
			return time.Time{}, err
		}
		if n > maxMs || n < -maxMs { // the sum of two must not overflow
			return time.Time{}, fmt.Errorf("%w: %s s", ErrRange, part)
		}
		ms += n
	}
	if !plausibleMs(ms) {
		return time.Time{}, fmt.Errorf("%w: %d ms since 1970", ErrRange, ms)
	}
	return time.UnixMilli(ms).UTC(), nil
}

func plausibleMs(ms int64) bool { return ms >= minAbsoluteMs && ms <= maxMs }
