package document

import (
	"errors"
	"fmt"
)

// An Invitation is what stands on the letter by which a person is invited to
// sign in. Texts are lines or paragraphs in the reader's language.
type Invitation struct {
	Language  string   // of the texts, as in "fr"
	Sender    []string // at most 5 lines
	Recipient []string // at most 6 lines, as for an envelope
	Date      string
	Title     string
	Opening   []string
	StepsHead string
	Steps     []string // three: open the address, type the code, enter
	Address   string   // to type
	QR        string   // address in the QR code; the code is not in it
	QRLabel   string
	Code      string
	Notes     []string
	HelpHead  string
	Telephone string
}

// The window of a DL envelope as it is sold in France (110 × 220 mm, window 35 or
// 45 × 100 mm, 20 mm from the right and the lower edge), on an A4 page folded in
// three, wherever the page lies in it: it can slip 10 mm to the left and 11 mm
// up. What is to be seen stands in the first box, and nothing else in the second.
const (
	addressLeft   = 103.0
	addressTop    = 56.0
	addressRight  = 189.0
	addressBottom = 79.0
	windowLeft    = 90.0
	windowTop     = 34.0
	windowBottom  = 92.0
	foldAt        = 99.0
)

// Sizes of type, in points: large, for readers who see badly.
const (
	addressType = 11.0
	smallType   = 10.0
	bodyType    = 14.0
	titleType   = 20.0
	codeType    = 30.0
	dialType    = 22.0
)

// ErrTooLong is a letter that does not fit on its page.
var ErrTooLong = errors.New("letter does not fit on one page")

// Invitations writes the letters, a page each. An error is [ErrTooLong] or
// [ErrQR].
func Invitations(letters []Invitation) ([]byte, error) {
	if len(letters) == 0 {
		return nil, errors.New("no letters to write")
	}
	s := newDocument(letters[0].Language, letters[0].Title)
	for i, letter := range letters {
		s.AddPage()
		if err := s.invitation(letter); err != nil {
			return nil, fmt.Errorf("letter %d: %w", i+1, err)
		}
	}
	return s.bytes()
}

func (s sheet) invitation(l Invitation) error {
	if len(l.Sender) > 5 || len(l.Recipient) > 6 || len(l.Steps) != 3 {
		return ErrTooLong
	}
	s.head(l)
	y := s.write(margin, 103, paperWidth-2*margin, titleType, 1.25, text, bold, l.Title) + 2
	for _, paragraph := range l.Opening {
		y = s.write(margin, y, paperWidth-2*margin, bodyType, 1.3, text, "", paragraph) + 1
	}
	y, err := s.steps(l, y+3)
	if err != nil {
		return err
	}
	for _, note := range l.Notes {
		y = s.write(margin, y, paperWidth-2*margin, bodyType, 1.3, text, "", note) + 1
	}
	y = s.write(margin, y+3, paperWidth-2*margin, bodyType, 1.3, text, bold, l.HelpHead)
	y = s.write(margin, y, paperWidth-2*margin, dialType, 1.3, text, bold, l.Telephone)
	if y > paperHeight-12 {
		return fmt.Errorf("%w: it ends at %.0f mm of %.0f", ErrTooLong, y, paperHeight)
	}
	return s.Error()
}

// head sets what is above the first fold: the sender, the address in the window,
// the date below it, and a mark where to fold.
func (s sheet) head(l Invitation) {
	y := 16.0
	for _, line := range l.Sender {
		s.fit(margin, y, windowLeft-margin, smallType, text, "", line)
		y += smallType * pointMM * 1.3
	}
	step := min(addressType*pointMM*1.25, (addressBottom-addressTop)/float64(max(1, len(l.Recipient))))
	y = addressTop + step*0.8
	for _, line := range l.Recipient {
		s.fit(addressLeft, y, addressRight-addressLeft, addressType, text, "", line)
		y += step
	}
	s.fit(margin, windowBottom+4, paperWidth-2*margin, smallType, text, "", l.Date)
	s.SetLineWidth(0.2)
	s.SetDrawColor(150, 150, 150)
	s.Line(0, foldAt, 5, foldAt)
	s.Line(0, 2*foldAt, 5, 2*foldAt)
}

const (
	qrSide    = 36.0
	stepsWide = paperWidth - 2*margin - qrSide - 4
	indent    = 9.0
)

// steps sets the three steps, the QR code beside the first, and the code below
// the second.
func (s sheet) steps(l Invitation, y float64) (float64, error) {
	top := y
	y = s.write(margin, y, stepsWide, bodyType, 1.3, text, bold, l.StepsHead) + 1
	y = s.step(1, y, l.Steps[0])
	s.fit(margin+indent, y+bodyType*pointMM*1.1, stepsWide-indent, bodyType+1, text, bold, l.Address)
	y += bodyType*pointMM*1.3 + 3
	s.SetFillColor(0, 0, 0)
	right := paperWidth - margin - qrSide
	if err := s.code(right, top, qrSide, l.QR); err != nil {
		return 0, err
	}
	below := s.write(right+2, top+qrSide-2, qrSide, smallType, 1.2, text, "", l.QRLabel)
	y = s.step(2, y, l.Steps[1])
	y = max(y, below) + 2
	s.SetDrawColor(0, 0, 0)
	s.SetLineWidth(0.6)
	s.Rect(margin+indent, y, paperWidth-2*margin-indent, 17, "D")
	s.fit(margin+indent+8, y+12, paperWidth-2*margin-indent-16, codeType, mono, bold, l.Code)
	y = s.step(3, y+20, l.Steps[2])
	return y + 4, nil
}

func (s sheet) step(number int, y float64, paragraph string) float64 {
	s.write(margin, y, indent, bodyType, 1.3, text, bold, fmt.Sprintf("%d.", number))
	return s.write(margin+indent, y, stepsWide-indent, bodyType, 1.3, text, "", paragraph) + 1
}
