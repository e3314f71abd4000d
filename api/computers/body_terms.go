package computers

import (
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

type priceBody struct {
	What  Priced     `json:"what"`
	From  civil.Date `json:"from"`
	Cents int64      `json:"price_cents"`
}

// Check implements resource.Checked.
func (b *priceBody) Check() []problem.Field {
	var f faults
	oneOf(&f, "what", b.What, AllPriced)
	if b.From.IsZero() {
		f.add("from", "field.missing")
	}
	f.day("from", &b.From)
	f.between("price_cents", b.Cents, 0, 1_000_000)
	return f
}

type programmeBody struct {
	Residence    metering.SiteID `json:"residence"`
	From         civil.Date      `json:"from"`
	Until        *civil.Date     `json:"until,omitempty"`
	PerHousehold int             `json:"per_household"`
	TargetDays   int             `json:"target_days"`
	Months       int             `json:"months"`
}

// Check implements resource.Checked.
func (b *programmeBody) Check() []problem.Field {
	var f faults
	if b.From.IsZero() {
		f.add("from", "field.missing")
	}
	f.day("from", &b.From)
	f.day("until", b.Until)
	if b.Until != nil && !b.From.Before(*b.Until) {
		f.add("until", "computers.until_before_from")
	}
	f.between("per_household", int64(b.PerHousehold), 1, 10)
	f.between("target_days", int64(b.TargetDays), 1, 30)
	f.between("months", int64(b.Months), 0, 60)
	return f
}
