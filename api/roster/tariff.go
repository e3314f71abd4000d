package roster

import (
	"cmp"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// fileTariff is what a unit of a kind costs from a day on.
type fileTariff struct {
	Kind    string `yaml:"kind"`
	From    string `yaml:"from"`
	Until   string `yaml:"until"`
	Bill    string `yaml:"bill"` // charges where the file does not say it
	Fixed   int64  `yaml:"fixed_monthly_cents"`
	Price   int64  `yaml:"price_micro_eur"`
	Per     string `yaml:"per"` // that of the kind where the file does not say it
	Heat    int64  `yaml:"heat_micro_eur"`
	WhPerM3 int64  `yaml:"wh_per_m3"`
	// Percent is the share that follows the meter: the residence's split of the
	// heat, else 100, where the file does not say it.
	Percent *int   `yaml:"individual_percent"`
	Source  string `yaml:"source"`
}

// fileProvision is what a dwelling pays in advance each month from a day on.
type fileProvision struct {
	From         string `yaml:"from"`
	MonthlyCents int64  `yaml:"monthly_cents"`
}

func (r *reader) tariffs(f file) {
	residence := r.roster.Premises.Residence
	seen := map[string]bool{}
	today := civil.DateIn(time.Now(), time.UTC) // for limits of years
	for i, written := range f.Tariffs {
		place := fmt.Sprintf("tariffs[%d] %s from %s", i, written.Kind, written.From)
		if key := written.Kind + "/" + written.From; seen[key] {
			r.fault(place, "stands twice")
		} else {
			seen[key] = true
		}
		t := charges.Tariff{Residence: residence.ID, Kind: metering.Kind(written.Kind), From: r.date(place, "from", written.From),
			Bill: metering.Bill(cmp.Or(written.Bill, string(metering.Charges))), FixedMonthlyCents: written.Fixed, MicroEUR: written.Price,
			Per: cmp.Or(written.Per, charges.UsualUnit(metering.Kind(written.Kind))), HeatMicroEUR: written.Heat, WhPerM3: written.WhPerM3,
			IndividualPercent: 100, Source: written.Source}
		if written.Until != "" {
			t.Until = r.date(place, "until", written.Until)
		}
		switch {
		case written.Percent != nil:
			t.IndividualPercent = *written.Percent
		case t.Kind == metering.Heat && t.Bill == metering.Charges:
			t.IndividualPercent = residence.HeatIndividualPercent
		}
		for _, fault := range t.Faults(today) {
			r.fault(place, "%s is not right or missing", fault.Name)
		}
		// The same tariff keeps its id over loads and databases.
		t.ID = charges.TariffID(uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "tariff/%s/%s/%s", residence.ID, written.Kind, written.From)).String())
		r.roster.Tariffs = append(r.roster.Tariffs, t)
	}
}

func (r *reader) provisions(place string, d fileDwelling) {
	for _, p := range d.Provisions {
		if p.MonthlyCents < 0 || p.MonthlyCents > charges.MostProvisionCents {
			r.fault(place, "provisions: monthly_cents: want 0 to %d, got %d", charges.MostProvisionCents, p.MonthlyCents)
		}
		from := r.date(place, "provisions: from", p.From)
		if _, wrong := charges.DateFault("from", from, civil.DateIn(time.Now(), time.UTC)); wrong && !from.IsZero() {
			r.fault(place, "provisions: from: want a day from 2000 to ten years from now, got %s", p.From)
		}
		r.roster.Advances = append(r.roster.Advances, charges.Provision{Dwelling: premises.DwellingID(d.ID), From: from, MonthlyCents: p.MonthlyCents})
	}
}
