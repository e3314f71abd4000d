package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// The landlord's list of the residence, as "api load" reads it. It says what the
// landlord believes: two flats have their meters crossed.
type (
	listFile struct {
		Residence listResidence  `yaml:"residence"`
		Gateways  []listGateway  `yaml:"gateways"`
		Tariffs   []listTariff   `yaml:"tariffs"`
		Staff     []listStaff    `yaml:"staff"`
		Dwellings []listDwelling `yaml:"dwellings"`
	}
	listResidence struct {
		ID       string `yaml:"id"`
		Name     string `yaml:"name"`
		Zone     string `yaml:"zone"`
		Earliest string `yaml:"earliest"`
		Street   string `yaml:"street"` // for letters, as the two below
		Postcode string `yaml:"postcode"`
		Town     string `yaml:"town"`
	}
	listGateway struct {
		ID string `yaml:"id"`
	}
	listStaff struct {
		ID    string   `yaml:"id"`
		Name  string   `yaml:"name"`
		Roles []string `yaml:"roles,flow"`
	}
	listDwelling struct {
		ID         string          `yaml:"id"`
		Building   string          `yaml:"building"`
		Staircase  string          `yaml:"staircase"`
		Label      string          `yaml:"label"`
		Floor      int             `yaml:"floor"`
		Rooms      int             `yaml:"rooms"`
		AreaM2     int             `yaml:"area_m2"`
		Heating    string          `yaml:"heating"`
		HotWater   string          `yaml:"hot_water"`
		Households []listHousehold `yaml:"households,omitempty"`
		Points     []listPoint     `yaml:"points,omitempty"`
		Provisions []listProvision `yaml:"provisions,omitempty"`
	}
	listHousehold struct {
		ID        string       `yaml:"id"`
		Occupants int          `yaml:"occupants"`
		Language  string       `yaml:"language"`
		MovedIn   string       `yaml:"moved_in"`
		MovedOut  string       `yaml:"moved_out,omitempty"`
		Consents  []string     `yaml:"consents,omitempty"`
		Persons   []listPerson `yaml:"persons"`
	}
	listPerson struct {
		ID   string `yaml:"id"`
		Name string `yaml:"name"`
	}
	listPoint struct {
		ID     string      `yaml:"id"`
		Kind   string      `yaml:"kind"`
		Meters []listMeter `yaml:"meters"`
	}
	listMeter struct {
		ID           string           `yaml:"id"`
		Gateway      string           `yaml:"gateway"`
		Interval     string           `yaml:"interval"`
		IndexModulus metering.Amount  `yaml:"index_modulus"`
		MaxPerHour   metering.Amount  `yaml:"max_per_hour"`
		Resolution   string           `yaml:"resolution"`
		From         string           `yaml:"from"`
		To           string           `yaml:"to,omitempty"`
		FirstIndex   *metering.Amount `yaml:"first_index,omitempty"`
		LastIndex    *metering.Amount `yaml:"last_index,omitempty"`
	}
)

// landlordsList writes the list; interval is how often the gateways read.
func landlordsList(r *household.Residence, interval time.Duration) listFile {
	list := listFile{Residence: listResidence{ID: string(r.SiteID), Name: r.Name,
		Zone: r.Zone.String(), Earliest: r.Epoch.Start(r.Zone).UTC().Format(time.RFC3339),
		Street: "3 rue des Rosiers", Postcode: "49000", Town: "Angers"}}
	list.Tariffs = tariffs
	for _, s := range staff {
		list.Staff = append(list.Staff, listStaff{s.person, s.name, []string{s.role}})
	}
	for _, g := range r.Gateways {
		list.Gateways = append(list.Gateways, listGateway{ID: string(g.ID)})
	}
	for _, d := range r.Dwellings {
		if d.Building == losing && d.Has(household.Unmetered) {
			continue // a main is set against homes only where all of them are metered
		}
		list.Dwellings = append(list.Dwellings, listDwelling{ID: string(d.ID), Building: d.Building,
			Staircase: fmt.Sprint(d.Staircase), Label: fmt.Sprint(d.Number),
			Floor: d.Floor, Rooms: d.Rooms, AreaM2: d.AreaM2, Heating: "collective", HotWater: "collective",
			Households: households(d), Points: points(r, d.ID, interval), Provisions: provisions(d)})
	}
	return list
}

func households(d *household.Dwelling) (list []listHousehold) {
	for i, h := range d.Households {
		entry := listHousehold{ID: householdID(d, i), Occupants: h.Occupants, Language: "fr",
			MovedIn: h.MovedIn.String(), MovedOut: dateText(h.MovedOut)}
		if h.Consent == household.ConsentFine {
			entry.Consents = []string{"daily_follow_up", "fine_curve", "personal_advice"}
		}
		for j, p := range h.Persons {
			if p.Age != household.Child {
				entry.Persons = append(entry.Persons, listPerson{ID: personID(d, i, j), Name: p.Name()})
			}
		}
		list = append(list, entry)
	}
	return list
}

func householdID(d *household.Dwelling, i int) string { return fmt.Sprintf("%s.%d", d.ID, i+1) }

func personID(d *household.Dwelling, i, j int) string {
	return fmt.Sprintf("%s.%d", householdID(d, i), j+1)
}

func dateText(d civil.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// points lists the meters that the landlord believes to count for a dwelling.
func points(r *household.Residence, dwelling household.DwellingID, interval time.Duration) (list []listPoint) {
	for _, m := range r.Meters() {
		if m.Bound != dwelling {
			continue
		}
		i := slices.IndexFunc(list, func(p listPoint) bool { return p.Kind == string(m.Kind) })
		if i < 0 {
			i = len(list)
			list = append(list, listPoint{ID: pointID(dwelling, m.Kind), Kind: string(m.Kind)})
		}
		list[i].Meters = append(list[i].Meters, listed(r, m, interval))
	}
	return list
}

func pointID(dwelling household.DwellingID, k metering.Kind) string {
	return fmt.Sprintf("%s.%s", dwelling, k)
}

func listed(r *household.Residence, m *household.Meter, interval time.Duration) listMeter {
	entry := listMeter{ID: string(m.ID), Gateway: string(m.Gateway), Interval: interval.String(),
		IndexModulus: m.IndexModulus, MaxPerHour: m.MaxPerHour, Resolution: string(metering.Fine), // what households agree to decides
		From: r.Epoch.Start(r.Zone).UTC().Format(time.RFC3339)}
	if !m.From.IsZero() {
		entry.From = m.From.UTC().Format(time.RFC3339)
		entry.FirstIndex = &m.FirstIndex
	}
	if !m.To.IsZero() {
		entry.To = m.To.UTC().Format(time.RFC3339)
		entry.LastIndex = &m.LastIndex
	}
	return entry
}
