package consumption_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// row is so many like homes of a staircase.
func row(building, staircase string, homes int, used metering.Amount) (all []consumption.TestDwelling) {
	for i := range homes {
		all = append(all, consumption.TestDwelling{ID: fmt.Sprintf("%s-%s-%d", building, staircase, i), Building: building, Staircase: staircase,
			Lived: true, Known: true, Used: used})
	}
	return all
}

func TestCells(t *testing.T) {
	join := slices.Concat[[]consumption.TestDwelling]
	heavy := row("A", "1", 10, 100)
	heavy[0].Used = 900 // half of all
	vacant := row("A", "1", 10, 100)
	vacant[0].Lived = false
	for _, tt := range []struct {
		name  string
		homes []consumption.TestDwelling
		want  []string // level, building, members, homes
	}{
		{"nine homes", row("A", "1", 9, 100), nil},
		{"nine homes and an empty flat", vacant, nil},
		{"one uses half of all", heavy, nil},
		{"nothing used, as of heat in summer", row("A", "1", 10, 0), []string{"residence  [] 10", "building  [A] 10", "staircase A [1] 10"}},
		{"two buildings", join(row("A", "1", 10, 100), row("B", "1", 10, 100)),
			[]string{"residence  [] 20", "building  [A] 10", "building  [B] 10", "staircase A [1] 10", "staircase B [1] 10"}},
		{"the small one would be told by the difference", join(row("A", "1", 12, 100), row("B", "1", 3, 100)),
			[]string{"residence  [] 15", "building  [A B] 15"}},
		{"small ones are told as one", join(row("A", "1", 12, 100), row("B", "1", 6, 100), row("C", "1", 5, 100)),
			[]string{"residence  [] 23", "building  [A] 12", "building  [B C] 11", "staircase A [1] 12"}},
		{"the smallest of the others goes with one that is too small", join(row("A", "1", 14, 100), row("B", "1", 11, 100), row("C", "1", 2, 100)),
			[]string{"residence  [] 27", "building  [A] 14", "building  [B C] 13", "staircase A [1] 14"}},
		{"staircases of a building", join(row("A", "1", 10, 100), row("A", "2", 11, 100), row("A", "3", 1, 100)),
			[]string{"residence  [] 22", "building  [A] 22", "staircase A [1 3] 11", "staircase A [2] 11"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, c := range consumption.Cells(tt.homes) {
				got = append(got, fmt.Sprintf("%s %s %v %d", c.Level, c.Building, c.Members, len(c.Homes)))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever the homes: of all that is told, months and days, no sum or difference is
// of one to nine homes, nor of ten of which one uses half. What is told are sets of
// homes each within another or apart, so that it is enough to look at what is left
// of each beside its parts, and beside its homes with days.
func TestNobodyIsToldByDifferences(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) consumption.TestDwelling {
			used := metering.Amount(rapid.SampledFrom([]int64{0, 1, 90, 100, 110, 5000}).Draw(t, "used"))
			d := consumption.TestDwelling{Building: rapid.SampledFrom([]string{"A", "A", "B", "C"}).Draw(t, "building"),
				Staircase: rapid.SampledFrom([]string{"1", "2", "2", "3"}).Draw(t, "staircase"),
				Lived:     rapid.IntRange(0, 9).Draw(t, "lived") > 0, Known: rapid.IntRange(0, 9).Draw(t, "known") > 0, Used: used}
			if rapid.IntRange(0, 3).Draw(t, "by day") > 0 {
				d.Days = []metering.Amount{used / 2, used - used/2}
			}
			return d
		}), 0, 120).Draw(t, "homes")
		usedBy := map[string]metering.Amount{}
		for i := range all {
			all[i].ID = fmt.Sprint(i)
			usedBy[all[i].ID] = all[i].Used
		}
		holds := func(what string, homes []string) {
			var sum, largest metering.Amount
			for _, h := range homes {
				sum, largest = sum+usedBy[h], max(largest, usedBy[h])
			}
			if len(homes) > 0 && (len(homes) < 10 || sum > 0 && 2*largest >= sum) {
				t.Fatalf("%s: %d homes, the largest %d of %d", what, len(homes), largest, sum)
			}
		}
		cells := consumption.Cells(all)
		for i, c := range cells {
			name := fmt.Sprint(c.Group)
			rest, restDays := slices.Clone(c.Homes), slices.Clone(c.WithDays)
			for j, inner := range cells {
				if i == j || !covers(c.Homes, inner.Homes) {
					if i != j && touches(c.Homes, inner.Homes) && !covers(inner.Homes, c.Homes) {
						t.Fatalf("%v and %v cross", c.Group, inner.Group)
					}
					continue
				}
				rest = without(rest, inner.Homes)
				if len(inner.WithDays) > 0 {
					restDays = without(restDays, inner.WithDays)
				}
			}
			holds(name, c.Homes)
			holds(name+" beside its parts", rest)
			if len(c.WithDays) > 0 {
				holds(name+" by day", c.WithDays)
				holds(name+" by day beside its parts", restDays)
				holds(name+" without days", without(c.Homes, c.WithDays))
			}
		}
	})
}

func covers(outer, inner []string) bool { return len(without(inner, outer)) == 0 }

func touches(a, b []string) bool { return len(without(a, b)) < len(a) }

func without(all, gone []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(h string) bool { return slices.Contains(gone, h) })
}
