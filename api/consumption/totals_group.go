package consumption

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// A dwellingMonth is what one dwelling used in a month.
type dwellingMonth struct {
	id                  string
	building, staircase string
	areaM2              float64
	metered             bool // it has a point of the kind
	known               bool // every point's figure is known, of one meter all month
	lived               bool // by somebody, for a part of the month at least
	personDays          int64
	used                metering.Amount
	quality             metering.Quality
	// days are the month's, where they may be read and add up to it; else none.
	days []dayUse
}

// A dayUse is an amount and its quality, written as a list of two.
type dayUse [2]int64

func (d dwellingMonth) home() bool { return d.lived && d.known }

// A cell is dwellings of which something may be told together.
type cell struct {
	Group
	dwellings []dwellingMonth
}

// homes are those that are lived in and known.
func (c cell) homes() []dwellingMonth {
	return slices.DeleteFunc(slices.Clone(c.dwellings), func(d dwellingMonth) bool { return !d.home() })
}

// safe reports whether homes may be told together: at least ten, of which none uses
// half of all. Nothing at all, as of heat in summer, may be told.
func safe(uses []float64) bool {
	var sum, largest float64
	for _, u := range uses {
		sum, largest = sum+u, max(largest, u)
	}
	return len(uses) >= leastHomes && (sum == 0 || largest < largestShare*sum)
}

func monthUses(homes []dwellingMonth) []float64 {
	uses := make([]float64, len(homes))
	for i, d := range homes {
		uses[i] = float64(d.used)
	}
	return uses
}

func (c cell) safe() bool { return safe(monthUses(c.homes())) }

// cellsOf returns what may be told of a month: the residence, its buildings, and
// the staircases of those. Each is a part of one that is told or nothing of it is,
// and what is left beside the parts is safe as well, so that no sum or difference
// of them tells of fewer homes.
func cellsOf(all []dwellingMonth) []cell {
	whole := cell{Group{Level: OfResidence, Members: []string{}}, all}
	if !whole.safe() {
		return nil
	}
	cells := []cell{whole}
	buildings := apart(split(whole, OfBuilding, func(d dwellingMonth) string { return d.building }))
	cells = append(cells, buildings...)
	for _, b := range buildings {
		if len(b.Members) == 1 {
			cells = append(cells, apart(split(b, OfStaircase, func(d dwellingMonth) string { return d.staircase }))...)
		}
	}
	return cells
}

