package premises

import (
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// UsualHeatPercent is the share of the heat that is split by the meters where
// nobody says otherwise.
const UsualHeatPercent = 70

// Limits of what people write.
const (
	mostOccupants  = 30
	longestName    = 200
	longestDoor    = 100
	longestPhone   = 30
	longestEmail   = 254
	leastDigits    = 6
	mostDigits     = 15
	lowestFloor    = -10
	highestFloor   = 200
	mostRooms      = 50
	largestM2      = 2000
	longestStreet  = 200
	longestZipCode = 20
	longestTown    = 100
)

// faults collects what is wrong with fields.
type faults []problem.Field

func (f *faults) add(name, message string, args ...any) {
	*f = append(*f, problem.Field{Name: name, Message: message, Args: args})
}

// text trims what was written and holds it within its limits.
func (f *faults) text(name string, written *string, least, most int) {
	*written = strings.TrimSpace(*written)
	n := utf8.RuneCountInString(*written)
	switch {
	case !utf8.ValidString(*written) || strings.ContainsFunc(*written, accounts.Unreadable):
		f.add(name, "field.malformed")
	case n < least:
		f.add(name, "field.missing")
	case n > most:
		f.add(name, "field.too_long", most)
	}
}

func (f *faults) number(name string, n, least, most int) {
	if n < least || n > most {
		f.add(name, "field.out_of_range", least, most)
	}
}

func (f *faults) oneOf(name, written string, all []string) {
	if !slices.Contains(all, written) {
		f.add(name, "field.not_one_of", strings.Join(all, ", "))
	}
}

func (f *faults) id(name, written string) {
	if !metering.ValidID(written) {
		f.add(name, "field.no_id")
	}
}

// language holds two or three small letters.
func (f *faults) language(name, written string) {
	if n := len(written); n < 2 || n > 3 || strings.Trim(written, "abcdefghijklmnopqrstuvwxyz") != "" {
		f.add(name, "field.no_language")
	}
}

// Faults returns what is wrong with the contact; its fields are "contact_by",
// "telephone" and "email". What the channel needs must be there.
func (c *Contact) Faults() []problem.Field {
	var f faults
	f.oneOf("contact_by", string(c.By), texts(Channels))
	f.text("telephone", &c.Telephone, 0, longestPhone)
	f.text("email", &c.Email, 0, longestEmail)
	switch {
	case c.Telephone == "" && c.By == Telephone:
		f.add("telephone", "field.missing")
	case c.Telephone != "" && !isTelephone(c.Telephone):
		f.add("telephone", "field.no_telephone")
	}
	switch {
	case c.Email == "" && c.By == Email:
		f.add("email", "field.missing")
	case c.Email != "" && !isEmail(c.Email):
		f.add("email", "field.no_email")
	}
	return f
}

func isTelephone(text string) bool {
	digits := 0
	for i, r := range text {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r == '+' && i == 0, strings.ContainsRune(" .-()/\u00a0\u202f", r):
		default:
			return false
		}
	}
	return digits >= leastDigits && digits <= mostDigits
}

func isEmail(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Address == text && a.Name == ""
}

// Faults returns what is wrong with the dwelling's fields, named as in JSON; it
// trims its texts, and an unknown way of heating is written as such.
func (d *Dwelling) Faults() []problem.Field {
	var f faults
	f.id("id", string(d.ID))
	f.id("residence", string(d.Residence))
	f.text("building", &d.Building, 0, longestDoor)
	f.text("staircase", &d.Staircase, 0, longestDoor)
	f.text("label", &d.Label, 1, longestDoor)
	f.number("floor", d.Floor, lowestFloor, highestFloor)
	f.number("rooms", d.Rooms, 0, mostRooms)
	if !(d.AreaM2 >= 0 && d.AreaM2 <= largestM2) {
		f.add("area_m2", "field.out_of_range", 0, largestM2)
	}
	d.Heating, d.HotWater = orUnknown(d.Heating), orUnknown(d.HotWater)
	f.oneOf("heating", string(d.Heating), texts(Warmths))
	f.oneOf("hot_water", string(d.HotWater), texts(Warmths))
	return f
}

// Faults returns what is wrong with the household's fields.
func (h *Household) Faults() []problem.Field {
	var f faults
	f.number("occupants", h.Occupants, 1, mostOccupants)
	f.language("language", h.Language)
	h.Contact.By = orLetter(h.Contact.By)
	return append(f, h.Contact.Faults()...)
}

// Faults returns what is wrong with the person's fields.
func (n *NewPerson) Faults() []problem.Field {
	var f faults
	f.text("name", &n.Name, 1, longestName)
	f.language("language", n.Language)
	return f
}

// Faults returns what is wrong with the fields of the mandate that need no look
// at the store.
func (n *NewMandate) Faults() []problem.Field {
	var f faults
	f.text("helper_name", &n.HelperName, 1, longestName)
	f.language("language", n.Language)
	f.oneOf("scope", string(n.Scope), texts(MandateScopes))
	return f
}

// Faults returns what is wrong with the fields of the residence that may change.
func (r *Residence) Faults() []problem.Field {
	var f faults
	f.text("name", &r.Name, 1, longestName)
	f.text("street", &r.Street, 0, longestStreet)
	f.text("postcode", &r.Postcode, 0, longestZipCode)
	f.text("town", &r.Town, 0, longestTown)
	f.number("heat_individual_percent", r.HeatIndividualPercent, 0, 100)
	return f
}

func texts[T ~string](all []T) []string {
	written := make([]string, len(all))
	for i, one := range all {
		written[i] = string(one)
	}
	return written
}

func decimal(n int) string { return strconv.Itoa(n) }
