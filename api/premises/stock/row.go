package stock

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/xnetroseraie/xnet/api/resource"
)

// readRow reads a dwelling, and checks that it stands once in the file.
func (r *reader) readRow(number int, cells []cell) {
	row := Row{Line: number}
	given := map[column]bool{}
	for i, c := range cells {
		text := plain(c.text)
		switch {
		case text == "" && !c.formula:
		case i >= len(r.header) || r.header[i] == "":
			r.table.Fault(number, letterOf(i), "field.stock_no_header")
		default:
			given[r.header[i]] = true
			if r.sound(number, r.name(r.header[i]), c) {
				r.set(&row, r.header[i], resource.Unguarded(text))
			}
		}
	}
	for _, col := range required {
		if !given[col] {
			r.table.Fault(number, r.name(col), "field.stock_missing")
		}
	}
	if row.Heating == "" {
		row.Heating = "unknown"
	}
	if row.HotWater == "" {
		row.HotWater = "unknown"
	}
	r.once(row)
	r.table.Rows = append(r.table.Rows, row)
}

func (r *reader) name(c column) string { return r.table.Named(string(c)) }

// once finds dwellings that stand twice, by id or by door.
func (r *reader) once(row Row) {
	if row.ID != "" {
		if first, twice := r.ids[row.ID]; twice {
			r.table.Fault(row.Line, r.name(colID), "field.stock_twice", strconv.Itoa(first))
			return
		}
		r.ids[row.ID] = row.Line
	}
	if row.Label == "" {
		return
	}
	d := door{row.Residence, row.Building, row.Staircase, row.Label}
	if first, twice := r.doors[d]; twice {
		r.table.Fault(row.Line, r.name(colLabel), "field.stock_door_twice", strconv.Itoa(first))
		return
	}
	r.doors[d] = row.Line
}

func (r *reader) set(row *Row, c column, text string) {
	fault := func(message string, args ...string) { r.table.Fault(row.Line, r.name(c), message, args...) }
	short := func(into *string) {
		if utf8.RuneCountInString(text) > 100 {
			fault("field.stock_long", "100")
			return
		}
		*into = text
	}
	id := func(into *string) {
		if !validID(text) {
			fault("field.stock_id")
			return
		}
		*into = text
	}
	whole := func(into *int, least, most int) {
		n, ok := wholeNumber(text)
		if !ok || n < least || n > most {
			fault("field.stock_whole", strconv.Itoa(least), strconv.Itoa(most))
			return
		}
		*into = n
	}
	switch c {
	case colResidence:
		id(&row.Residence)
	case colID:
		id(&row.ID)
	case colBuilding:
		short(&row.Building)
	case colStaircase:
		short(&row.Staircase)
	case colLabel:
		short(&row.Label)
	case colFloor:
		if groundFloors[letters(text)] {
			return
		}
		whole(&row.Floor, -10, 200)
	case colRooms:
		text = strings.TrimLeft(text, "TtFf") // T3 and F3 are French for three rooms
		whole(&row.Rooms, 0, 50)
	case colArea:
		r.setArea(row, text)
	case colHeating, colHotWater:
		warmth, ok := warmths[letters(text)]
		if !ok {
			fault("field.stock_warmth", warmthWords)
			return
		}
		if c == colHeating {
			row.Heating = warmth
		} else {
			row.HotWater = warmth
		}
	}
}

func (r *reader) setArea(row *Row, text string) {
	number := strings.Replace(strings.ReplaceAll(text, " ", ""), ",", ".", 1)
	area, err := strconv.ParseFloat(number, 64)
	if err != nil || strings.ContainsAny(number, "eExXpP_+iInN") || !(area >= 0 && area <= 2000) {
		r.table.Fault(row.Line, r.name(colArea), "field.stock_area")
		return
	}
	row.AreaM2 = math.Round(area*100) / 100
}

// wholeNumber reads 3, -1 and, as spreadsheets have it, 3,0.
func wholeNumber(text string) (int, bool) {
	whole, fraction, _ := strings.Cut(strings.Replace(text, ",", ".", 1), ".")
	if strings.Trim(fraction, "0") != "" || strings.HasPrefix(whole, "+") {
		return 0, false
	}
	n, err := strconv.Atoi(whole)
	return n, err == nil
}

var groundFloors = map[string]bool{"rdc": true, "rezdechaussee": true, "rc": true, "groundfloor": true, "ground": true}

// warmths maps the words for ways of heating, folded, to those of JSON.
var warmths = map[string]string{
	"collectif": "collective", "collective": "collective",
	"gaz": "gas", "gazindividuel": "gas", "gas": "gas",
	"electrique": "electric", "electricite": "electric", "electric": "electric",
	"pompeachaleur": "heat_pump", "pac": "heat_pump", "heatpump": "heat_pump",
	"bois": "wood", "wood": "wood",
	"autre": "other", "other": "other",
	"aucun": "none", "none": "none",
	"inconnu": "unknown", "unknown": "unknown",
}

const warmthWords = "collectif, gaz, électrique, pompe à chaleur, bois, autre, aucun, inconnu"

// validID holds what ids are made of: they stand in addresses and file names.
func validID(text string) bool {
	if text == "" || len(text) > 64 {
		return false
	}
	for _, r := range text {
		ok := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r)
		if !ok {
			return false
		}
	}
	return true
}

// letters keeps the letters and digits of a word, small and without accents.
func letters(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r), !unicode.IsLetter(r) && !unicode.IsDigit(r):
			return -1
		default:
			return unicode.ToLower(r)
		}
	}, norm.NFKD.String(text))
}
