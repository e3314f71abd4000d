package programme

import (
	"context"
	"database/sql"
	"github.com/xnetroseraie/xnet/api/sqldb"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A PartnerKind is what a partner does for the programme.
type PartnerKind string

// The kinds of partners.
const (
	WorkshopPartner PartnerKind = "workshop"
	TrainingPartner PartnerKind = "training"
	InternetPartner PartnerKind = "internet"
	Institution     PartnerKind = "institution" // town, region
	Association     PartnerKind = "association"
	OtherPartner    PartnerKind = "other"
)

// PartnerKinds lists the kinds of partners.
var PartnerKinds = []PartnerKind{WorkshopPartner, TrainingPartner, InternetPartner, Institution, Association, OtherPartner}

// A Partner works with the landlord for a residence.
type Partner struct {
	Record
	Name         string      `json:"name"` // unique in the residence
	Kind         PartnerKind `json:"kind"`
	Registration string      `json:"registration"` // SIRET or RNA; may be empty
	Contact      string      `json:"contact"`      // whom to ask for; may be empty
	Telephone    string      `json:"telephone"`
	Email        string      `json:"email"`
	Address      string      `json:"address"`
	// People are those of the staff who work for the partner: technicians among
	// them may read what its conventions measure.
	People []accounts.PersonID `json:"people"`
}

// mostPeople bounds the people of a partner.
const mostPeople = 50

// Check implements [Noun].
func (p *Partner) Check() []problem.Field {
	var f faults
	f.text("name", &p.Name, 1, 200)
	oneOf(&f, "kind", p.Kind, PartnerKinds)
	f.text("registration", &p.Registration, 0, 20)
	f.text("contact", &p.Contact, 0, 200)
	f.text("telephone", &p.Telephone, 0, 30)
	f.text("email", &p.Email, 0, 254)
	f.text("address", &p.Address, 0, 300)
	if len(p.People) > mostPeople {
		f.add("people", "field.too_long", mostPeople)
	}
	return f
}

func (*Partner) table() string { return "partner" }

func (p *Partner) columns() []column {
	return []column{
		{"name", p.Name, &p.Name}, {"kind", string(p.Kind), &p.Kind}, {"registration", p.Registration, &p.Registration},
		{"contact", p.Contact, &p.Contact}, {"telephone", p.Telephone, &p.Telephone}, {"email", p.Email, &p.Email},
		{"address", p.Address, &p.Address},
	}
}

// Only who is of the staff of the residence can work for its partner, so that
// nobody's id can be tried.
const putPartnerPerson = `
INSERT INTO partner_person (partner_id, person_id)
SELECT DISTINCT CAST($1 AS TEXT), staff_role.person_id
  FROM staff_role
 WHERE staff_role.person_id = $2
   AND (staff_role.residence_id IS NULL OR staff_role.residence_id = $3)
    ON CONFLICT DO NOTHING`

func (p *Partner) writeRest(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM partner_person WHERE partner_id = $1`, p.ID); err != nil {
		return err
	}
	for _, person := range p.People {
		err := changed(tx.ExecContext(ctx, putPartnerPerson, p.ID, string(person), string(p.Residence)))
		if err != nil {
			return orElse(err, ErrNone, problem.OfFields([]problem.Field{{Name: "people", Message: "field.not_found"}}))
		}
	}
	return p.readRest(ctx, tx)
}

func (p *Partner) readRest(ctx context.Context, q sqldb.Querier) (err error) {
	p.People, err = several(ctx, q, func(rows *sql.Rows) (id accounts.PersonID, err error) { return id, rows.Scan(&id) },
		`SELECT person_id FROM partner_person WHERE partner_id = $1 ORDER BY person_id`, p.ID)
	if p.People == nil {
		p.People = []accounts.PersonID{}
	}
	return err
}

// A Side of a convention.
type Side string

// The sides.
const (
	Landlord Side = "landlord"
	Other    Side = "partner"
)

// A Topic is what a commitment is about.
type Topic string

// Topics lists what commitments are about.
var Topics = []Topic{"stock", "quality", "turnaround", "price", "training", "place", "other"}

// A Service is what a partner is paid for.
type Service string

// Services lists what partners are paid for.
var Services = []Service{"refurbish", "repair", "recycle", "training", "internet", "other"}

// A Commitment is what one side of a convention promises.
type Commitment struct {
	Side    Side   `json:"side"`
	Topic   Topic  `json:"topic"`
	Promise string `json:"promise"`
}

// A ServicePrice is what one service costs by a convention.
type ServicePrice struct {
	Service    Service `json:"service"`
	PriceCents int64   `json:"price_cents"`
}

// A Convention is what landlord and partner agreed to on the days [From, Until).
type Convention struct {
	Record
	Partner  string      `json:"partner"` // id of a [Partner] of the same residence
	Title    string      `json:"title"`
	SignedOn civil.Date  `json:"signed_on"`
	From     civil.Date  `json:"from"`
	Until    *civil.Date `json:"until,omitempty"` // nil for no end
	// NoticeDays is how long before the end renewal is talked about: then it stands
	// in the advisor's queue. 0 for never.
	NoticeDays int64 `json:"notice_days"`
	// ReturnDays is within how many days of a request for repair the household is to
	// have its computer again, waiting included; 0 where nothing was agreed.
	ReturnDays  int64          `json:"return_days"`
	Commitments []Commitment   `json:"commitments"`
	Prices      []ServicePrice `json:"prices"`
}

// mostCommitments bounds the commitments of a convention.
const mostCommitments = 50

// Check implements [Noun].
func (c *Convention) Check() []problem.Field {
	var f faults
	f.text("partner", &c.Partner, 1, 64)
	f.text("title", &c.Title, 1, 200)
	f.date("signed_on", c.SignedOn)
	f.span(c.From, c.Until)
	f.number("notice_days", c.NoticeDays, 0, 366)
	f.number("return_days", c.ReturnDays, 0, 90)
	if len(c.Commitments) > mostCommitments {
		f.add("commitments", "field.too_long", mostCommitments)
	}
	for i := range c.Commitments {
		oneOf(&f, "commitments.side", c.Commitments[i].Side, []Side{Landlord, Other})
		oneOf(&f, "commitments.topic", c.Commitments[i].Topic, Topics)
		f.text("commitments.promise", &c.Commitments[i].Promise, 1, 500)
	}
	priced := map[Service]bool{}
	for _, p := range c.Prices {
		oneOf(&f, "prices.service", p.Service, Services)
		f.number("prices.price_cents", p.PriceCents, 0, 1_000_000)
		if priced[p.Service] {
			f.add("prices.service", "programme.twice")
		}
		priced[p.Service] = true
	}
	return f
}

func (*Convention) table() string { return "convention" }

func (c *Convention) columns() []column {
	return []column{
		{"partner_id", c.Partner, &c.Partner}, {"title", c.Title, &c.Title}, {"signed_on", c.SignedOn.String(), day{&c.SignedOn}},
		{"from_date", c.From.String(), day{&c.From}}, {"until_date", dateOrNull(c.Until), maybeDay{&c.Until}},
		{"notice_days", c.NoticeDays, &c.NoticeDays}, {"return_days", c.ReturnDays, &c.ReturnDays},
	}
}

const putCommitment = `
INSERT INTO convention_commitment (convention_id, number, side, topic, promise)
VALUES ($1, $2, $3, $4, $5)`

const putServicePrice = `
INSERT INTO convention_price (convention_id, service, price_cents)
VALUES ($1, $2, $3)`

func (c *Convention) writeRest(ctx context.Context, tx *sql.Tx) error {
	if err := ownPartner(ctx, tx, c.Partner, c.Record); err != nil {
		return err
	}
	for _, drop := range []string{`DELETE FROM convention_commitment WHERE convention_id = $1`, `DELETE FROM convention_price WHERE convention_id = $1`} {
		if _, err := tx.ExecContext(ctx, drop, c.ID); err != nil {
			return err
		}
	}
	for i, k := range c.Commitments {
		if _, err := tx.ExecContext(ctx, putCommitment, c.ID, i+1, string(k.Side), string(k.Topic), k.Promise); err != nil {
			return err
		}
	}
	for _, p := range c.Prices {
		if _, err := tx.ExecContext(ctx, putServicePrice, c.ID, string(p.Service), p.PriceCents); err != nil {
			return err
		}
	}
	return c.readRest(ctx, tx)
}

// ownPartner holds that a record names a partner of its own residence.
func ownPartner(ctx context.Context, tx *sql.Tx, partner string, r Record) error {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM partner WHERE id = $1 AND residence_id = $2`, partner, string(r.Residence)).Scan(&n)
	if err == nil && n == 0 {
		err = noPartner()
	}
	return err
}

func noPartner() error {
	return problem.OfFields([]problem.Field{{Name: "partner", Message: "field.not_found"}})
}

func (c *Convention) readRest(ctx context.Context, q sqldb.Querier) (err error) {
	c.Commitments, err = several(ctx, q, func(rows *sql.Rows) (k Commitment, err error) { return k, rows.Scan(&k.Side, &k.Topic, &k.Promise) },
		`SELECT side, topic, promise FROM convention_commitment WHERE convention_id = $1 ORDER BY number`, c.ID)
	if err != nil {
		return err
	}
	c.Prices, err = several(ctx, q, func(rows *sql.Rows) (p ServicePrice, err error) { return p, rows.Scan(&p.Service, &p.PriceCents) },
		`SELECT service, price_cents FROM convention_price WHERE convention_id = $1 ORDER BY service`, c.ID)
	if c.Commitments == nil {
		c.Commitments = []Commitment{}
	}
	if c.Prices == nil {
		c.Prices = []ServicePrice{}
	}
	return err
}
