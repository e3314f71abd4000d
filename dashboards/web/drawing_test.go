package web_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// drawn are the words and the classes of what a chart's bars draw.
func drawn(t *testing.T, bars ...web.Bar) (titles, classes, labels []string) {
	t.Helper()
	number := func(metering.Amount) string { return "" }
	chart := web.NewChart("chart-heat", "heat", "", "", bars, web.Scale{Number: number})
	in := xml.NewDecoder(strings.NewReader("<svg>" + string(chart.Drawing()) + "</svg>"))
	var inside string
	for {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			return titles, classes, labels
		}
		if err != nil {
			t.Fatalf("%v in %s", err, chart.Drawing())
		}
		switch token := token.(type) {
		case xml.StartElement:
			inside = token.Name.Local
			for _, a := range token.Attr {
				if a.Name.Local == "class" {
					classes = append(classes, a.Value)
				}
			}
		case xml.EndElement:
			inside = ""
		case xml.CharData:
			switch inside {
			case "title":
				titles = append(titles, string(token))
			case "text":
				labels = append(labels, string(token))
			}
		}
	}
}

func TestDrawing(t *testing.T) {
	for _, tt := range []struct {
		name                  string
		bar                   web.Bar
		title, classes, label string
	}{
		{"measured", web.Bar{Label: "3", Name: "lundi 3 mars", Written: "98 litres", Used: 98, Known: true},
			"lundi 3 mars : 98 litres", "bar day", "3"},
		{"estimated, beside a year ago",
			web.Bar{Label: "3", Name: "lundi", Written: "9 kWh", Note: "estimé", Used: 9, Known: true, Estimated: true, Before: 8, BeforeWritten: "8 kWh il y a un an"},
			"lundi : 9 kWh (estimé) – 8 kWh il y a un an", "before estimated day", "3"},
		{"not known", web.Bar{Label: "3", Name: "lundi", Written: "inconnu"}, "lundi : inconnu", "unknown day", "3"},
		{"open", web.Bar{Label: "3", Name: "lundi", Written: "1 litre", Used: 1, Known: true, Open: true, Estimated: true},
			"lundi : 1 litre", "open day", "3"},
		{"words that look like markup", web.Bar{Label: "<b>&", Name: `"><script>x</script>`, Written: "a & b", Note: "<i>", Known: true},
			`"><script>x</script> : a & b (<i>)`, "bar day", "<b>&"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			titles, classes, labels := drawn(t, tt.bar)
			if got := strings.Join(titles, "|"); got != tt.title {
				t.Errorf("title = %q, want %q", got, tt.title)
			}
			if got := strings.Join(classes, " "); got != tt.classes {
				t.Errorf("classes = %q, want %q", got, tt.classes)
			}
			if got := strings.Join(labels, "|"); got != tt.label {
				t.Errorf("label = %q, want %q", got, tt.label)
			}
		})
	}
}

// An estimated bar is hatched, which needs no colour to be seen; one that goes on is
// not.
func TestEstimatedBarsAreHatched(t *testing.T) {
	number := func(metering.Amount) string { return "" }
	for open, want := range map[bool]int{false: 1, true: 0} {
		bar := web.Bar{Used: 1, Known: true, Estimated: true, Open: open}
		chart := web.NewChart("chart-heat", "heat", "", "", []web.Bar{bar}, web.Scale{Number: number})
		if got := strings.Count(string(chart.Drawing()), `fill="url(#chart-heat-hatch)"`); got != want {
			t.Errorf("hatched %d times where open is %v, want %d: %s", got, open, want, chart.Drawing())
		}
	}
}
