package influx

import (
	"fmt"
	"strings"
	"time"
)

// flux writes the query in Flux: one from(), whose bucket has the name given.
// Join, union and the functions that know zones are left alone. Columns that
// nobody reads are dropped, which halves the answer.
func (q pointQuery) flux(bucket string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "from(bucket: %s) |> %s", fluxString(bucket), fluxRange(q.from, q.to))
	fmt.Fprintf(&b, " |> filter(fn: (r) => r._measurement == %s and (", fluxString(q.measurement))
	fluxAny(&b, "_field", q.fields)
	b.WriteString(") and (")
	fluxAny(&b, "meter", q.meters)
	b.WriteString("))")
	if q.pick != every {
		fmt.Fprintf(&b, " |> %s()", q.pick)
	}
	b.WriteString(` |> keep(columns: ["_time", "_value", "_field", "meter"])`)
	return b.String()
}

// fluxAny writes that the column is one of names.
func fluxAny[T ~string](b *strings.Builder, column string, names []T) {
	for i, name := range names {
		if i > 0 {
			b.WriteString(" or ")
		}
		fmt.Fprintf(b, "r.%s == %s", column, fluxString(string(name)))
	}
}

// fluxRange writes the range [from, to). The stop of InfluxDB 1.8 is inclusive
// and that of 2.7 is not; a stop one nanosecond earlier means the same to both,
// since points have whole milliseconds.
func fluxRange(from, to time.Time) string {
	return fmt.Sprintf("range(start: %s, stop: %s)",
		from.UTC().Format(time.RFC3339Nano), to.Add(-time.Nanosecond).UTC().Format(time.RFC3339Nano))
}

// fluxString writes text as a Flux string literal. Whatever is not known to be
// harmless is written as the hexadecimal of its bytes, so that no quote,
// backslash or interpolation can end the literal.
func fluxString(text string) string {
	b := make([]byte, 0, len(text)+2)
	b = append(b, '"')
	for i := range len(text) {
		if c := text[i]; harmless(c) {
			b = append(b, c)
		} else {
			b = fmt.Appendf(b, `\x%02x`, c)
		}
	}
	return string(append(b, '"'))
}

func harmless(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '.' || c == '_' || c == '-' || c == '/'
}
