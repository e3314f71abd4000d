package programme

import (
	"bytes"
	"encoding/json"

	"github.com/xnetroseraie/xnet/api/problem"
)

// A sentRecord is a record as it is sent: id and version are not the sender's to give.
// What is wrong with its fields is told when it is written down.
type sentRecord[T any, P Noun[T]] struct{ record T }

// UnmarshalJSON reads a record strictly.
func (d *sentRecord[T, P]) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(&d.record) // as it is: the fault names its field
}

// Check implements [resource.Checked].
func (d *sentRecord[T, P]) Check() []problem.Field {
	r := P(&d.record).record()
	if r.ID != "" || r.Version != 0 {
		return []problem.Field{{Name: "id", Message: "field.unknown"}}
	}
	return nil
}
