package installer

import (
	"html/template"
	"testing"

	"github.com/jba/templatecheck"
)

// A wrong field name fails here, not on an installer's phone.
func TestPagesFitTheirViews(t *testing.T) {
	for _, page := range []struct {
		name     string
		template *template.Template
		view     any
	}{
		{"list", listPage.Template, listView{}},
		{"meter", meterPage.Template, meterView{}},
		{"gateway", gatewayPage.Template, gatewayView{}},
	} {
		t.Run(page.name, func(t *testing.T) {
			if err := templatecheck.CheckHTML(page.template.Lookup("layout"), page.view); err != nil {
				t.Fatal(err)
			}
		})
	}
}
