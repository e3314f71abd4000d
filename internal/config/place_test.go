package config_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/internal/config"
)

const placedText = `queue: 5
buses:
  - name: a
    meters: [{id: M1}, {id: M2}]
  - meters:
      - {id: M3}
broker: {url: x}
`

func TestPlace(t *testing.T) {
	fault := errors.New("wrong")
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"a key", config.At("queue", "", fault), "line 1, column 8: wrong"},
		{"with its name", config.At("queue", "queue", fault), "line 1, column 8: queue: wrong"},
		{"in a list", config.At("buses[0].meters[1].id", "", fault), "line 4, column 29: wrong"},
		{"parts of parts", config.At("buses[0]", "bus a", config.At("meters[1]", "meter M2", config.At("id", "", fault))),
			"line 4, column 29: bus a: meter M2: wrong"},
		{"several in a part", config.At("buses[1]", "bus b", errors.Join(config.At("meters[0].id", "", fault), fault)),
			"line 6, column 14: bus b: wrong\nline 5, column 5: bus b: wrong"},
		{"a mapping in lines", config.At("buses[0]", "", fault), "line 3, column 5: wrong"},
		{"a mapping in braces", config.At("broker", "", fault), "line 7, column 9: wrong"},
		{"a list in lines", config.At("buses", "", fault), "line 3, column 5: wrong"},
		{"a list in brackets", config.At("buses[0].meters", "", fault), "line 4, column 13: wrong"},
		{"a key that is not there", config.At("broker.password", "", fault), "line 7, column 9: wrong"},
		{"a part that is not there", config.At("buses[7].name", "", fault), "line 3, column 5: wrong"},
		{"nowhere", config.At("clock.trust", "", fault), "wrong"},
		{"without a place", fault, "wrong"},
		{"words around several errors", fmt.Errorf("both %w and %w", fault, fault), "both wrong and wrong"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := config.Place(tt.err, []byte(placedText))
			if diff := cmp.Diff(tt.want, got.Error()); diff != "" {
				t.Errorf("fault (-want +got):\n%s", diff)
			}
			if !errors.Is(got, fault) || !errors.Is(tt.err, fault) {
				t.Error("the fault itself is lost")
			}
		})
	}
}

func TestPlaceOfNothing(t *testing.T) {
	if err := config.At("queue", "queue", nil); err != nil {
		t.Errorf("At without a fault is %v", err)
	}
	if err := config.Place(nil, []byte(placedText)); err != nil {
		t.Errorf("Place without a fault is %v", err)
	}
	several := config.At("a", "part", errors.Join(errors.New("one"), config.At("b", "", errors.New("two"))))
	for _, text := range []string{"", "a: [", "# nothing"} {
		if got := config.Place(several, []byte(text)).Error(); got != "part: one\npart: two" {
			t.Errorf("faults of %q read %q", text, got)
		}
	}
	if got := several.Error(); got != "part: one\npart: two" {
		t.Errorf("faults without their text read %q", got)
	}
}
