package landlord

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// mapMonths is how many months a map shows, chunkMonths how many of them are asked
// for at once: days are told of a hundred at most.
const (
	mapMonths   = 12
	chunkMonths = 3
)

type heatmapView struct {
	frame
	Kinds  []web.Link
	Kind   metering.Kind
	Months []heatMonth
	Levels []heatLevel
	Most   string // which day stands out most; empty for none
	None   bool   // no day of any building is told
	Why    string // why none is; empty where it is not known
	untold consumption.Silence
}

// A heatLevel is one step of the legend.
type heatLevel struct {
	Drawing template.HTML
	Name    string
}

// A heatMonth is a month of the map with the table of the same numbers.
type heatMonth struct {
	ID, Title string
	Drawing   template.HTML
	Heads     []string
	Days      []heatDay
}

// A heatDay is a line of the table.
type heatDay struct {
	Name  string
	Cells []heatCell
}

// A heatCell is what a building used on a day; Word says how it stands out.
type heatCell struct{ Used, Word string }

var heatmapPage = overviewPage[heatmapView]("heatmap")

// A heatRow is a building with its days.
type heatRow struct {
	group consumption.Group
	name  string
	days  map[civil.Date]metering.Amount
	usual float64 // median of its days
}

// level is how a day stands beside the building's own: 1 little, 2 as usual, 3 much,
// 4 very much, 0 not known.
func (r heatRow) level(day civil.Date) int {
	used, ok := r.days[day]
	switch share := float64(used) / r.usual; {
	case !ok || r.usual == 0:
		return 0
	case share < 0.75:
		return 1
	case share <= 1.25:
		return 2
	case share <= 1.5:
		return 3
	default:
		return 4
	}
}

// heatmap serves GET /suivi/carte: each day of a year and each building.
func (o *Overview) heatmap(c echo.Context) error {
	f, err := o.frame(c, heatmapPath, "landlord.heatmap")
	if err != nil {
		return err
	}
	view := heatmapView{frame: f}
	if f.HasPlace() {
		if err := o.fillHeatmap(c, &view); err != nil {
			return err
		}
	}
	return heatmapPage.Render(c, http.StatusOK, view)
}

func (o *Overview) fillHeatmap(c echo.Context, v *heatmapView) error {
	s := v.lastYears()
	s.Step, s.From = consumption.StepWhole, s.To.AddDays(-1).MonthOf().First()
	all, err := o.Totals.EveryKind(c.Request().Context(), staffOf(c), s, o.Now())
	if err != nil {
		return err
	}
	chosen := chooseKind(all, c.QueryParam("compteur"))
	if v.None = chosen < 0; v.None {
		return nil
	}
	v.Kind = all[chosen].Kind
	for i, k := range all {
		v.Kinds = append(v.Kinds, web.Link{Path: v.link(heatmapPath, "compteur", string(k.Kind)), Name: v.T("kind." + string(k.Kind)), Here: i == chosen})
	}
	rows, err := o.heatRows(c, staffOf(c), v)
	if err != nil {
		return err
	}
	v.draw(rows)
	return nil
}

// heatRows reads the days of a year, some months at a time.
func (o *Overview) heatRows(c echo.Context, who accounts.PersonID, v *heatmapView) ([]heatRow, error) {
	var rows []heatRow
	s := v.lastYears()
	s.Kind, s.By, s.Step = v.Kind, consumption.OfBuilding, consumption.StepDay
	end := s.To
	s.From = civil.Date{Year: end.Year - 1, Month: end.Month, Day: 1}
	for s.From.Before(end) {
		next := s.From.MonthOf()
		for range chunkMonths {
			next = next.Next()
		}
		s.To = next.First()
		all, err := o.Totals.During(c.Request().Context(), who, s, o.Now())
		if err != nil {
			return nil, err
		}
		v.keepWhy(all.Refused)
		for _, g := range all.Groups {
			rows = withDays(rows, g)
			for _, p := range g.Periods {
				v.keepWhy(p.Refused)
			}
		}
		s.From = s.To
	}
	for i := range rows {
		rows[i].name = strings.Join(rows[i].group.Members, "+")
		rows[i].usual = median(rows[i].days)
	}
	rows = slices.DeleteFunc(rows, func(r heatRow) bool { return len(r.days) == 0 })
	slices.SortFunc(rows, func(a, b heatRow) int { return slices.Compare(a.group.Members, b.group.Members) })
	return rows, nil
}

