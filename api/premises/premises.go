// Package premises knows residences, their dwellings, and which household lives
// where and when. What a person may see of a home is clipped here, in SQL: for
// tenants and helpers by the view sight, for staff by their roles.
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
	Street   string    // for letters, as Postcode and Town; empty where not known
	Postcode string
	Town     string
	// HeatIndividualPercent is the share of the heat that meters split, 0 to
	// 100; the rest is common (fr. article R.174-10 of the building code: 70).
	HeatIndividualPercent int
	Version               int64
}

// A Warmth is how a dwelling gets its heat or its hot water.
type Warmth string

// The ways.
const (
	WarmthUnknown Warmth = "unknown"
	Collective    Warmth = "collective" // of the building
	Gas           Warmth = "gas"        // own boiler
	Electric      Warmth = "electric"
	HeatPump      Warmth = "heat_pump"
	Wood          Warmth = "wood"
	OtherWarmth   Warmth = "other"
	NoWarmth      Warmth = "none"
)

// Warmths lists every way.
var Warmths = []Warmth{WarmthUnknown, Collective, Gas, Electric, HeatPump, Wood, OtherWarmth, NoWarmth}

// A Dwelling is a home within a residence. Its zero Version is that of a
// dwelling which is not stored.
type Dwelling struct {
	ID        DwellingID
	Residence metering.SiteID
	Building  string
	Staircase string
	Label     string // as on the door, e.g. "12"
	Floor     int    // 0 is the ground floor
	Rooms     int    // 0 where not known
	AreaM2    float64
	Heating   Warmth // empty counts as WarmthUnknown
	HotWater  Warmth
	Version   int64
}

// A Channel is how a household wants to be told things.
type Channel string

// The channels.
const (
	Letter    Channel = "letter"
	Telephone Channel = "telephone"
	Email     Channel = "e-mail"
)

// Channels lists every channel.
var Channels = []Channel{Letter, Telephone, Email}

// A Contact is how a household is reached. What its channel needs is there.
type Contact struct {
	By        Channel // empty counts as Letter
	Telephone string
	Email     string
}

// A Household is the people of one home.
type Household struct {
	ID        HouseholdID
	Occupants int
	Language  string
	Contact   Contact
	Version   int64
}

// A Membership says that a person belongs to a household during [From, To); To
// is zero while it lasts. When it ends, so does the person's access.
type Membership struct {
	Person    accounts.PersonID
	Household HouseholdID
	From, To  civil.Date
	Version   int64
}

// A Tenancy says that a household lives in a dwelling during [MovedIn,
// MovedOut); MovedOut is zero while it does.
type Tenancy struct {
	ID        string
	Household HouseholdID
	Dwelling  DwellingID
	MovedIn   civil.Date
	MovedOut  civil.Date
	Version   int64
}

// A Stay is the part of a tenancy that a person may see: the days [From, To) in
// a dwelling, clipped to what was asked and to the person's membership.
type Stay struct {
	Household HouseholdID
	Dwelling  Dwelling
	Zone      *time.Location
	MovedIn   civil.Date // of the tenancy, or when the person joined later
	MovedOut  civil.Date // zero while it lasts
	From, To  civil.Date
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