func namesOf(all []dwellingMonth, name func(dwellingMonth) string) (names []string) {
	for _, d := range all {
		names = append(names, name(d))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// split cuts a cell by a name.
func split(c cell, level Level, name func(dwellingMonth) string) (parts []cell) {
	building := ""
	if level == OfStaircase {
		building = c.Members[0]
	}
	for _, n := range namesOf(c.dwellings, name) {
		part := cell{Group: Group{level, building, []string{n}}}
		for _, d := range c.dwellings {
			if name(d) == n {
				part.dwellings = append(part.dwellings, d)
			}
		}
		parts = append(parts, part)
	}
	return parts
}

// apart returns the parts of a safe whole that may be told beside it. Those that are
// not safe are told as one; where that is not safe either, the smallest of the
// others is told with them, and so on: in the end that is the whole, which is safe.
// Parts without homes are never told, and hide nothing.
func apart(parts []cell) []cell {
	parts = slices.DeleteFunc(parts, func(c cell) bool { return len(c.homes()) == 0 })
	slices.SortStableFunc(parts, func(a, b cell) int { return cmp.Compare(len(b.homes()), len(a.homes())) })
	var named []cell
	var pool cell
	for _, c := range parts {
		if c.safe() {
			named = append(named, c)
		} else {
			pool = joined(pool, c)
		}
	}
	for len(pool.Members) > 0 && !pool.safe() && len(named) > 0 {
		last := len(named) - 1
		pool, named = joined(pool, named[last]), named[:last]
	}
	if len(pool.Members) > 0 {
		named = append(named, pool)
	}
	slices.SortFunc(named, func(a, b cell) int { return slices.Compare(a.Members, b.Members) })
	return named
}

func joined(a, b cell) cell {
	if len(a.Members) == 0 {
		return b
	}
	members := slices.Concat(a.Members, b.Members)
	slices.Sort(members)
	return cell{Group{b.Level, b.Building, members}, slices.Concat(a.dwellings, b.dwellings)}
}

// leaves are the cells that no other is a part of.
func leaves(cells []cell) (all []cell) {
	for _, c := range cells {
		inner := slices.ContainsFunc(cells, func(p cell) bool { return p.within(c) })
		if !inner {
			all = append(all, c)
		}
	}
	return all
}

// within reports whether c is a part of the other.
func (c cell) within(other cell) bool {
	switch c.Level {
	case OfBuilding:
		return other.Level == OfResidence
	case OfStaircase:
		return other.Level == OfResidence || other.Level == OfBuilding && slices.Equal(other.Members, []string{c.Building})
	default:
		return false
	}
}

// daysSafe reports whether a cell's month may be told by day as well: there are ten
// homes with days, none uses half of one of them, and those without are none or may
// be told together too, because they are what is left of the month.
func (c cell) daysSafe() bool {
	var with [][]dayUse
	var without []float64
	for _, d := range c.homes() {
		if len(d.days) == 0 {
			without = append(without, float64(d.used))
		} else {
			with = append(with, d.days)
		}
	}
	if len(with) < leastHomes || len(without) > 0 && !safe(without) {
		return false
	}
	for day := range with[0] {
		uses := make([]float64, len(with))
		for i, days := range with {
			uses[i] = float64(days[day][0])
		}
		if !safe(uses) {
			return false
		}
	}
	return true
}

// cellsByDay are those of a month's cells that may be told by day too: all, or the
// residence alone where one of the parts may not, or none.
func cellsByDay(cells []cell) []cell {
	if !slices.ContainsFunc(leaves(cells), func(c cell) bool { return !c.daysSafe() }) {
		return cells
	}
	return slices.DeleteFunc(slices.Clone(cells), func(c cell) bool { return c.Level != OfResidence || !c.daysSafe() })
}

// A groupDays is what the homes of a cell that have days used on each of a month:
// they may be fewer than those of the month.
type groupDays struct {
	Homes      int      `json:"homes"`
	PersonDays int64    `json:"person_days"` // of the whole month; 0 where not known of all
	AreaM2     float64  `json:"area_m2"`     // 0 where not known of all
	Days       []dayUse `json:"days"`
}

// byDay adds up the days of the homes that have them.
func (c cell) byDay() groupDays {
	c.dwellings = slices.DeleteFunc(c.homes(), func(d dwellingMonth) bool { return len(d.days) == 0 })
	k := c.sum()
	g := groupDays{Homes: k.homes, PersonDays: k.personDays, AreaM2: k.areaM2}
	for _, d := range c.dwellings {
		for i, use := range d.days {
			if i == len(g.Days) {
				g.Days = append(g.Days, dayUse{})
			}
			g.Days[i][0] += use[0]
			g.Days[i][1] = max(g.Days[i][1], use[1])
		}
	}
	return g
}

// digestOf tells which homes a month is of, and what each used.
func digestOf(all []dwellingMonth) string {
	lines := make([]string, 0, len(all))
	for _, d := range all {
		if d.home() {
			lines = append(lines, fmt.Sprintf("%s %s %s %d", d.id, d.building, d.staircase, d.used))
		}
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:])
}

// A sum is what is kept of a cell.
type sum struct {
	homes, metered, dwellings int
	used, emptyUsed           metering.Amount
	quality                   metering.Quality
	whole                     bool
	personDays                int64
	areaM2                    float64
}

func (c cell) sum() sum {
	s := sum{whole: true, dwellings: len(c.dwellings)}
	people, area := true, true
	for _, d := range c.dwellings {
		s.whole = s.whole && d.known
		if d.lived && d.metered {
			s.metered++
		}
		switch {
		case d.home():
			s.homes++
			s.used += d.used
			s.quality = s.quality.Worse(d.quality)
			s.personDays += d.personDays
			s.areaM2 += d.areaM2
			people, area = people && d.personDays > 0, area && d.areaM2 > 0
		case d.known:
			s.emptyUsed += d.used
		}
	}
	if !people {
		s.personDays = 0
	}
	if !area {
		s.areaM2 = 0
	}
	s.areaM2 = math.Round(s.areaM2*100) / 100
	return s
}
