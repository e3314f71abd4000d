// Package premises knows residences, their dwellings, and which household lives
// where and when. Its stays clip whatever a person may see.
package premises

import (
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A DwellingID names a dwelling (fr. logement), over all residences.
type DwellingID string

// A HouseholdID names a household (fr. foyer).
type HouseholdID string

// A Residence is a site whose days begin in one zone.
type Residence struct {
	ID       metering.SiteID
	Name     string
	Zone     *time.Location
	Earliest time.Time // earliest plausible instant of a reading, UTC
}

// A Dwelling is a home within a residence.
type Dwelling struct {
	ID        DwellingID
	Residence metering.SiteID
	Building  string
	Staircase string
	Label     string // as on the door, e.g. "12"
	Floor     int    // 0 is the ground floor
	Rooms     int    // 0 where not known
	AreaM2    float64
}

// A Household is the people of one home.
type Household struct {
	ID        HouseholdID
	Occupants int
	Language  string
}

// A Membership says that a person belongs to a household during [From, To); To
// is zero while it lasts. When it ends, so does the person's access.
type Membership struct {
	Person    accounts.PersonID
	Household HouseholdID
	From, To  civil.Date
}

// A Tenancy says that a household lives in a dwelling during [MovedIn,
// MovedOut); MovedOut is zero while it does.
type Tenancy struct {
	ID        string
	Household HouseholdID
	Dwelling  DwellingID
	MovedIn   civil.Date
	MovedOut  civil.Date
}

// A Stay is the part of a tenancy that a person may see: the days [From, To) in
// a dwelling, clipped to what was asked and to the person's membership.
type Stay struct {
	Dwelling Dwelling
	Zone     *time.Location
	MovedIn  civil.Date // of the tenancy, or when the person joined later
	MovedOut civil.Date // zero while it lasts
	From, To civil.Date
}

// Bounds returns the instants [start, end) of the stay.
func (s Stay) Bounds() (start, end time.Time) { return s.From.Start(s.Zone), s.To.Start(s.Zone) }

// A Roster is all that a residence's file says of its premises.
type Roster struct {
	Residence   Residence
	Dwellings   []Dwelling
	Households  []Household
	Memberships []Membership
	Tenancies   []Tenancy
}
