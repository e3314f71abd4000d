package rollup_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// TestOrderOfArrivalDoesNotMatter feeds the same readings, with gaps and over a
// rollover, in batches that arrive in any order, and wants the periods that all
// at once give.
func TestOrderOfArrivalDoesNotMatter(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 1))
			all := history(random)
			want, got := newBench(t, meter(metering.Fine)), newBench(t, meter(metering.Fine))
			want.feed(all...)
			batches := slices.Collect(slices.Chunk(all, 10+random.IntN(60)))
			random.Shuffle(len(batches), func(i, j int) { batches[i], batches[j] = batches[j], batches[i] })
			for _, batch := range batches {
				got.feed(batch...)
			}
			for _, p := range influx.Periods {
				if diff := cmp.Diff(want.stored(p), got.stored(p)); diff != "" {
					t.Errorf("%s (-all at once +in batches):\n%s", p, diff)
				}
			}
			checkTelescopes(t, got.stored(influx.Hourly))
			checkTotal(t, all, got.stored(influx.Hourly))
		})
	}
}

// history is three days of readings, some of them missing, some for long.
func history(random *rand.Rand) []metering.Reading {
	var rs []metering.Reading
	index := metering.Amount(995_000)
	for after := time.Duration(0); after < 72*time.Hour; after += 10 * minute {
		index += metering.Amount(random.IntN(60))
		rs = append(rs, reading(after+time.Duration(random.IntN(20_000))*time.Millisecond, index%1_000_000))
		switch random.IntN(40) {
		case 0:
			after += time.Duration(random.IntN(9)) * time.Hour
		case 1:
			after += 20 * minute
		}
	}
	return rs
}

// checkTotal holds that the hours sum to the difference of the indexes that they
// span, whatever is missing between.
func checkTotal(t *testing.T, all []metering.Reading, hours []influx.Consumption) {
	t.Helper()
	sum := metering.Amount(0)
	for _, h := range hours {
		sum += h.Used
	}
	if first := all[0].Amount; hours[len(hours)-1].Index != first+sum {
		t.Errorf("hours sum to %d from %d and end at %d", sum, first, hours[len(hours)-1].Index)
	}
}
