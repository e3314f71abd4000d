package roster

import (
	"cmp"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A reader turns a file into a roster and keeps every fault it meets.
type reader struct {
	roster     Roster
	faults     []error
	gatewayIDs map[string]bool
	dwellings  map[string]bool
	points     map[string]bool
	persons    map[accounts.PersonID]accounts.Person
	households map[premises.HouseholdID]premises.Household
	members    map[member]int // index among the roster's memberships
	meters     map[metering.MeterID]meters.Meter
}

type member struct {
	person    accounts.PersonID
	household premises.HouseholdID
}

func newReader() *reader {
	return &reader{
		gatewayIDs: map[string]bool{}, dwellings: map[string]bool{}, points: map[string]bool{},
		persons: map[accounts.PersonID]accounts.Person{}, households: map[premises.HouseholdID]premises.Household{},
		members: map[member]int{}, meters: map[metering.MeterID]meters.Meter{},
	}
}

func (r *reader) fault(place, format string, args ...any) {
	r.faults = append(r.faults, fmt.Errorf("%s: %w", place, fmt.Errorf(format, args...)))
}

func (r *reader) id(place, id string) {
	if !metering.ValidID(id) {
		r.fault(place, "id %q: want 1 to 64 letters, digits, dots, underscores or hyphens", id)
	}
}

func (r *reader) once(seen map[string]bool, place, id string) {
	r.id(place, id)
	if seen[id] {
		r.fault(place, "stands twice")
	}
	seen[id] = true
}

func (r *reader) text(place, what, text string, least, most int) {
	if n := utf8.RuneCountInString(text); n < least || n > most {
		r.fault(place, "%s: want %d to %d characters, got %d", what, least, most, n)
	}
}

func (r *reader) number(place, what string, n, least, most int) {
	if n < least || n > most {
		r.fault(place, "%s: want %d to %d, got %d", what, least, most, n)
	}
}

func (r *reader) instant(place, what, text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.UnixMilli() < 0 {
		r.fault(place, "%s: %q: want an instant after 1970 such as 2026-03-01T10:00:00+01:00", what, text)
		return time.Time{}
	}
	return at.UTC().Truncate(time.Millisecond)
}

func (r *reader) date(place, what, text string) civil.Date {
	d, err := civil.ParseDate(text)
	if err != nil {
		r.fault(place, "%s: %w", what, err)
	}
	return d
}

func (r *reader) residence(f file) {
	const place = "residence"
	r.id(place, f.Residence.ID)
	r.text(place, "name", f.Residence.Name, 1, 200)
	zone, err := time.LoadLocation(f.Residence.Zone)
	if err != nil || f.Residence.Zone == "" || f.Residence.Zone == "Local" {
		r.fault(place, "zone %q: want an IANA name such as Europe/Paris", f.Residence.Zone)
		zone = time.UTC
	}
	r.text(place, "street", f.Residence.Street, 0, 200)
	r.text(place, "postcode", f.Residence.Postcode, 0, 20)
	r.text(place, "town", f.Residence.Town, 0, 100)
	percent := premises.UsualHeatPercent
	if f.Residence.HeatIndividualPercent != nil {
		percent = *f.Residence.HeatIndividualPercent
	}
	r.number(place, "heat_individual_percent", percent, 0, 100)
	r.roster.Premises.Residence = premises.Residence{ID: metering.SiteID(f.Residence.ID), Name: f.Residence.Name,
		Zone: zone, Earliest: r.instant(place, "earliest", f.Residence.Earliest), Street: f.Residence.Street,
		Postcode: f.Residence.Postcode, Town: f.Residence.Town, HeatIndividualPercent: percent}
	r.roster.Meters.Residence = metering.SiteID(f.Residence.ID)
}

func (r *reader) gateways(f file) {
	for i, g := range f.Gateways {
		r.once(r.gatewayIDs, fmt.Sprintf("gateways[%d] %s", i, g.ID), g.ID)
		r.roster.Meters.Gateways = append(r.roster.Meters.Gateways,
			meters.Gateway{ID: metering.GatewayID(g.ID), Residence: r.roster.Meters.Residence})
	}
}

func (r *reader) dwelling(d fileDwelling) {
	place := "dwelling " + d.ID
	r.once(r.dwellings, place, d.ID)
	r.text(place, "building", d.Building, 0, 100)
	r.text(place, "staircase", d.Staircase, 0, 100)
	r.text(place, "label", d.Label, 1, 100)
	r.number(place, "floor", d.Floor, -10, 200)
	r.number(place, "rooms", d.Rooms, 0, 50)
	if d.AreaM2 < 0 || d.AreaM2 > 2000 {
		r.fault(place, "area_m2: want 0 to 2000, got %g", d.AreaM2)
	}
	p := &r.roster.Premises
	p.Dwellings = append(p.Dwellings, premises.Dwelling{ID: premises.DwellingID(d.ID), Residence: p.Residence.ID,
		Building: d.Building, Staircase: d.Staircase, Label: d.Label, Floor: d.Floor, Rooms: d.Rooms, AreaM2: d.AreaM2,
		Heating: r.warmth(place, "heating", d.Heating), HotWater: r.warmth(place, "hot_water", d.HotWater)})
	for _, h := range d.Households {
		r.household(place, d.ID, h)
	}
	for _, point := range d.Points {
		r.point(place, d.ID, point)
	}
	r.provisions(place, d)
}

func (r *reader) household(place, dwelling string, h fileHousehold) {
	place += ": household " + h.ID
	r.id(place, h.ID)
	r.number(place, "occupants", h.Occupants, 1, 30)
	r.text(place, "language", h.Language, 2, 3)
	read := premises.Household{ID: premises.HouseholdID(h.ID), Occupants: h.Occupants, Language: h.Language, Contact: r.contact(place, h.Contact)}
	if before, known := r.households[read.ID]; known && before != read {
		r.fault(place, "stands twice with other occupants, language or contact")
	} else if !known {
		r.households[read.ID] = read
		r.roster.Premises.Households = append(r.roster.Premises.Households, read)
	}

	stay := premises.Tenancy{Household: read.ID, Dwelling: premises.DwellingID(dwelling), MovedIn: r.date(place, "moved_in", h.MovedIn)}
	if h.MovedOut != "" {
		stay.MovedOut = r.date(place, "moved_out", h.MovedOut)
		if !stay.MovedIn.Before(stay.MovedOut) {
			r.fault(place, "moved_out %s must come after moved_in %s", h.MovedOut, h.MovedIn)
		}
	}
	// The same stay keeps its id over loads.
	stay.ID = uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "tenancy/%s/%s/%s", h.ID, dwelling, h.MovedIn)).String()
	r.roster.Premises.Tenancies = append(r.roster.Premises.Tenancies, stay)
	r.consents(place, h, stay)
	for _, p := range h.Persons {
		r.person(place, h, p, stay.MovedIn)
	}
}

