// Package roster reads a residence's file, RESIDENCE.yaml: who lives where,
// which meter hangs where, which gateway reads it. It names every fault with
// its place, and writes all of the file or nothing.
package roster

import (
	"errors"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A file is RESIDENCE.yaml. What is checked beyond its shape stands as text
// here, so that every fault is found in one go and named with its place.
type file struct {
	Residence fileResidence  `yaml:"residence"`
	Gateways  []fileGateway  `yaml:"gateways"`
	Staff     []fileStaff    `yaml:"staff"`
	Tariffs   []fileTariff   `yaml:"tariffs"`
	Dwellings []fileDwelling `yaml:"dwellings"`
}

type fileResidence struct {
	ID       string `yaml:"id"`
	Name     string `yaml:"name"`
	Zone     string `yaml:"zone"`
	Earliest string `yaml:"earliest"`
	Street   string `yaml:"street"`
	Postcode string `yaml:"postcode"`
	Town     string `yaml:"town"`
	// HeatIndividualPercent is 70 where the file does not say it.
	HeatIndividualPercent *int `yaml:"heat_individual_percent"`
}

type fileGateway struct {
	ID string `yaml:"id"`
}

type fileDwelling struct {
	ID         string          `yaml:"id"`
	Building   string          `yaml:"building"`
	Staircase  string          `yaml:"staircase"`
	Label      string          `yaml:"label"`
	Floor      int             `yaml:"floor"`
	Rooms      int             `yaml:"rooms"`
	AreaM2     float64         `yaml:"area_m2"`
	Heating    string          `yaml:"heating"`
	HotWater   string          `yaml:"hot_water"`
	Households []fileHousehold `yaml:"households"`
	Points     []filePoint     `yaml:"points"`
	Provisions []fileProvision `yaml:"provisions"`
}

type fileHousehold struct {
	ID        string       `yaml:"id"`
	Occupants int          `yaml:"occupants"`
	Language  string       `yaml:"language"`
	MovedIn   string       `yaml:"moved_in"`
	MovedOut  string       `yaml:"moved_out"`
	Contact   fileContact  `yaml:"contact"`
	Persons   []filePerson `yaml:"persons"`
	// Consents lists the purposes that the household agreed to on paper.
	Consents []string `yaml:"consents"`
}

type fileContact struct {
	By        string `yaml:"by"`
	Telephone string `yaml:"telephone"`
	Email     string `yaml:"email"`
}

type filePerson struct {
	ID   string `yaml:"id"`
	Name string `yaml:"name"`
}

type filePoint struct {
	ID     string      `yaml:"id"`
	Kind   string      `yaml:"kind"`
	Meters []fileMeter `yaml:"meters"`
}

type fileMeter struct {
	ID           string           `yaml:"id"`
	Gateway      string           `yaml:"gateway"`
	Interval     string           `yaml:"interval"`
	IndexModulus metering.Amount  `yaml:"index_modulus"`
	MaxPerHour   metering.Amount  `yaml:"max_per_hour"`
	Resolution   string           `yaml:"resolution"`
	From         string           `yaml:"from"`
	To           string           `yaml:"to"`
	FirstIndex   *metering.Amount `yaml:"first_index"`
	LastIndex    *metering.Amount `yaml:"last_index"`
}

// A Roster is what a valid file says.
type Roster struct {
	Persons  []accounts.Person
	Staff    []accounts.Member // of their persons the ids only
	Premises premises.Roster
	Meters   meters.Roster
	Consents []consent.Agreed
	Tariffs  charges.Tariffs
	Advances []charges.Provision // what dwellings pay in advance
}

// Parse reads the text of a file. Its error joins every fault, each with its
// place, as in "dwelling A-12: household F7: moved_in: …"; where the text is
// not of the file's shape it shows the line.
func Parse(text []byte) (Roster, error) {
	var f file
	if err := config.Decode(text, &f); err != nil {
		return Roster{}, err
	}
	r := newReader()
	r.residence(f)
	r.gateways(f)
	r.staff(f)
	r.tariffs(f)
	for _, d := range f.Dwellings {
		r.dwelling(d)
	}
	r.overlaps()
	if len(r.faults) > 0 {
		return Roster{}, errors.Join(r.faults...)
	}
	return r.roster, nil
}
