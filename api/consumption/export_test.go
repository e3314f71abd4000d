package consumption

import "github.com/xnetroseraie/xnet/internal/metering"

// A TestDwelling is what a test says of a dwelling's month.
type TestDwelling struct {
	ID, Building, Staircase string
	Lived, Known            bool
	Used                    metering.Amount
	Days                    []metering.Amount
}

// A TestCell is what is told, and of which homes.
type TestCell struct {
	Group
	Homes []string
	// WithDays are the homes whose days are told; none where no day is.
	WithDays []string
}

// Cells returns what would be told of a month.
func Cells(all []TestDwelling) (cells []TestCell) {
	var months []dwellingMonth
	for _, d := range all {
		m := dwellingMonth{id: d.ID, building: d.Building, staircase: d.Staircase, metered: true, known: d.Known, lived: d.Lived, used: d.Used}
		for _, used := range d.Days {
			m.days = append(m.days, dayUse{int64(used), 0})
		}
		months = append(months, m)
	}
	told := cellsOf(months)
	byDay := map[string]bool{}
	for _, c := range cellsByDay(told) {
		byDay[c.key()] = true
	}
	for _, c := range told {
		one := TestCell{Group: c.Group}
		for _, d := range c.homes() {
			one.Homes = append(one.Homes, d.id)
			if byDay[c.key()] && len(d.days) > 0 {
				one.WithDays = append(one.WithDays, d.id)
			}
		}
		cells = append(cells, one)
	}
	return cells
}
