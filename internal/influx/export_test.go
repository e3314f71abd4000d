package influx

import (
	"strings"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// For the tests of package influx_test.
var (
	FluxString     = fluxString
	FluxRange      = fluxRange
	InfluxqlString = influxqlString
	InfluxqlName   = influxqlName
	InfluxqlMeters = influxqlMeters
	Nanoseconds    = nanoseconds
)

// Millis reads an instant as the decoder does.
func Millis(text string) (int64, bool) { return new(dayCache).millis([]byte(text)) }

// Decode reads a whole answer to a Flux query.
func Decode(text string) ([]metering.Reading, error) {
	return all(&fluxRuns{in: newDecoder(strings.NewReader(text))})
}

// DecodeInfluxQL reads a whole answer to an InfluxQL query.
func DecodeInfluxQL(text string) ([]metering.Reading, error) {
	return all(newInfluxqlRuns(strings.NewReader(text)))
}

func all(s source) (rs []metering.Reading, err error) {
	if err := drain(s, func(r *run) { rs = r.appendReadings(rs) }); err != nil {
		return nil, err
	}
	return rs, nil
}

// ReadMeters reads the answer to the question for all meters in Flux.
func ReadMeters(text string) ([]metering.MeterID, error) { return readMeters(strings.NewReader(text)) }