// keepWhy remembers why days are not told: that months are and days are not says
// more than that homes are too few.
func (v *heatmapView) keepWhy(why consumption.Silence) {
	if why != "" && v.untold != consumption.DaysNotTold {
		v.untold = why
	}
}

var noDaysKeys = map[consumption.Silence]string{
	consumption.DaysNotTold: "landlord.no_days_month", consumption.TooFewHomes: "landlord.too_few", consumption.NotOver: "landlord.not_over",
}

// withDays adds the known days of a group to its row.
func withDays(rows []heatRow, g consumption.GroupTotals) []heatRow {
	at := slices.IndexFunc(rows, func(r heatRow) bool { return keyOf(r.group) == keyOf(g.Group) })
	if at < 0 {
		at, rows = len(rows), append(rows, heatRow{group: g.Group, days: map[civil.Date]metering.Amount{}})
	}
	for _, p := range g.Periods {
		if p.Quality != metering.Missing {
			rows[at].days[p.From] = p.Used
		}
	}
	return rows
}

func median(days map[civil.Date]metering.Amount) float64 {
	if len(days) == 0 {
		return 0
	}
	sorted := make([]metering.Amount, 0, len(days))
	for _, used := range days {
		sorted = append(sorted, used)
	}
	slices.Sort(sorted)
	return float64(sorted[(len(sorted)-1)/2]+sorted[len(sorted)/2]) / 2
}

// levelKeys say each level in words; of the first two the map needs none beside the
// figure.
var levelKeys = [...]string{"landlord.level_unknown", "landlord.level_little", "landlord.level_usual", "landlord.level_much", "landlord.level_very_much"}

// draw makes the months, the last first, with the legend and what stands out most.
func (v *heatmapView) draw(rows []heatRow) {
	if v.None = len(rows) == 0; v.None {
		if key, told := noDaysKeys[v.untold]; told {
			v.Why = v.T(key)
		}
		return
	}
	for level, key := range levelKeys {
		v.Levels = append(v.Levels, heatLevel{legendOf(level), v.T(key)})
	}
	month := v.today.MonthOf().Prev()
	for range mapMonths {
		v.Months = append(v.Months, v.month(month, rows))
		month = month.Prev()
	}
	v.Most = v.most(rows)
}

func (v *heatmapView) most(rows []heatRow) string {
	var row heatRow
	var day civil.Date
	share := 1.5
	for _, r := range rows {
		for d, used := range r.days {
			if s := float64(used) / r.usual; r.usual > 0 && (s > share || s == share && d.Before(day)) {
				row, day, share = r, d, s
			}
		}
	}
	if day.IsZero() {
		return ""
	}
	return v.T("landlord.most", nameOf(v.Language, row.group), v.Date(day, v.today), sumOf(v.Language, v.Kind, row.days[day]), v.Number(share, 1))
}

func (v *heatmapView) month(m civil.Month, rows []heatRow) heatMonth {
	made := heatMonth{ID: "m" + m.String(), Title: v.Month(m), Drawing: drawMonth(m, rows, v.T("landlord.map_of", v.T("kind."+string(v.Kind)), v.Month(m)), v.T("landlord.map_more"))}
	for _, r := range rows {
		made.Heads = append(made.Heads, nameOf(v.Language, r.group))
	}
	for day := m.First(); day.Before(m.Next().First()); day = day.AddDays(1) {
		line := heatDay{Name: v.ShortDay(day) + " " + strconv.Itoa(day.Day)}
		for _, r := range rows {
			cell := heatCell{Used: "–"}
			if level := r.level(day); level > 0 {
				cell.Used = sumOf(v.Language, v.Kind, r.days[day])
				if level > 2 {
					cell.Word = v.T(levelKeys[level])
				}
			}
			line.Cells = append(line.Cells, cell)
		}
		made.Days = append(made.Days, line)
	}
	return made
}

