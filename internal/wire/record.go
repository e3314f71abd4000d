package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// A record is one SenML record. Numbers stay text.
type record struct {
	baseName, baseUnit string
	baseTime           json.Number
	baseVersion        json.Number
	name, unit         string
	time               json.Number
	number             *json.Number
	text               *string
}

// UnmarshalJSON reads a record strictly: exact labels, each at most once, a
// string or a number as RFC 8428 has it. encoding/json by itself takes "N" for
// "n", the last of two equal labels, null for anything and "12" for 12; a pack
// must have one meaning only.
func (r *record) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return fmt.Errorf("record is not an object: %.40s", text)
	}
	seen := make(map[string]bool, 4)
	for d.More() {
		label, err := d.Token()
		if err != nil {
			return err
		}
		content, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := label.(string) // an object has no other labels
		if seen[name] {
			return fmt.Errorf("a record bears label %q twice", name)
		}
		seen[name] = true
		if err := r.set(name, content); err != nil {
			return err
		}
	}
	return nil
}

// set takes over one label. RFC 8428 lets a receiver ignore labels it does not
// know; those that change the meaning of a number (bv, bs) or that must be
// understood (ending in "_") are refused here with all the rest: the senders
// are ours.
func (r *record) set(label string, content json.Token) error {
	if text, ok := content.(string); ok {
		switch label {
		case "bn":
			r.baseName = text
			return nil
		case "bu":
			r.baseUnit = text
			return nil
		case "n":
			r.name = text
			return nil
		case "u":
			r.unit = text
			return nil
		case "vs":
			r.text = &text
			return nil
		}
	}
	if number, ok := content.(json.Number); ok {
		switch label {
		case "bt":
			r.baseTime = number
			return nil
		case "bver":
			r.baseVersion = number
			return nil
		case "t":
			r.time = number
			return nil
		case "v":
			r.number = &number
			return nil
		}
	}
	return fmt.Errorf("label %q of %T is not used here", label, content)
}

// inherit takes over the base labels that r sets for itself and those after it.
func (r *record) inherit(from *record) {
	if from.baseName != "" {
		r.baseName = from.baseName
	}
	if from.baseTime != "" {
		r.baseTime = from.baseTime
	}
	if from.baseUnit != "" {
		r.baseUnit = from.baseUnit
	}
	if from.baseVersion != "" {
		r.baseVersion = from.baseVersion
	}
}
