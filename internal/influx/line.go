package influx

import (
	"strconv"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// Measurements.
const (
	readingMeasurement     = "reading"
	consumptionMeasurement = "consumption"
)

// appendLineStart appends measurement and tag. Meter ids need no escaping: see
// [metering.ValidID].
func appendLineStart(dst []byte, measurement string, m metering.MeterID) []byte {
	dst = append(dst, measurement...)
	dst = append(dst, ",meter="...)
	dst = append(dst, m...)
	return append(dst, ' ')
}

func appendField(dst []byte, name string, n int64) []byte {
	dst = append(dst, name...)
	dst = append(dst, '=')
	dst = strconv.AppendInt(dst, n, 10)
	return append(dst, 'i')
}

func appendLineEnd(dst []byte, ms int64) []byte {
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, ms, 10)
	return append(dst, '\n')
}

// appendReadings appends rs in line protocol. Neighbours of one meter and
// instant share a line where their quantities ascend, which makes sure that no
// field stands twice in it.
func appendReadings(dst []byte, rs []metering.Reading) []byte {
	for i := range rs {
		r := &rs[i]
		if i > 0 && joins(&rs[i-1], r) {
			dst = append(dst, ',')
		} else {
			dst = appendLineStart(dst, readingMeasurement, r.Meter)
		}
		dst = appendField(dst, string(r.Quantity), int64(r.Amount))
		if i+1 == len(rs) || !joins(r, &rs[i+1]) {
			dst = appendLineEnd(dst, r.At.UnixMilli())
		}
	}
	return dst
}

func joins(a, b *metering.Reading) bool {
	return a.At.Equal(b.At) && a.Meter == b.Meter && a.Quantity < b.Quantity
}

func appendConsumption(dst []byte, c *Consumption) []byte {
	dst = appendLineStart(dst, consumptionMeasurement, c.Meter)
	dst = append(appendField(dst, fieldIndex, int64(c.Index)), ',')
	dst = append(appendField(dst, fieldUsed, int64(c.Used)), ',')
	dst = appendField(dst, fieldQuality, int64(c.Quality))
	return appendLineEnd(dst, c.Start.UnixMilli())
}
