package docs_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// The architecture page names the topics that there are, no other, and how long
// InfluxDB keeps what.
func TestArchitectureIsTheProducts(t *testing.T) {
	page := read(t, "architecture.md")
	channels := []wire.Channel{wire.ReadingsChannel, wire.StoredChannel, wire.MetersChannel, wire.StateChannel, wire.ConfigChannel}
	named := regexp.MustCompile("(?m)^\\| `\\{gateway\\}/([a-z]+)`").FindAllStringSubmatch(page, -1)
	for _, m := range named {
		if !slices.Contains(channels, wire.Channel(m[1])) {
			t.Errorf("the page names the topic %s, which there is not", m[1])
		}
	}
	if len(named) != len(channels) {
		t.Errorf("the page names %d topics of a gateway, want %d", len(named), len(channels))
	}
	keep := influx.DefaultConfig().Keep
	for rows, days := range map[string]int{"InfluxDB `readings`": keep.Readings, "InfluxDB `hourly`": keep.Hourly, "InfluxDB `daily`, `monthly`": keep.Daily} {
		line := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(rows) + ` \|.*$`).FindString(page)
		if want := fmt.Sprintf("| %d months |", days*12/365); !strings.HasSuffix(line, want) {
			t.Errorf("%s: %q, want %q", rows, line, want)
		}
	}
}
