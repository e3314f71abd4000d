package document

import (
	"bytes"
	"regexp"
	"strconv"
	"testing"
)

// What shows in an envelope's window is the address and nothing else, wherever
// the letter slips, and the code stands below the fold.
func TestWindowShowsOnlyTheAddress(t *testing.T) {
	s := newDocument("fr", "T")
	s.SetCompression(false)
	s.AddPage()
	l := Invitation{Language: "fr", Sender: []string{"1", "2", "3", "4", "A sender whose name is so long that it would reach the window"},
		Recipient: []string{"1", "2", "3", "4", "5", "A sixth line that is so long that it would reach the edge"}, Date: "D", Title: "T",
		Opening: []string{"O"}, StepsHead: "S", Steps: []string{"1", "2", "3"}, Address: "a", QR: "https://a", QRLabel: "q", Code: "ACDE-2347-FGHJ",
		Notes: []string{"N"}, HelpHead: "H", Telephone: "0"}
	if err := s.invitation(l); err != nil {
		t.Fatal(err)
	}
	pdf, err := s.bytes()
	if err != nil {
		t.Fatal(err)
	}
	page, _, _ := bytes.Cut(pdf, []byte("endstream"))
	var inWindow, above int
	for _, found := range regexp.MustCompile(`BT ([\d.]+) ([\d.]+) Td`).FindAllSubmatch(page, -1) {
		x, y := millimetres(t, found[1]), paperHeight-millimetres(t, found[2])
		switch {
		case x >= addressLeft-0.1 && x < addressRight && y > addressTop && y < addressBottom:
			inWindow++
		case x > windowLeft && y > windowTop && y < windowBottom:
			t.Errorf("a text at %.0f, %.0f mm shows in the window beside the address", x, y)
		case y < foldAt:
			above++
		}
	}
	if inWindow != len(l.Recipient) || above != len(l.Sender)+1 {
		t.Errorf("%d lines in the window and %d elsewhere above the fold, want %d and %d", inWindow, above, len(l.Recipient), len(l.Sender)+1)
	}
	s.SetFont(text, "", addressType)
	if w := s.GetStringWidth("A line of thirty-eight characters, here"); w > addressRight-addressLeft {
		t.Errorf("38 characters are %.0f mm wide, the window %.0f", w, addressRight-addressLeft)
	}
}

func millimetres(t *testing.T, points []byte) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(string(points), 64)
	if err != nil {
		t.Fatal(err)
	}
	return x * pointMM
}
