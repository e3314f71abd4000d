package document

import (
	"errors"
	"fmt"
)

// A Label is stuck on a machine: what a person reads and what a scanner does.
type Label struct {
	Tag   string   // large
	Lines []string // at most 4: what it is, its number, whose it is
	QR    string   // text of the QR code
}

// LabelsOnPage is how many labels a page has: three beside each other and eight
// below, of 70 × 37 mm, without space between them, as office shops sell them.
const LabelsOnPage = 24

const (
	labelAcross = 3
	labelWide   = 70.0
	labelHigh   = 37.0
	labelTop    = 0.5 // (297 − 8 × 37) / 2
	labelQR     = 27.0
	unprinted   = 5.0 // that a printer leaves at the edges of the paper
	tagType     = 17.0
)

// ErrLabels are labels that do not fit their place: none, too many lines, or a
// first place that the page has not.
var ErrLabels = errors.New("labels do not fit their sheet")

// Labels writes labels on A4 pages of [LabelsOnPage]. First is the place of the
// first one, from 0: a page of which some are gone can be used up. An error is
// [ErrLabels] or [ErrQR].
func Labels(language, title string, first int, labels []Label) ([]byte, error) {
	if len(labels) == 0 || first < 0 || first >= LabelsOnPage {
		return nil, fmt.Errorf("%w: %d labels from place %d of %d on", ErrLabels, len(labels), first, LabelsOnPage)
	}
	s := newDocument(language, title)
	for i, l := range labels {
		place := (first + i) % LabelsOnPage
		if i == 0 || place == 0 {
			s.AddPage()
		}
		x, y := float64(place%labelAcross)*labelWide, labelTop+float64(place/labelAcross)*labelHigh
		if err := s.label(x, y, l); err != nil {
			return nil, fmt.Errorf("label %s: %w", l.Tag, err)
		}
	}
	return s.bytes()
}

// label sets one with the code on the left; nothing stands where a printer does
// not reach.
func (s sheet) label(x, y float64, l Label) error {
	if len(l.Lines) > 4 {
		return ErrLabels
	}
	s.SetFillColor(0, 0, 0)
	top := y + (labelHigh-labelQR)/2
	if err := s.code(x+unprinted-1, top, labelQR, l.QR); err != nil {
		return err
	}
	left := x + unprinted + labelQR
	wide := labelWide - 2*unprinted - labelQR
	at := top + tagType*pointMM*1.05
	s.fit(left, at, wide, tagType, mono, bold, l.Tag)
	for _, line := range l.Lines {
		at += labelType * pointMM * 1.45
		s.fit(left, at, wide, labelType, text, "", line)
	}
	return s.Error()
}
