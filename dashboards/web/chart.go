package web

import (
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Bar is one day or month to draw. The zero height is a day of no use; Known
// false is a day nobody knows.
type Bar struct {
	Label     string // under the bar, e.g. "3"
	Name      string // in full, e.g. "lundi 3 mars"
	Used      metering.Amount
	Written   string // e.g. "98 litres"
	Note      string // e.g. "estimé"; empty for a measured day
	Known     bool
	Estimated bool
	Open      bool
	// Before is what stands in grey behind the bar: the same time of a year ago.
	// BeforeWritten is empty where it is not known.
	Before        metering.Amount
	BeforeWritten string
}

// A Chart is bars by day or month with a table of the same numbers. Widths are shares of
// the width, heights are pixels, so that its words stay readable on any screen.
type Chart struct {
	ID     string // unique on the page, letters and hyphens
	Class  string // of the kind, for its colour
	Title  string
	Desc   string
	Height int
	Base   int // y of the axis
	Below  int // y of the labels
	Bars   []DrawnBar
	Lines  []Line
	Unit   string // of the numbers beside the lines
	// ScaleWidth is the room for these numbers, in rem.
	ScaleWidth string
	HasEstimated, HasOpen,
	HasUnknown, HasBefore bool
}

// A DrawnBar is a bar in its place.
type DrawnBar struct {
	Bar
	X, Width, Middle string // percent
	Y, H             int
	Class            string
	ShowLabel        bool
	Spare            bool // a label that narrow screens leave out
	// The grey bar behind; BeforeH is 0 where there is none.
	BeforeX, BeforeWidth string
	BeforeY, BeforeH     int
}

// A Line is a horizontal line with its number.
type Line struct {
	Y    int
	Text string
}

const (
	chartTop   = 24
	chartBase  = 184
	chartBelow = 206
	labelEvery = 5
	mostLabels = 12 // the months of a year
)

// A Scale is how a chart writes the numbers beside its lines.
type Scale struct {
	Unit   string // as in "litres par jour"
	Number func(metering.Amount) string
}

// NewChart lays bars out. Where none of them has a height there are no lines: their
// numbers would measure nothing.
func NewChart(id, class, title, desc string, bars []Bar, scale Scale) Chart {
	c := Chart{ID: id, Class: class, Title: title, Desc: desc, Unit: scale.Unit, Height: chartBelow + 8, Base: chartBase, Below: chartBelow}
	highest := metering.Amount(0)
	for _, b := range bars {
		highest = max(highest, b.Used, b.Before)
		c.HasBefore = c.HasBefore || b.BeforeWritten != ""
	}
	top := roundUp(max(1, highest))
	if highest > 0 {
		for _, share := range []metering.Amount{2, 1} {
			c.Lines = append(c.Lines, Line{Y: chartBase - (chartBase-chartTop)*int(share)/2, Text: scale.Number(top * share / 2)})
		}
	}
	c.ScaleWidth = scaleWidth(c.Lines)
	slot := 100 / float64(max(1, len(bars)))
	c.Bars = make([]DrawnBar, 0, len(bars))
	for i, b := range bars {
		c.Bars = append(c.Bars, c.draw(b, i, slot, top))
		c.HasEstimated = c.HasEstimated || b.Estimated
		c.HasOpen = c.HasOpen || b.Open
		c.HasUnknown = c.HasUnknown || !b.Known
	}
	return c
}

// scaleWidth is the room for the longest number.
func scaleWidth(lines []Line) string {
	longest := 0
	for _, l := range lines {
		longest = max(longest, utf8.RuneCountInString(l.Text))
	}
	return strconv.FormatFloat(0.9+0.52*float64(longest), 'f', 2, 64) + "rem"
}

// labelled spares the words: of many bars every fifth, counted from the last.
func labelled(i, count int) bool { return count <= mostLabels || (count-1-i)%labelEvery == 0 }

// spared are every other of the labels that only a wide screen has room for.
func spared(i, count int) bool { return count > 2*labelEvery && count <= mostLabels && i%2 == 1 }

// How much of its place a bar fills, alone and before a grey one.
const (
	fillAlone  = 0.76
	fillBefore = 0.56
	fillGrey   = 0.9
)

func (c Chart) draw(b Bar, i int, slot float64, top metering.Amount) DrawnBar {
	fill, count := fillAlone, int(math.Round(100/slot))
	if c.HasBefore {
		fill = fillBefore
	}
	height := heightOf(b.Used, top)
	d := DrawnBar{Bar: b, X: percent((float64(i) + (1-fill)/2) * slot), Width: percent(fill * slot),
		Middle: percent((float64(i) + 0.5) * slot), Y: chartBase - height, H: height, Class: "bar",
		ShowLabel: labelled(i, count), Spare: spared(i, count)}
	if b.BeforeWritten != "" {
		d.BeforeX, d.BeforeWidth = percent((float64(i)+(1-fillGrey)/2)*slot), percent(fillGrey*slot)
		d.BeforeH = heightOf(b.Before, top)
		d.BeforeY = chartBase - d.BeforeH
	}
	switch {
	case !b.Known:
		d.Class, d.Y, d.H = "unknown", chartBase-4, 4
	case b.Open:
		d.Class = "open"
	case b.Estimated:
		d.Class = "estimated"
	}
	return d
}

// heightOf is how high so much is drawn: what was used at all can be seen.
func heightOf(used, top metering.Amount) int {
	height := int(math.Round(float64(chartBase-chartTop) * float64(used) / float64(top)))
	if used > 0 {
		height = max(2, height)
	}
	return height
}

func percent(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) + "%" }

// roundUp returns the next number of the form 1, 2, 4, 6 or 10 times a power of
// ten, so that the line of half of it is round as well.
func roundUp(a metering.Amount) metering.Amount {
	power := metering.Amount(1)
	for power*10 < a {
		power *= 10
	}
	for _, step := range []metering.Amount{1, 2, 4, 6, 8} {
		if step*power >= a {
			return step * power
		}
	}
	return 10 * power
}
