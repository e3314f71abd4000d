package programme

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Goal is what a campaign wants households to do.
type Goal string

// The goals.
const (
	ToFollowUp Goal = "follow_up" // agree to see what their home uses day by day
	ToComputer Goal = "computers" // ask for a computer
	ToTraining Goal = "training"  // take a place in a training
	ToInternet Goal = "internet"  // take an internet offer
)

// Goals lists the goals.
var Goals = []Goal{ToFollowUp, ToComputer, ToTraining, ToInternet}

// A Channel is how a campaign reaches people.
type Channel string

// Channels lists the channels.
var Channels = []Channel{"article", "radio", "poster", "meeting", "letter", "portal", "visit", "other"}

// A Campaign is what was said to households on the days [From, Until).
type Campaign struct {
	Record
	Title    string     `json:"title"`
	Goal     Goal       `json:"goal"`
	Audience string     `json:"audience"` // whom it was meant for
	Channel  Channel    `json:"channel"`
	From     civil.Date `json:"from"`
	Until    civil.Date `json:"until"`
	Reach    *int64     `json:"reach,omitempty"` // people or households; nil where nobody counted
	Note     string     `json:"note"`
}

// Check implements [Noun].
func (c *Campaign) Check() []problem.Field {
	var f faults
	f.text("title", &c.Title, 1, 200)
	oneOf(&f, "goal", c.Goal, Goals)
	f.text("audience", &c.Audience, 1, 200)
	oneOf(&f, "channel", c.Channel, Channels)
	f.span(c.From, &c.Until)
	if c.Reach != nil {
		f.number("reach", *c.Reach, 0, 1_000_000)
	}
	f.text("note", &c.Note, 0, 500)
	return f
}

func (*Campaign) table() string { return "campaign" }

func (c *Campaign) columns() []column {
	return []column{
		{"title", c.Title, &c.Title}, {"goal", string(c.Goal), &c.Goal}, {"audience", c.Audience, &c.Audience},
		{"channel", string(c.Channel), &c.Channel}, {"from_date", c.From.String(), day{&c.From}},
		{"until_date", c.Until.String(), day{&c.Until}}, {"reach", numberOrNull(c.Reach), &c.Reach}, {"note", c.Note, &c.Note},
	}
}

// SignUps are the households that did what a campaign wants, each counted once a
// window, in the four weeks before it, while it ran, and in the four weeks after.
// Who comes after it does not come because of it: the three stand beside each
// other, and no more is claimed.
type SignUps struct {
	Before      int        `json:"before"`
	During      int        `json:"during"`
	After       int        `json:"after"`
	AfterFrom   civil.Date `json:"after_from"`
	AfterUntil  civil.Date `json:"after_until"` // not included
	BeforeFrom  civil.Date `json:"before_from"`
	BeforeUntil civil.Date `json:"before_until"` // not included
	Running     bool       `json:"running"`      // the last of these days is still to come
}

// windowDays is how long before and after a campaign is looked at.
const windowDays = 28

// Households of the residence $1 that did something on [$2, $3), by goal. Instants
// are compared with $4 and $5, which are those days in the residence's zone.
const livesThere = `
   AND EXISTS (SELECT 1
                 FROM tenancy
                 JOIN dwelling ON dwelling.id = tenancy.dwelling_id
                WHERE tenancy.household_id = did.household_id
                  AND dwelling.residence_id = $1
                  AND tenancy.moved_in < $3
                  AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $2))`

const countFollowUps = `
SELECT COUNT(DISTINCT did.household_id)
  FROM consent AS did
 WHERE did.purpose = 'daily_follow_up'
   AND did.from_ms >= $4
   AND did.from_ms < $5` + livesThere

const countAskers = `
SELECT COUNT(DISTINCT did.household_id)
  FROM (SELECT household_id
          FROM machine_wait
         WHERE residence_id = $1
           AND asked_on >= $2
           AND asked_on < $3
         UNION
        SELECT household_id
          FROM machine_sale
         WHERE residence_id = $1
           AND exchange_of IS NULL
           AND sold_on >= $2
           AND sold_on < $3) AS did`

const countEnrolled = `
SELECT COUNT(DISTINCT did.household_id)
  FROM training_duty AS did
  JOIN training_enrolment ON training_enrolment.duty_id = did.id
  JOIN training_step ON training_step.enrolment_id = training_enrolment.id
 WHERE did.residence_id = $1
   AND training_step.state = 'enrolled'
   AND training_step.at_ms >= $2
   AND training_step.at_ms < $3`

const countConnected = `
SELECT COUNT(DISTINCT did.household_id)
  FROM household_internet AS did
 WHERE did.has = 'offer'
   AND did.from_date >= $2
   AND did.from_date < $3` + livesThere

// SignUps counts the sign-ups around a campaign, for an advisor, manager or
// administrator of its residence, or fails with [ErrNone].
func (s *Store) SignUps(ctx context.Context, staff accounts.PersonID, id string, today civil.Date) (SignUps, error) {
	c, err := ByID[Campaign](ctx, s, staff, id)
	if err != nil {
		return SignUps{}, err
	}
	at, err := s.place(ctx, readerRoles, staff, c.Residence)
	if err != nil {
		return SignUps{}, err
	}
	u := SignUps{BeforeFrom: c.From.AddDays(-windowDays), BeforeUntil: c.From, AfterFrom: c.Until, AfterUntil: c.Until.AddDays(windowDays)}
	u.Running = today.Before(u.AfterUntil)
	for _, window := range []struct {
		from, until civil.Date
		into        *int
	}{{u.BeforeFrom, u.BeforeUntil, &u.Before}, {c.From, c.Until, &u.During}, {u.AfterFrom, u.AfterUntil, &u.After}} {
		if *window.into, err = s.didWhat(ctx, c.Goal, at, c.Residence, window.from, window.until); err != nil {
			return SignUps{}, fmt.Errorf("sign-ups of campaign %s: %w", id, err)
		}
	}
	return u, nil
}

func (s *Store) didWhat(ctx context.Context, goal Goal, at Place, r metering.SiteID, from, until civil.Date) (n int, err error) {
	days := []any{string(r), from.String(), until.String()}
	fromMs, untilMs := from.Start(at.Zone).UnixMilli(), until.Start(at.Zone).UnixMilli()
	var row *sql.Row
	switch goal {
	case ToFollowUp:
		row = s.db.QueryRowContext(ctx, countFollowUps, append(days, fromMs, untilMs)...)
	case ToComputer:
		row = s.db.QueryRowContext(ctx, countAskers, days...)
	case ToTraining:
		row = s.db.QueryRowContext(ctx, countEnrolled, string(r), fromMs, untilMs)
	default:
		row = s.db.QueryRowContext(ctx, countConnected, days...)
	}
	return n, row.Scan(&n)
}
