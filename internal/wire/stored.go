package wire

import (
	"encoding/json"
	"fmt"
)

// Stored is the collector's answer for packs of one spool. The gateway may
// delete what is named in it, and ignores an answer for another spool's id.
type Stored struct {
	Spool SpoolID `json:"spool"`
	// Stored packs are durable in InfluxDB.
	Stored []Seq `json:"stored"`
	// Refused packs are durable in the quarantine.
	Refused []Refusal `json:"refused,omitempty"`
}

// A Refusal names a pack that the collector could not use, and why, for people.
type Refusal struct {
	Seq    Seq    `json:"seq"`
	Reason string `json:"reason"`
}

// Encode returns the payload. Its list of stored packs is never null.
func (s Stored) Encode() ([]byte, error) {
	if s.Stored == nil {
		s.Stored = []Seq{}
	}
	return encode("stored", s)
}

// DecodeStored reads a payload of the stored topic.
func DecodeStored(payload []byte) (Stored, error) { return decode[Stored]("stored", payload) }

func encode(what string, message any) ([]byte, error) {
	payload, err := json.Marshal(message)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", what, err)
	}
	return payload, nil
}

func decode[T any](what string, payload []byte) (T, error) {
	var message T
	if err := json.Unmarshal(payload, &message); err != nil {
		return *new(T), fmt.Errorf("decode %s: %w", what, err)
	}
	return message, nil
}
