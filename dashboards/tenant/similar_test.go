package tenant

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// What is told without other homes names its month. Electricity has no figure for a
// square metre: it compares by person.
func TestEachNamesItsMonth(t *testing.T) {
	person, m2 := metering.Amount(4_000), metering.Amount(3_600)
	for kind, want := range map[metering.Kind][]string{
		metering.Electricity: {"Chez vous, par personne et par jour, en février 2026 : 4,0 kWh."},
		metering.Heat:        {"Chez vous, par m², en février 2026 : 3,6 kWh."},
	} {
		one := consumption.Compared{Explanation: metering.Explanation{Kind: kind}, PerPersonDay: &person, PerSquareMetre: &m2}
		card := frenchTeller(t).beside(similarCard{Kind: kind}, one)
		var got []string
		for _, line := range card.Each {
			got = append(got, plain(line))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
}
