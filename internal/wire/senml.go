package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// A record is one SenML record as encoding/json reads it. Numbers stay text.
type record struct {
	BaseName    string       `json:"bn"`
	BaseTime    json.Number  `json:"bt"`
	BaseUnit    string       `json:"bu"`
	BaseVersion json.Number  `json:"bver"`
	Name        string       `json:"n"`
	Unit        string       `json:"u"`
	Time        json.Number  `json:"t"`
	Number      *json.Number `json:"v"`
	Text        *string      `json:"vs"`
}

// known lists the labels that a record may bear. RFC 8428 lets a receiver
// ignore others, but those that change the meaning of a number (bv, bs) or that
// must be understood (ending in "_") are refused here with all the rest: the
// senders are ours.
var known = map[string]bool{
	"bn": true, "bt": true, "bu": true, "bver": true,
	"n": true, "u": true, "t": true, "v": true, "vs": true,
}

// decodeGeneral reads any SenML pack of the labels above. It is the reference
// that the scanner is held against.
func decodeGeneral(payload []byte) (Pack, error) {
	records, err := decodeRecords(payload)
	if err != nil {
		return Pack{}, fmt.Errorf("decode pack: %w: %w", ErrMalformed, err)
	}
	p, err := header(records)
	if err != nil {
		return Pack{}, fmt.Errorf("decode pack: %w", err)
	}
	if len(records)-2 > MaxPackReadings {
		return p, fmt.Errorf("decode pack %d of %d readings: %w", p.Seq, len(records)-2, ErrTooLarge)
	}
	base := record{}
	for i := range records {
		base.inherit(&records[i])
		if i < 2 {
			continue
		}
		r, err := records[i].reading(base)
		if err != nil {
			p.Readings = nil
			return p, fmt.Errorf("decode pack %d, record %d: %w", p.Seq, i+1, err)
		}
		p.Readings = append(p.Readings, r)
	}
	return p, nil
}

// decodeRecords reads the array strictly: exact labels, each at most once.
func decodeRecords(payload []byte) ([]record, error) {
	if err := checkLabels(payload); err != nil {
		return nil, err
	}
	var records []record
	d := json.NewDecoder(bytes.NewReader(payload))
	if err := d.Decode(&records); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("text after the pack")
	}
	return records, nil
}

// checkLabels walks the tokens, because encoding/json takes "N" for "n" and the
// last of two equal labels, and a pack must have one meaning only.
func checkLabels(payload []byte) error {
	var raw []map[string]json.RawMessage
	if err := json.Unmarshal(payload, &raw); err != nil {
		return err
	}
	labels := 0
	for _, r := range raw {
		labels += len(r)
		for label := range r {
			if !known[label] {
				return fmt.Errorf("label %q is not used here", label)
			}
		}
	}
	return checkCount(payload, labels)
}

// checkCount fails where the payload has more labels than distinct ones.
func checkCount(payload []byte, distinct int) error {
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	total, isLabel := 0, false
	for {
		token, err := d.Token()
		if err != nil {
			break // the end: the payload was valid before
		}
		switch token {
		case json.Delim('{'):
			isLabel = true
			continue
		case json.Delim('['), json.Delim('}'), json.Delim(']'):
			isLabel = false
			continue
		}
		if isLabel {
			total++
		}
		isLabel = !isLabel
	}
	if total != distinct {
		return fmt.Errorf("a record bears a label twice")
	}
	return nil
}

// header reads the first two records: spool and seq.
func header(records []record) (Pack, error) {
	if len(records) < 2 {
		return Pack{}, ErrNoHeader
	}
	spool, seq := &records[0], &records[1]
	if spool.BaseName+spool.Name != "spool" || spool.Text == nil || !metering.ValidID(SpoolID(*spool.Text)) {
		return Pack{}, ErrNoHeader
	}
	if seq.Name != "seq" || spool.BaseName != "" || seq.BaseName != "" || seq.Number == nil {
		return Pack{}, ErrNoHeader
	}
	n, err := parseDecimal(seq.Number.String(), 0)
	if err != nil || n < 1 {
		return Pack{}, ErrNoHeader
	}
	if v := spool.BaseVersion.String(); v != "" && v != "10" && v != "26" {
		return Pack{}, fmt.Errorf("%w: version %s", ErrMalformed, v)
	}
	return Pack{Spool: SpoolID(*spool.Text), Seq: Seq(n)}, nil
}

// inherit takes over the base labels that r sets for itself and those after it.
func (b *record) inherit(r *record) {
	if r.BaseName != "" {
		b.BaseName = r.BaseName
	}
	if r.BaseTime != "" {
		b.BaseTime = r.BaseTime
	}
	if r.BaseUnit != "" {
		b.BaseUnit = r.BaseUnit
	}
}

func (r *record) reading(base record) (UnitReading, error) {
	meter, quantity, ok := strings.Cut(base.BaseName+r.Name, "/")
	if !ok || r.Number == nil || r.Text != nil {
		return UnitReading{}, fmt.Errorf("%w: %q", ErrName, base.BaseName+r.Name)
	}
	at, err := instant(base.BaseTime, r.Time)
	if err != nil {
		return UnitReading{}, fmt.Errorf("time of %s: %w", meter, err)
	}
	symbol := r.Unit
	if symbol == "" {
		symbol = base.BaseUnit
	}
	return newReading(meter, quantity, symbol, at, r.Number.String())
}

// minAbsolute is the least time that RFC 8428 reads as absolute: 2^28 seconds.
// A gateway always says when it read, so relative times are refused.
const minAbsoluteMs = (1 << 28) * 1000

func instant(base, own json.Number) (time.Time, error) {
	var ms int64
	for _, part := range []json.Number{base, own} {
		if part == "" {
			continue
		}
		n, err := parseDecimal(part.String(), 3)
		if err != nil {
			return time.Time{}, err
		}
		ms += n
	}
	return absolute(ms)
}

func absolute(ms int64) (time.Time, error) {
	if ms < minAbsoluteMs || ms > maxMs {
		return time.Time{}, fmt.Errorf("%w: %d ms since 1970", ErrRange, ms)
	}
	return time.UnixMilli(ms).UTC(), nil
}

// maxMs is the end of the year 9999, past which instants have no common text.
const maxMs = 253402300799999
