package web

import (
	"html/template"
	"strconv"
)

// Drawing is the chart's bars as SVG, each with its words for who points at it or
// has it read aloud. A page may have a hundred bars; written here they take a tenth
// of the time that a template takes for them.
func (c Chart) Drawing() template.HTML {
	m := make(markup, 0, barRoom*len(c.Bars))
	for _, b := range c.Bars {
		m.put("<g><title>").text(b.Name).put(" : ").text(b.Written)
		if b.Note != "" {
			m.put(" (").text(b.Note).put(")")
		}
		if b.BeforeWritten != "" {
			m.put(" – ").text(b.BeforeWritten)
		}
		m.put("</title>")
		if b.BeforeH != 0 {
			m.rect("before", b.BeforeX, b.BeforeY, b.BeforeWidth, b.BeforeH).put("/>")
		}
		m.rect(b.Class, b.X, b.Y, b.Width, b.H)
		if b.Estimated && !b.Open {
			m.put(` fill="url(#`).text(c.ID).put(`-hatch)"`)
		}
		m.put("/>")
		if b.ShowLabel {
			m.label(b, c.Below)
		}
		m.put("</g>\n")
	}
	return template.HTML(m) // all that is not written here went through text
}

// barRoom is about as long as a bar's markup.
const barRoom = 200

// markup is HTML that grows.
type markup []byte

// put adds what is HTML already.
func (m *markup) put(html string) *markup {
	*m = append(*m, html...)
	return m
}

// text adds words, or the content of a quoted attribute, in which nothing is markup.
func (m *markup) text(words string) *markup { return m.put(template.HTMLEscapeString(words)) }

func (m *markup) number(n int) *markup {
	*m = strconv.AppendInt(*m, int64(n), 10)
	return m
}

// rect begins a bar; the caller ends it.
func (m *markup) rect(class, x string, y int, width string, height int) *markup {
	m.put(`<rect class="`).text(class).put(`" x="`).text(x).put(`" y="`).number(y)
	return m.put(`" width="`).text(width).put(`" height="`).number(height).put(`"`)
}

func (m *markup) label(b DrawnBar, below int) {
	m.put(`<text class="day`)
	if b.Spare {
		m.put(" spare")
	}
	m.put(`" x="`).text(b.Middle).put(`" y="`).number(below).put(`" text-anchor="middle">`).text(b.Label).put("</text>")
}
