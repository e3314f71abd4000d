package roster

import (
	"cmp"
	"slices"

	"github.com/xnetroseraie/xnet/api/accounts"
)

// fileStaff is somebody who works for the landlord in this residence.
type fileStaff struct {
	ID       string   `yaml:"id"`
	Name     string   `yaml:"name"`
	Language string   `yaml:"language"` // fr where the file does not say it
	Roles    []string `yaml:"roles"`
}

func (r *reader) staff(f file) {
	for _, s := range f.Staff {
		place := "staff " + s.ID
		r.id(place, s.ID)
		r.text(place, "name", s.Name, 1, 200)
		person := accounts.Person{ID: accounts.PersonID(s.ID), Name: s.Name, Language: cmp.Or(s.Language, "fr")}
		if _, known := r.persons[person.ID]; known {
			r.fault(place, "stands twice")
		}
		r.persons[person.ID] = person
		r.roster.Persons = append(r.roster.Persons, person)
		r.roles(place, person.ID, s.Roles)
	}
}

func (r *reader) roles(place string, person accounts.PersonID, names []string) {
	if len(names) == 0 {
		r.fault(place, "roles: want one of %v at least", accounts.Roles)
	}
	for _, name := range names {
		role := accounts.Role(name)
		if !slices.Contains(accounts.Roles, role) {
			r.fault(place, "roles: %q: want one of %v", name, accounts.Roles)
		}
		r.roster.Staff = append(r.roster.Staff, accounts.Member{Person: accounts.Person{ID: person},
			Post: accounts.Post{Role: role, Residence: string(r.roster.Premises.Residence.ID)}})
	}
}
