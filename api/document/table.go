package document

// A Column is one of a table.
type Column struct {
	Name  string
	Wide  float64 // its share of the width, against those of the others
	Right bool    // figures stand at the right edge
}

// A Table is rows under a head, which is set again on each page. A row has as
// many cells as there are columns.
type Table struct {
	Columns []Column
	Rows    [][]string
	Tall    float64 // least height of a row in mm, for what is written by hand; 0 for what is not
}

const cellGap = 1.6

// table sets a table over the whole width.
func (p *paper) table(t Table) {
	widths := t.widths()
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	p.skip(1)
	p.room(p.rowHigh(names, widths, bold, 0) + p.rowHigh(first(t.Rows), widths, "", t.Tall))
	p.row(t, names, widths, bold)
	for _, row := range t.Rows {
		page := p.PageNo()
		p.room(p.rowHigh(row, widths, "", t.Tall))
		if p.PageNo() != page {
			p.row(t, names, widths, bold)
		}
		p.row(t, row, widths, "")
	}
	p.skip(2)
}

func first(rows [][]string) []string {
	if len(rows) == 0 {
		return nil
	}
	return rows[0]
}

func (t Table) widths() []float64 {
	var sum float64
	for _, c := range t.Columns {
		sum += c.Wide
	}
	widths := make([]float64, len(t.Columns))
	for i, c := range t.Columns {
		widths[i] = most * c.Wide / sum
	}
	return widths
}

// rowHigh is how high a row is with its space around.
func (p *paper) rowHigh(cells []string, widths []float64, style string, least float64) float64 {
	p.SetFont(text, style, tableType)
	lines := 1
	for i, cell := range cells {
		lines = max(lines, len(p.wrapped(cell, widths[i]-2*cellGap)))
	}
	return max(least, float64(lines)*tableType*pointMM*1.2+2*cellGap)
}

// row sets the cells and their frames; a head stands on grey.
func (p *paper) row(t Table, cells []string, widths []float64, style string) {
	least, how := t.Tall, "D"
	if style == bold {
		least, how = 0, "FD"
	}
	high := p.rowHigh(cells, widths, style, least)
	p.SetDrawColor(120, 120, 120)
	p.SetFillColor(235, 235, 235)
	p.SetLineWidth(0.2)
	step := tableType * pointMM * 1.2
	x := margin
	for i, cell := range cells {
		p.Rect(x, p.y, widths[i], high, how)
		lines := p.wrapped(cell, widths[i]-2*cellGap)
		y := p.y + cellGap
		if least > 0 {
			y = p.y + (high-float64(len(lines))*step)/2
		}
		for _, line := range lines {
			y += step
			at := x + cellGap
			if t.Columns[i].Right {
				at = x + widths[i] - cellGap - p.GetStringWidth(line)
			}
			p.Text(at, y-step*0.25, line)
		}
		x += widths[i]
	}
	p.SetFillColor(0, 0, 0)
	p.y += high
}
