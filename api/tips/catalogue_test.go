package tips_test

import (
	"testing"

	"github.com/xnetroseraie/xnet/api/tips"
)

// open returns the catalogue that ships.
func open(t *testing.T) *tips.Catalogue {
	t.Helper()
	c, err := tips.Open()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCatalogueShips(t *testing.T) {
	c := open(t)
	if n := len(c.Entries); n < 20 || n > 25 {
		t.Errorf("%d tips, want 20 to 25", n)
	}
	if len(c.Gestures) != 4 {
		t.Errorf("%d gestures, want 4", len(c.Gestures))
	}
}
