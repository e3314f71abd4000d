package tenant

import (
	"html/template"
	"testing"

	"github.com/jba/templatecheck"
)

// A wrong field name fails here, not on a tenant's screen.
func TestPagesFitTheirViews(t *testing.T) {
	for _, page := range []struct {
		name     string
		template *template.Template
		view     any
	}{
		{"sign-in", signInPage.Template, signInView{}},
		{"access", accessPage.Template, accessView{}},
		{"home", homePage.Template, homeView{}},
		{"month", monthPage.Template, monthView{}},
	} {
		t.Run(page.name, func(t *testing.T) {
			if err := templatecheck.CheckHTML(page.template.Lookup("layout"), page.view); err != nil {
				t.Fatal(err)
			}
		})
	}
}
