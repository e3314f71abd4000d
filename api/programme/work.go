package programme

import (
	"context"
	"database/sql"
	"github.com/xnetroseraie/xnet/api/sqldb"

	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A StaffRole is what somebody did for the programme.
type StaffRole string

// StaffRoles lists what people do for the programme: contacts with households, the
// technical side, leading it, training, and else.
var StaffRoles = []StaffRole{"advisor", "technical", "lead", "trainer", "other"}

// yearTenths are the hours of a full-time post in a year in France, 1,607 (code du
// travail, L.3121-41), in tenths.
const yearTenths = 16_070

// A StaffTime is work for the programme on the days [From, Until): hours, or a
// share of a full-time post.
type StaffTime struct {
	Record
	Role  StaffRole  `json:"role"`
	From  civil.Date `json:"from"`
	Until civil.Date `json:"until"`
	// HourTenths are tenths of an hour, PostThousandths thousandths of a post: 100
	// is a tenth of one. One of the two is nil.
	HourTenths      *int64 `json:"hour_tenths,omitempty"`
	PostThousandths *int64 `json:"post_thousandths,omitempty"`
	Label           string `json:"label"`
	Source          string `json:"source"`
}

// Check implements [Noun].
func (w *StaffTime) Check() []problem.Field {
	var f faults
	oneOf(&f, "role", w.Role, StaffRoles)
	f.span(w.From, &w.Until)
	switch {
	case (w.HourTenths == nil) == (w.PostThousandths == nil):
		f.add("hour_tenths", "programme.one_of_two")
	case w.HourTenths != nil:
		f.number("hour_tenths", *w.HourTenths, 0, 10_000_000)
	default:
		f.number("post_thousandths", *w.PostThousandths, 1, 10_000)
	}
	f.text("label", &w.Label, 0, 200)
	f.text("source", &w.Source, 1, 300)
	return f
}

func (*StaffTime) table() string { return "staff_time" }

func (w *StaffTime) columns() []column {
	return []column{
		{"role", string(w.Role), &w.Role}, {"from_date", w.From.String(), day{&w.From}}, {"until_date", w.Until.String(), day{&w.Until}},
		{"hour_tenths", numberOrNull(w.HourTenths), &w.HourTenths}, {"post_thousandths", numberOrNull(w.PostThousandths), &w.PostThousandths},
		{"label", w.Label, &w.Label}, {"source", w.Source, &w.Source},
	}
}

// Within returns the hours that fall on the days [from, until), in tenths, evenly
// over the days of the record. A post of a whole year is 1,607 hours.
func (w StaffTime) Within(from, until civil.Date) float64 {
	whole, days := overlap(w.From, w.Until, from, until)
	if days == 0 {
		return 0
	}
	if w.HourTenths != nil {
		return float64(*w.HourTenths) * float64(days) / float64(whole)
	}
	return float64(*w.PostThousandths) / 1000 * yearTenths * float64(days) / 365.25
}

// overlap returns the days of [from, until) and how many of them lie in [a, b).
func overlap(from, until, a, b civil.Date) (whole, days int) {
	whole = daysBetween(from, until)
	if from.Before(a) {
		from = a
	}
	if b.Before(until) {
		until = b
	}
	return whole, max(0, daysBetween(from, until))
}

// InsertionHours are hours of persons in a post of insertion that the landlord paid
// for on the days [From, Until).
type InsertionHours struct {
	Record
	Partner    string     `json:"partner"` // id of a [Partner] of the same residence
	From       civil.Date `json:"from"`
	Until      civil.Date `json:"until"`
	HourTenths int64      `json:"hour_tenths"`
	Source     string     `json:"source"`
}

// Check implements [Noun].
func (h *InsertionHours) Check() []problem.Field {
	var f faults
	f.text("partner", &h.Partner, 1, 64)
	f.span(h.From, &h.Until)
	f.number("hour_tenths", h.HourTenths, 0, 10_000_000)
	f.text("source", &h.Source, 1, 300)
	return f
}

func (*InsertionHours) table() string { return "insertion_hours" }

func (h *InsertionHours) columns() []column {
	return []column{
		{"partner_id", h.Partner, &h.Partner}, {"from_date", h.From.String(), day{&h.From}}, {"until_date", h.Until.String(), day{&h.Until}},
		{"hour_tenths", h.HourTenths, &h.HourTenths}, {"source", h.Source, &h.Source},
	}
}

func (h *InsertionHours) writeRest(ctx context.Context, tx *sql.Tx) error {
	return ownPartner(ctx, tx, h.Partner, h.Record)
}

func (*InsertionHours) readRest(context.Context, sqldb.Querier) error { return nil }

// Within returns the hours that fall on the days [from, until), in tenths.
func (h InsertionHours) Within(from, until civil.Date) float64 {
	whole, days := overlap(h.From, h.Until, from, until)
	return float64(h.HourTenths) * float64(days) / float64(max(1, whole))
}