// Sizes of the map in units of its drawing: a day, a building, and the room for
// names and numbers.
const (
	dayWide   = 9
	rowHigh   = 15
	nameWide  = 33
	headHigh  = 14
	mostShown = 5 // letters of a building's name
	// halfMonth is how many days stand in a row: a whole month is too small to be
	// read on a telephone.
	halfMonth = 16
)

// heights are how high a day of each level is drawn: the levels differ without
// their colours.
var heights = [...]int{1, 3, 5, 9, 13}

// drawMonth draws a month as SVG, the first half above the second. Only the first
// speaks, for both.
func drawMonth(m civil.Month, rows []heatRow, title, more string) template.HTML {
	var b strings.Builder
	id := "m" + m.String()
	openHalf(&b, len(rows), `role="img" aria-labelledby="`+id+`-t `+id+`-d"`)
	b.WriteString(`<title id="` + id + `-t">` + template.HTMLEscapeString(title) + `</title><desc id="` + id + `-d">` + template.HTMLEscapeString(more) + `</desc>`)
	drawHalf(&b, m, rows, 1, halfMonth)
	openHalf(&b, len(rows), `aria-hidden="true"`)
	drawHalf(&b, m, rows, halfMonth+1, m.Days())
	return template.HTML(b.String()) // names went through HTMLEscapeString
}

func openHalf(b *strings.Builder, rows int, attributes string) {
	b.WriteString(`<svg class="heatmap" ` + attributes + ` viewBox="0 0 ` + strconv.Itoa(nameWide+halfMonth*dayWide) + ` ` + strconv.Itoa(headHigh+rows*rowHigh+2) + `">`)
}

// drawHalf draws the days from first to last, one path for each level of each
// building.
func drawHalf(b *strings.Builder, m civil.Month, rows []heatRow, first, last int) {
	for day := first; day <= last; day += 7 {
		b.WriteString(`<text x="` + strconv.Itoa(nameWide+(day-first)*dayWide) + `" y="10">` + strconv.Itoa(day) + `</text>`)
	}
	for i, r := range rows {
		r.draw(b, m, headHigh+(i+1)*rowHigh, first, last)
	}
	b.WriteString(`</svg>`)
}

func (r heatRow) draw(b *strings.Builder, m civil.Month, base, first, last int) {
	name := []rune(r.name)
	if len(name) > mostShown {
		name = append(name[:mostShown-1], '…')
	}
	b.WriteString(`<text x="` + strconv.Itoa(nameWide-4) + `" y="` + strconv.Itoa(base-3) + `" text-anchor="end">` + template.HTMLEscapeString(string(name)) + `</text>`)
	var paths [len(heights)]strings.Builder
	for i := range last - first + 1 {
		level := r.level(m.First().AddDays(first - 1 + i))
		cellPath(&paths[level], nameWide+i*dayWide, base, level)
	}
	for level := range paths {
		if paths[level].Len() > 0 {
			b.WriteString(`<path class="q` + strconv.Itoa(level) + `" d="` + paths[level].String() + `"/>`)
		}
	}
}

func cellPath(b *strings.Builder, x, base, level int) {
	b.WriteString("M" + strconv.Itoa(x) + " " + strconv.Itoa(base) + "v-" + strconv.Itoa(heights[level]) + "h7v" + strconv.Itoa(heights[level]) + "z")
}

// legendOf draws one day of a level.
func legendOf(level int) template.HTML {
	var b strings.Builder
	cellPath(&b, 4, 14, level)
	return template.HTML(`<svg class="heatmap" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><path class="q` + strconv.Itoa(level) + `" d="` + b.String() + `"/></svg>`)
}