func (r *reader) warmth(place, what, text string) premises.Warmth {
	w := premises.Warmth(cmp.Or(text, string(premises.WarmthUnknown)))
	if !slices.Contains(premises.Warmths, w) {
		r.fault(place, "%s %q: want one of %v", what, text, premises.Warmths)
	}
	return w
}

func (r *reader) contact(place string, c fileContact) premises.Contact {
	contact := premises.Contact{By: premises.Channel(cmp.Or(c.By, string(premises.Letter))), Telephone: c.Telephone, Email: c.Email}
	for _, f := range contact.Faults() {
		r.fault(place, "contact: %s is not right or missing", f.Name)
	}
	return contact
}

func (r *reader) consents(place string, h fileHousehold, stay premises.Tenancy) {
	for i, name := range h.Consents {
		purpose := consent.Purpose(name)
		switch {
		case !slices.Contains(consent.Purposes, purpose):
			r.fault(place, "consents: %q: want one of %v", name, consent.Purposes)
		case slices.Contains(h.Consents[:i], name):
			r.fault(place, "consents: %s stands twice", name)
		default:
			r.roster.Consents = append(r.roster.Consents, consent.Agreed{Household: stay.Household, Tenancy: stay.ID,
				Language: h.Language, Purpose: purpose})
		}
	}
}

func (r *reader) person(place string, h fileHousehold, p filePerson, since civil.Date) {
	place += ": person " + p.ID
	r.id(place, p.ID)
	r.text(place, "name", p.Name, 1, 200)
	read := accounts.Person{ID: accounts.PersonID(p.ID), Name: p.Name, Language: h.Language}
	if before, known := r.persons[read.ID]; known && before.Name != read.Name {
		r.fault(place, "stands twice with another name")
	} else if !known {
		r.persons[read.ID] = read
		r.roster.Persons = append(r.roster.Persons, read)
	}
	key := member{read.ID, premises.HouseholdID(h.ID)}
	all := &r.roster.Premises.Memberships
	if at, known := r.members[key]; known { // the household moved: one membership over its stays
		if since.Before((*all)[at].From) {
			(*all)[at].From = since
		}
		return
	}
	r.members[key] = len(*all)
	*all = append(*all, premises.Membership{Person: key.person, Household: key.household, From: since})
}

