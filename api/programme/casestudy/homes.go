package casestudy

import (
	"context"
	"fmt"

	"github.com/goccy/go-yaml"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/roster"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// Names of the households and persons of the case, which are nobody's.
func household(flat int) premises.HouseholdID {
	return premises.HouseholdID(fmt.Sprintf("cas-F-%03d", flat))
}

func person(flat int) accounts.PersonID { return accounts.PersonID(fmt.Sprintf("cas-P-%03d", flat)) }

// loadHomes writes the residence with its households, once: a load of a
// residence's file ends what the file does not name.
func (l *load) loadHomes(ctx context.Context) error {
	var known int
	if err := l.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM residence WHERE id = $1`, string(Residence)).Scan(&known); err != nil || known > 0 {
		return err
	}
	text, err := yaml.Marshal(l.residenceFile())
	if err != nil {
		return err
	}
	read, err := roster.Parse(text)
	if err != nil {
		return err
	}
	l.tell(Step{"dwellings", 0, len(read.Premises.Dwellings)})
	if err := roster.Store(ctx, l.db, read); err != nil {
		return err
	}
	l.tell(Step{"dwellings", len(read.Premises.Dwellings), len(read.Premises.Dwellings)})
	return nil
}

// residenceFile is the case as a residence's file has it.
func (l *load) residenceFile() map[string]any {
	var dwellings []map[string]any
	for flat := 1; flat <= l.Buildings*l.Flats; flat++ {
		building, door := (flat-1)/l.Flats, (flat-1)%l.Flats
		dwellings = append(dwellings, map[string]any{
			"id": fmt.Sprintf("cas-D-%03d", flat), "building": string(rune('A' + building)), "staircase": fmt.Sprint(1 + door/25),
			"label": fmt.Sprintf("%d%02d", door%25/5, door%5+1), "floor": door % 25 / 5, "rooms": 2 + flat%3, "area_m2": 45 + 10*(flat%4),
			"households": []map[string]any{{"id": string(household(flat)), "occupants": 1 + flat%4, "language": "fr", "moved_in": l.MovedIn,
				"persons": []map[string]any{{"id": string(person(flat)), "name": fmt.Sprintf("Famille %03d", flat)}}}},
		})
	}
	r := l.records.Residence
	return map[string]any{
		"residence": map[string]any{"id": r.ID, "name": r.Name, "zone": r.Zone, "earliest": "2005-01-01T00:00:00+01:00", "street": r.Street,
			"postcode": r.Postcode, "town": r.Town},
		"staff":     []map[string]any{{"id": l.Clerk.ID, "name": l.Clerk.Name, "roles": []string{string(accounts.Administrator)}}},
		"dwellings": dwellings,
	}
}

func mustDate(text string) civil.Date {
	d, err := civil.ParseDate(text)
	if err != nil {
		panic(err) // of a file that is part of the program
	}
	return d
}
