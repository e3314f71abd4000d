package tenant

import (
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// Only where every slot is estimated is the whole figure called so.
func TestPartly(t *testing.T) {
	teller := frenchTeller(t)
	measured, estimated := slot{known: true}, slot{known: true, estimated: true}
	open, missing := slot{known: true, open: true}, slot{}
	mark := teller.mark(metering.Estimated)
	for _, tt := range []struct {
		name  string
		mark  string
		slots []slot
		want  string
	}{
		{"one of ten months", mark, []slot{measured, estimated, measured, open}, "en partie estimé"},
		{"all", mark, []slot{estimated, estimated, missing}, "estimé"},
		{"all that is over", mark, []slot{estimated, open}, "estimé"},
		{"no slots", mark, nil, "estimé"},
		{"a measured figure", "", []slot{measured, estimated}, ""},
	} {
		if got := teller.partly(tt.mark, tt.slots); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// A figure of today alone does not begin on a date: it runs.
func TestWhen(t *testing.T) {
	teller := frenchTeller(t) // on 18 March
	at := func(d, hour int) metering.Boundary {
		return metering.Boundary{At: time.Date(2026, 3, d, hour, 0, 0, 0, time.UTC)}
	}
	for _, tt := range []struct {
		from, to metering.Boundary
		want     string
	}{
		{at(18, 0), at(18, 9), "aujourd’hui, jusqu’à maintenant"},
		{at(16, 0), at(18, 9), "depuis le 16 mars"},
		{at(17, 0), at(18, 0), "le 17 mars"},
		{at(9, 0), at(16, 0), "du 9 mars au 15 mars"},
	} {
		if got := plain(teller.when(metering.Explanation{Parts: []metering.Part{{From: tt.from, To: tt.to}}})); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
