package metering

import "fmt"

// Quality says how well a boundary index or a consumption is known. Greater is
// worse, and the stored figures are these integers.
type Quality int8

// The qualities.
const (
	Measured  Quality = 0 // read within 1.5 poll intervals on both sides
	Estimated Quality = 1 // interpolated over a gap; totals across it stay exact
	Missing   Quality = 2 // not known: no figure is shown
)

var qualityNames = [...]string{"measured", "estimated", "missing"}

// String returns the quality's name, as in "measured".
func (q Quality) String() string {
	if q < 0 || int(q) >= len(qualityNames) {
		return fmt.Sprintf("quality(%d)", int(q))
	}
	return qualityNames[q]
}

// MarshalText writes the quality's name.
func (q Quality) MarshalText() ([]byte, error) { return []byte(q.String()), nil }

// UnmarshalText reads the quality's name.
func (q *Quality) UnmarshalText(text []byte) error {
	for i, name := range qualityNames {
		if name == string(text) {
			*q = Quality(i)
			return nil
		}
	}
	return fmt.Errorf("unknown quality %q, known are %v", text, qualityNames)
}

// Worse returns the worse of two qualities, which is that of a figure made from
// both.
func (q Quality) Worse(other Quality) Quality { return max(q, other) }
