package web

import (
	"testing"

	"github.com/jba/templatecheck"
)

func TestFaultPageFitsItsView(t *testing.T) {
	if err := templatecheck.CheckHTML(faultPage.Template.Lookup("layout"), faultView{}); err != nil {
		t.Fatal(err)
	}
}