func (r *reader) point(place, dwelling string, p filePoint) {
	place += ": point " + p.ID
	r.once(r.points, place, p.ID)
	kind, err := metering.ParseKind(p.Kind)
	if err != nil {
		r.fault(place, "kind: %w", err)
	}
	r.roster.Meters.Points = append(r.roster.Meters.Points,
		meters.Point{ID: metering.PointID(p.ID), Dwelling: premises.DwellingID(dwelling), Kind: kind})
	for _, m := range p.Meters {
		r.meter(place, p.ID, kind, m)
	}
}

func (r *reader) meter(place, point string, kind metering.Kind, m fileMeter) {
	place += ": meter " + m.ID
	r.id(place, m.ID)
	if !r.gatewayIDs[m.Gateway] {
		r.fault(place, "gateway %q does not stand among the gateways", m.Gateway)
	}
	interval, err := time.ParseDuration(m.Interval)
	if err != nil || interval < time.Second || interval > 31*24*time.Hour || interval%time.Second != 0 {
		r.fault(place, "interval %q: want whole seconds such as 10s or 10m", m.Interval)
	}
	resolution, err := metering.ParseResolution(m.Resolution)
	if err != nil {
		r.fault(place, "resolution: %w", err)
	}
	if m.IndexModulus < 0 || m.MaxPerHour < 0 {
		r.fault(place, "index_modulus and max_per_hour must not be negative")
	}
	read := meters.Meter{ID: metering.MeterID(m.ID), Gateway: metering.GatewayID(m.Gateway), Kind: kind,
		IndexModulus: m.IndexModulus, MaxPerHour: m.MaxPerHour, Interval: interval, Resolution: resolution}
	if before, known := r.meters[read.ID]; known && before != read {
		r.fault(place, "stands twice with other properties")
	} else if !known {
		r.meters[read.ID] = read
		r.roster.Meters.Meters = append(r.roster.Meters.Meters, read)
	}
	r.binding(place, point, m)
}

func (r *reader) binding(place, point string, m fileMeter) {
	b := meters.Binding{Meter: metering.MeterID(m.ID), Point: metering.PointID(point),
		From: r.instant(place, "from", m.From), FirstIndex: m.FirstIndex, LastIndex: m.LastIndex}
	if m.To != "" {
		b.To = r.instant(place, "to", m.To)
		if !b.To.After(b.From) {
			r.fault(place, "to %s must come after from %s", m.To, m.From)
		}
	}
	if m.LastIndex != nil && m.To == "" {
		r.fault(place, "last_index without to: a meter that hangs has no last index yet")
	}
	for _, index := range []*metering.Amount{m.FirstIndex, m.LastIndex} {
		if index != nil && (*index < 0 || m.IndexModulus > 0 && *index >= m.IndexModulus) {
			r.fault(place, "index %d: want 0 or more, and less than index_modulus", *index)
		}
	}
	r.roster.Meters.Bindings = append(r.roster.Meters.Bindings, b)
}

// overlaps finds what the schema would refuse without naming its place.
func (r *reader) overlaps() {
	stays := slices.SortedFunc(slices.Values(r.roster.Premises.Tenancies), func(a, b premises.Tenancy) int {
		return cmp.Or(cmp.Compare(a.Dwelling, b.Dwelling), cmp.Compare(a.MovedIn.String(), b.MovedIn.String()))
	})
	for i := 1; i < len(stays); i++ {
		a, b := stays[i-1], stays[i]
		if a.Dwelling == b.Dwelling && (a.MovedOut.IsZero() || b.MovedIn.Before(a.MovedOut)) {
			r.fault("dwelling "+string(a.Dwelling), "households %s and %s live there at once from %s", a.Household, b.Household, b.MovedIn)
		}
	}
	r.overlapping("point", func(b meters.Binding) (string, string) { return string(b.Point), "meter " + string(b.Meter) })
	r.overlapping("meter", func(b meters.Binding) (string, string) { return string(b.Meter), "point " + string(b.Point) })
}

func (r *reader) overlapping(what string, key func(meters.Binding) (id, other string)) {
	all := slices.SortedFunc(slices.Values(r.roster.Meters.Bindings), func(a, b meters.Binding) int {
		idA, _ := key(a)
		idB, _ := key(b)
		return cmp.Or(cmp.Compare(idA, idB), a.From.Compare(b.From))
	})
	for i := 1; i < len(all); i++ {
		idA, otherA := key(all[i-1])
		idB, otherB := key(all[i])
		if idA == idB && (all[i-1].To.IsZero() || all[i].From.Before(all[i-1].To)) {
			r.fault(what+" "+idA, "%s and %s at once from %s", otherA, otherB, all[i].From.Format(time.RFC3339))
		}
	}
}
