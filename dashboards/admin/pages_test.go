package admin

import (
	"testing"

	"github.com/jba/templatecheck"
)

// A wrong field name fails here, not on an administrator's screen.
func TestPageFitsItsView(t *testing.T) {
	if err := templatecheck.CheckHTML(settingsPage.Template.Lookup("layout"), view{}); err != nil {
		t.Fatal(err)
	}
}
