package landlord

import (
	"html/template"
	"testing"

	"github.com/jba/templatecheck"
)

// A wrong field name fails here, not on somebody's screen.
func TestPagesFitTheirViews(t *testing.T) {
	for _, page := range []struct {
		name     string
		template *template.Template
		view     any
	}{
		{"dwellings", dwellingsPage.Template, dwellingsView{}},
		{"dwelling", dwellingPage.Template, dwellingView{}},
		{"residence", residencePage.Template, residenceView{}},
		{"import form", importFormPage.Template, importFormView{}},
		{"import", importPage.Template, importView{}},
		{"people", homesPage.Template, homesView{}},
		{"household", householdPage.Template, householdView{}},
		{"move", movePage.Template, moveView{}},
	} {
		t.Run(page.name, func(t *testing.T) {
			if err := templatecheck.CheckHTML(page.template.Lookup("layout"), page.view); err != nil {
				t.Fatal(err)
			}
		})
	}
}
