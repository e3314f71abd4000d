package household

import (
	"math/rand/v2"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// An Age says of which habits a person is.
type Age string

// The ages.
const (
	Adult  Age = "adult"
	Child  Age = "child"
	Senior Age = "senior"
)

// A Person is made up: every surname is the name of a flower or a tree.
type Person struct {
	FirstName, LastName string
	Age                 Age
}

// Name is the first and the last name.
func (p Person) Name() string { return p.FirstName + " " + p.LastName }

// A Consent is what a household agreed to have read.
type Consent string

// The levels of consent.
const (
	ConsentFine Consent = "fine"     // every reading of every kind
	ConsentNone Consent = "defaults" // what is read of everybody, see [metering.DefaultResolution]
)

// Resolution is how finely a meter of kind k may be read under the consent.
func (c Consent) Resolution(k metering.Kind) metering.Resolution {
	if c == ConsentFine {
		return metering.Fine
	}
	return metering.DefaultResolution(k)
}

// A Household lives in a dwelling from MovedIn until the day before MovedOut; a
// zero MovedOut means that it still does.
type Household struct {
	Persons           []Person // the tenant first
	Occupants         int      // as the household declared
	MovedIn, MovedOut civil.Date
	Consent           Consent

	habits habits
}

// settle moves the households in and asks each for its consent.
func (r *Residence) settle() {
	names := r.surnames()
	next := func() (name string) { name, names = names[0], names[1:]; return name }
	for _, d := range r.Dwellings {
		rng := r.chance(d.ID, streamPeople, 0)
		first := r.household(d, rng, next(), 0)
		first.MovedIn = r.Epoch.AddDays(-120 - rng.IntN(6000))
		switch {
		case d.Has(Empty):
			first.MovedOut = r.Epoch.AddDays(emptyDay)
		case d.Has(ChangedHousehold):
			first.MovedOut = r.Epoch.AddDays(changedDay)
			second := r.household(d, rng, next(), 1)
			second.MovedIn = r.Epoch.AddDays(changedDay)
			d.Households = []Household{first, second}
			continue
		}
		d.Households = []Household{first}
	}
	r.askConsent()
}

// askConsent has 60 % of the present households agree: those whose story needs
// it, and others by lot.
func (r *Residence) askConsent() {
	var present, others []*Household
	fine := 0
	for _, d := range r.Dwellings {
		for i := range d.Households {
			d.Households[i].Consent = ConsentNone
		}
		if d.Has(Empty) {
			continue
		}
		h := &d.Households[len(d.Households)-1]
		present = append(present, h)
		if mustBeFine(d) {
			h.Consent = ConsentFine
			fine++
		} else {
			others = append(others, h)
		}
	}
	lot := r.chance("", streamConsent, 0).Perm(len(others))
	for _, i := range lot[:max(0, len(present)*6/10-fine)] {
		others[i].Consent = ConsentFine
	}
}

// resolution is what the present household of d agreed to; where nobody lives,
// the default.
func (r *Residence) resolution(d *Dwelling, k metering.Kind) metering.Resolution {
	last := d.Households[len(d.Households)-1]
	if !last.MovedOut.IsZero() {
		return metering.DefaultResolution(k)
	}
	return last.Consent.Resolution(k)
}

func (r *Residence) household(d *Dwelling, rng *rand.Rand, surname string, n uint64) Household {
	ages := agesFor(d, rng)
	h := Household{Occupants: len(ages)}
	order := rng.Perm(len(firstNames))
	for i, age := range ages {
		h.Persons = append(h.Persons, Person{
			FirstName: firstNames[order[i]], LastName: surname, Age: age,
		})
	}
	h.habits = newHabits(d, ages, r.chance(d.ID, streamHabits, n))
	return h
}

// agesFor peoples a flat according to its rooms.
func agesFor(d *Dwelling, rng *rand.Rand) []Age {
	switch {
	case d.Has(NightWorker):
		return []Age{Adult}
	case d.Has(ColdFlat):
		return []Age{Senior}
	case d.Has(Careful):
		return []Age{Adult, Adult}
	case d.Has(LeakingToilet), d.Has(Rollover):
		return []Age{Adult, Adult, Child}
	case d.Rooms == 2 && likely(rng, 0.4):
		return []Age{Senior}
	case d.Rooms == 2:
		return []Age{Adult, Adult}[:1+rng.IntN(2)]
	case d.Rooms == 3 && likely(rng, 0.25):
		return []Age{Senior, Senior}
	}
	family := []Age{Adult}
	if likely(rng, 0.7) {
		family = append(family, Adult)
	}
	for children := d.Rooms - 2 + rng.IntN(2); children > 0; children-- {
		family = append(family, Child)
	}
	return family
}

func (r *Residence) surnames() []string {
	rng := r.chance("", streamPeople, 1)
	names := make([]string, len(lastNames))
	for i, from := range rng.Perm(len(lastNames)) {
		names[i] = lastNames[from]
	}
	return names
}

var firstNames = [...]string{
	"Adèle", "Aïcha", "Amadou", "Ana", "Anatole", "Awa", "Basile", "Bintou", "Célestine", "Chantal",
	"Dariusz", "Diego", "Eulalie", "Fatou", "Félicie", "Firmin", "Gaspard", "Halima", "Hortense", "Idris",
	"Inès", "Irène", "Issa", "Jeannine", "Joao", "Kadiatou", "Karim", "Léonie", "Linh", "Lucienne",
	"Malika", "Marcel", "Mehdi", "Mireille", "Nadia", "Nestor", "Odile", "Olga", "Oumar", "Paulette",
	"Quentin", "Rachid", "Raymonde", "Rosa", "Samira", "Simone", "Tariq", "Thérèse", "Tuan", "Yvette",
}

var lastNames = [...]string{
	"Acacia", "Aubépine", "Azahar", "Azalée", "Bégonia", "Bleuet", "Bougainvillée", "Bruyère", "Camélia", "Campanule",
	"Capucine", "Chèvrefeuille", "Chrysanthème", "Clématite", "Coquelicot", "Cyclamen", "Dahlia", "Églantine", "Flamboyant", "Freesia",
	"Fuchsia", "Gardénia", "Genêt", "Géranium", "Glaïeul", "Glycine", "Hibiscus", "Hortensia", "Iris", "Jacaranda",
	"Jacinthe", "Jonquille", "Lavande", "Lilas", "Liseron", "Lotus", "Magnolia", "Marguerite", "Mimosa", "Muguet",
	"Myosotis", "Narcisse", "Nénuphar", "Nilufar", "Orchidée", "Pâquerette", "Pervenche", "Pivoine", "Primevère", "Tournesol",
	"Tulipan", "Verveine", "Violette", "Yasmin",
}
