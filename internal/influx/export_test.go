package influx

import (
	"errors"
	"io"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// For the tests of package influx_test.
var (
	FluxString = fluxString
	FluxRange  = fluxRange
)

// Millis reads an instant as the decoder does.
func Millis(text string) (int64, bool) { return new(dayCache).millis([]byte(text)) }

// Decode reads a whole answer.
func Decode(text string) ([]metering.Reading, error) {
	d := newDecoder(strings.NewReader(text))
	var rs []metering.Reading
	for {
		r, err := d.next()
		if errors.Is(err, io.EOF) {
			return rs, nil
		}
		if err != nil {
			return nil, err
		}
		rs = append(rs, metering.Reading{Meter: r.meter, Quantity: metering.Quantity(r.field),
			At: time.UnixMilli(r.ms).UTC(), Amount: metering.Amount(r.n)})
	}
}
