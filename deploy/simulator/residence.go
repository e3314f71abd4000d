package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// site is what every command needs to know which residence is meant.
type site struct {
	Seed  uint64     `default:"1" help:"Which of all possible residences. [${default}]"`
	Epoch civil.Date `required:"" placeholder:"YYYY-MM-DD" help:"Civil day on which the meters begin to count; the stories happen within 395 days after it."`
}

func (s site) residence() *household.Residence { return household.New(s.Seed, s.Epoch) }

type residenceCommand struct{ site }

// Run prints the table of the flats.
func (c *residenceCommand) Run(stdout io.Writer) error {
	r := c.residence()
	table := tabwriter.NewWriter(stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintf(table, "%s (%s), seed %d, from %s, %s\n\n", r.Name, r.SiteID, r.Seed, r.Epoch, r.Zone)
	fmt.Fprintln(table, "FLAT\tFLOOR\tROOMS\tM2\tPEOPLE\tTENANT\tSINCE\tREAD\tGATEWAY\tSLAVES\tSTORY")
	for _, d := range r.Dwellings {
		fmt.Fprintln(table, strings.Join(row(r, d), "\t"))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the residence: %w", err)
	}
	return nil
}

// row describes a flat as it is at the end of its stories.
func row(r *household.Residence, d *household.Dwelling) []string {
	people, tenant, since, consent := "0", "-", "-", "-"
	last := d.Households[len(d.Households)-1]
	if last.MovedOut.IsZero() {
		people, tenant = fmt.Sprint(last.Occupants), last.Persons[0].Name()
		since, consent = last.MovedIn.String(), string(last.Consent)
	}
	gateway, slaves := wiring(d)
	return []string{
		string(d.ID), fmt.Sprint(d.Floor), fmt.Sprint(d.Rooms), fmt.Sprint(d.AreaM2), people, tenant,
		since, consent, gateway, slaves, stories(d),
	}
}

// wiring names the gateway and the slaves of a flat.
func wiring(d *household.Dwelling) (gateway, slaves string) {
	if len(d.Meters) == 0 {
		return "-", "-"
	}
	var numbers []byte
	for _, m := range d.Meters {
		numbers = append(numbers, m.Slave)
	}
	slices.Sort(numbers)
	return string(d.Meters[0].Gateway), strings.Trim(fmt.Sprint(slices.Compact(numbers)), "[]")
}

func stories(d *household.Dwelling) string {
	var names []string
	for _, s := range d.Stories {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}
