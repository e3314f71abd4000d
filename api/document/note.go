package document

import (
	"errors"
	"fmt"
	"strings"
)

// A Note is one page that tells a household what it used. Texts are lines or
// paragraphs in the reader's language; figures are written out.
type Note struct {
	Language  string
	Sender    []string // at most 5 lines
	Recipient []string // at most 6 lines, as for an envelope
	Date      string
	Title     string
	Lead      string        // what it is, and that it is no bill
	Kinds     []NoteSection // at most 5, the first two with a graph
	Notes     []string      // small print: prices, how it is compared
	HelpHead  string
	Telephone string
	Contacts  []string
}

// A NoteSection is what a note tells of one kind.
type NoteSection struct {
	Title  string
	Figure string // of the period, large
	Lines  []string
	Bars   []NoteBar // none where nothing is known
	Key    [2]string // what the two bars of a month are: before, now
	Top    string    // what the highest bar stands for
}

// A NoteBar is a month of a graph, each as a share of the highest, 0 to 1; below 0
// where nothing is known.
type NoteBar struct {
	Label       string
	Before, Now float64
}

const (
	noteType     = 12.0
	figureType   = 19.0
	labelType    = 8.5
	graphWide    = 84.0
	graphHigh    = 27.0
	columnGap    = 6.0
	mostSections = 5
)

// NotePage writes a note as one A4 page, the address in the window of an envelope as
// on an [Invitation]. Where there is much to say the type gets smaller and kinds
// lose their graph, the last first. An error is [ErrTooLong] where it does not fit even so.
func NotePage(n Note) ([]byte, error) {
	if len(n.Sender) > 5 || len(n.Recipient) > 6 || len(n.Kinds) > mostSections {
		return nil, ErrTooLong
	}
	var page []byte
	err := ErrTooLong
	for _, tight := range []noteSheet{{graphs: 2, scale: 1}, {graphs: 2, scale: 0.88}, {graphs: 1, scale: 1}, {graphs: 1, scale: 0.88}, {scale: 1}, {scale: 0.85}, {scale: 0.7}} {
		if page, err = tight.page(n); !errors.Is(err, ErrTooLong) {
			break
		}
	}
	return page, err
}

// A noteSheet is a page that is laid out more or less tightly.
type noteSheet struct {
	sheet
	graphs int     // how many kinds have one at most
	scale  float64 // of the type, for a page with much to say
}

func (s noteSheet) page(n Note) ([]byte, error) {
	s.sheet = newDocument(n.Language, n.Title)
	s.AddPage()
	s.head(Invitation{Sender: n.Sender, Recipient: n.Recipient, Date: n.Date})
	const width = paperWidth - 2*margin
	y := s.flow(margin, 101, width, titleType-2, 1.2, bold, n.Title) + 1
	y = s.flow(margin, y, width, noteType, 1.25, "", n.Lead) + 1
	for i, k := range n.Kinds {
		y = s.section(k, y+1.5, i < s.graphs && len(k.Bars) > 0)
	}
	y += 2
	for _, line := range n.Notes {
		y = s.flow(margin, y, width, smallType, 1.2, "", line)
	}
	y = s.flow(margin, y+2, width, noteType+2, 1.25, bold, n.HelpHead+" "+n.Telephone)
	for _, line := range n.Contacts {
		y = s.flow(margin, y, width, smallType, 1.2, "", line)
	}
	if y > paperHeight-8 {
		return nil, fmt.Errorf("%w: it ends at %.0f mm of %.0f", ErrTooLong, y, paperHeight)
	}
	return s.bytes()
}

// flow sets a paragraph as write does, but breaks lines as wrapped does and scales
// the type.
func (s noteSheet) flow(x, y, width, points, leading float64, style, paragraph string) float64 {
	points *= s.scale
	s.SetFont(text, style, points)
	step := points * pointMM * leading
	for _, line := range s.wrapped(paragraph, width) {
		y += step
		s.Text(x, y-step*0.25, line)
	}
	return y
}

// section sets a kind: words on the left, the graph on the right. Without a graph
// it is a line or two over the whole width.
func (s noteSheet) section(k NoteSection, y float64, drawn bool) float64 {
	s.SetDrawColor(120, 120, 120)
	s.SetLineWidth(0.2)
	s.Line(margin, y, paperWidth-margin, y)
	if !drawn {
		words := strings.Join(append([]string{k.Figure + "."}, k.Lines...), " ")
		y = s.flow(margin, y+0.5, paperWidth-2*margin, noteType, 1.2, bold, k.Title)
		return s.flow(margin, y, paperWidth-2*margin, noteType, 1.2, "", words) + 0.5
	}
	width := paperWidth - 2*margin - graphWide - columnGap
	end := s.flow(margin, y+0.5, width, noteType+1, 1.2, bold, k.Title)
	end = s.flow(margin, end, width, figureType, 1.1, bold, k.Figure) + 0.5
	for _, line := range k.Lines {
		end = s.flow(margin, end, width, noteType, 1.2, "", line)
	}
	bottom := s.graph(k, paperWidth-margin-graphWide, y+2)
	return max(end, bottom) + 1
}

// graph draws two bars a month, last year's grey and open behind this year's.
func (s noteSheet) graph(k NoteSection, x, y float64) float64 {
	s.fit(x, y+3, graphWide, labelType, text, "", k.Top)
	top, base := y+5, y+5+graphHigh
	s.SetLineWidth(0.2)
	s.SetDrawColor(90, 90, 90)
	s.Line(x, base, x+graphWide, base)
	step := graphWide / float64(max(1, len(k.Bars)))
	wide := step * 0.36
	for i, b := range k.Bars {
		left := x + float64(i)*step + step*0.1
		s.bar(left, base, wide, b.Before*(base-top), 195)
		s.bar(left+wide+step*0.04, base, wide, b.Now*(base-top), 40)
		s.SetFont(text, "", labelType)
		label := printable(b.Label)
		s.Text(left+wide-s.GetStringWidth(label)/2, base+3.6, label)
	}
	key := base + 8
	for i, grey := range []int{195, 40} {
		at := x + float64(i)*graphWide/2
		s.bar(at, key, 3, 2.6, grey)
		s.fit(at+4.5, key, graphWide/2-7.5, labelType, text, "", k.Key[i])
	}
	s.SetFillColor(0, 0, 0)
	return key + 1
}

// bar stands on base; what is not known is a cross in its place.
func (s noteSheet) bar(x, base, wide, high float64, grey int) {
	if high < 0 {
		s.SetDrawColor(grey, grey, grey)
		s.Line(x, base-1.2, x+wide, base-1.2-wide)
		s.Line(x, base-1.2-wide, x+wide, base-1.2)
		return
	}
	s.SetFillColor(grey, grey, grey)
	s.SetDrawColor(60, 60, 60)
	s.Rect(x, base-high, wide, high, "FD")
}
