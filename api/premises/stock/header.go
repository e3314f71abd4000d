package stock

import (
	"slices"
	"strings"
)

// A column is the JSON name of what stands in it.
type column string

// The columns, in the order of the template.
const (
	colResidence column = "residence"
	colID        column = "id"
	colBuilding  column = "building"
	colStaircase column = "staircase"
	colLabel     column = "label"
	colFloor     column = "floor"
	colRooms     column = "rooms"
	colArea      column = "area_m2"
	colHeating   column = "heating"
	colHotWater  column = "hot_water"
)

// colVersion stands in the list that is downloaded: it says nothing of a dwelling.
const colVersion column = "version"

// required are the columns without which a dwelling is none.
var required = []column{colResidence, colID, colLabel}

// A spelling is how a column may be called, folded: in small letters, without
// accents and signs.
type spelling struct {
	column column
	french string // as the template writes it
	others []string
}

var spellings = []spelling{
	{colResidence, "résidence", []string{"site", "programme"}},
	{colID, "identifiant", []string{"reference", "ref", "numero", "code"}},
	{colBuilding, "bâtiment", []string{"bat", "immeuble", "tour"}},
	{colStaircase, "escalier", []string{"esc", "entree", "cage", "stairs"}},
	{colLabel, "logement", []string{"porte", "appartement", "appt", "door", "flat"}},
	{colFloor, "étage", []string{"niveau", "level"}},
	{colRooms, "pièces", []string{"nbpieces", "nombredepieces", "nombrepieces", "type"}},
	{colArea, "surface_m2", []string{"surface", "surfacem2", "m2", "area", "shab"}},
	{colHeating, "chauffage", []string{"modedechauffage"}},
	{colHotWater, "eau_chaude", []string{"ecs", "eauchaudesanitaire"}},
}

// columnOf finds the column that a header means.
func columnOf(written string) (column, bool) {
	name := letters(written)
	for _, s := range spellings {
		if name == letters(string(s.column)) || name == letters(s.french) || slices.Contains(s.others, name) {
			return s.column, true
		}
	}
	return "", false
}

// readHeader reads the first line that is not empty.
func (r *reader) readHeader(number int, cells []cell) {
	if len(cells) > mostColumns {
		r.table.Fault(number, "", "field.stock_too_many_columns")
		r.stopped = true
		return
	}
	r.header = make([]column, len(cells))
	for i, c := range cells {
		written := plain(c.text)
		if written == "" || !r.sound(number, letterOf(i), c) {
			continue
		}
		col, known := columnOf(written)
		_, twice := r.table.columns[col]
		switch {
		case letters(written) == string(colVersion):
			r.header[i] = colVersion
		case !known:
			r.table.Fault(number, written, "field.stock_column_unknown", french())
		case twice:
			r.table.Fault(number, written, "field.stock_column_twice")
		default:
			r.header[i], r.table.columns[col] = col, written
		}
	}
	for _, col := range required {
		if _, ok := r.table.columns[col]; !ok {
			r.table.Fault(number, string(col), "field.stock_column_missing", frenchOf(col))
		}
	}
	r.stopped = r.table.FaultCount > 0
}

// letterOf names a column as spreadsheets do: A, B, … Z, AA.
func letterOf(i int) string {
	name := ""
	for i++; i > 0; i = (i - 1) / 26 {
		name = string(rune('A'+(i-1)%26)) + name
	}
	return name
}

func french() string {
	names := make([]string, len(spellings))
	for i, s := range spellings {
		names[i] = s.french
	}
	return strings.Join(names, ", ")
}

func frenchOf(col column) string {
	i := slices.IndexFunc(spellings, func(s spelling) bool { return s.column == col })
	return spellings[i].french
}
