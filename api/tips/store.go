package tips

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// An InstanceID names a tip that was proposed to a household, for ever.
type InstanceID string

// A Kept instance is one that is stored.
type Kept struct {
	ID InstanceID // empty for one that is to be stored
	Instance
	Version   int64 // grows with each change
	Household premises.HouseholdID
	// Entry is the tip's of the catalogue: its role, texts and source.
	Entry Entry
	// Finding is why it is due, as it was when the household took it up, or else
	// this morning; its figures fill the entry's texts, see [Finding.Fill].
	Finding Finding
	Saving  *Saving // nil where there is no honest amount
	// Observed is the result; its Verdict is empty until the tip is observed.
	Observed Outcome
	// Rank is its place among those of its role that this morning's run chose,
	// from 1; 0 where it did not choose it.
	Rank     int
	Score    float64    // euros × confidence × ease, for the ranking alone
	Proposed civil.Date // first
	Chosen   civil.Date // by the last run that did
	Zone     *time.Location

	tenancy string
	moved   []State // since it was read: steps to be stored
}

// Current reports whether this morning's run chose it.
func (k Kept) Current() bool { return k.Rank > 0 }

// Shown is what a household is shown of its tips. All are empty where nothing is
// known or the household did not agree to advice.
type Shown struct {
	Urgent []Kept // all of them: act and call now
	Tips   []Kept // at most three that wait for an answer: comfort, praise and advice
	Rights []Kept // a line of their own
	// Taken are those that the household follows, with their results once there
	// are some, the last first.
	Taken []Kept
	// Answered are those that it does already or that do not fit, the last first.
	Answered []Kept
}

// Answered is what a household says to a tip.
type Answered string

// The answers to a tip.
const (
	Doing   Answered = "doing"    // fr. je le fais
	Done    Answered = "done"     // fr. déjà fait
	NotHere Answered = "not_here" // fr. pas chez moi
)

// AllAnswered lists every answer to a tip.
var AllAnswered = []Answered{Doing, Done, NotHere}

// leadsTo is the state of an answer.
var leadsTo = map[Answered]State{Doing: Committed, Done: DoneAlready, NotHere: NotForMe}

// A Store keeps the tips of households with their history. It may be used from
// several goroutines.
type Store struct {
	db        *sql.DB
	catalogue *Catalogue
	lookout   consent.Lookout
}

// NewStore returns a store on a migrated database. An instance of a tip that the
// catalogue does not have any more is not shown.
func NewStore(db *sql.DB, c *Catalogue) *Store { return &Store{db: db, catalogue: c} }

// Heeding returns a store whose [Store.Keep] and [Store.KeepAll] store nothing of a
// household of which something was erased meanwhile, as where somebody was quicker.
func (s *Store) Heeding(l consent.Lookout) *Store {
	return &Store{db: s.db, catalogue: s.catalogue, lookout: l}
}

const columns = `
SELECT DISTINCT tip_instance.id, tip_instance.household_id, tip_instance.tenancy_id, tip_instance.tip, tip_instance.state, tip_instance.since_date,
       COALESCE(tip_instance.committed_date, ''), tip_instance.proposed_date, tip_instance.chosen_date, tip_instance.place,
       tip_instance.score, tip_instance.finding, COALESCE(tip_instance.saving, ''), COALESCE(tip_instance.observed, ''),
       tip_instance.version, residence.zone
  FROM tip_instance
  JOIN tenancy ON tenancy.id = tip_instance.tenancy_id
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id`

// known fills the entries in and drops what the catalogue does not have any more.
func (s *Store) known(rows *sql.Rows) ([]Kept, error) {
	all, err := sqldb.Collect(rows, scanKept)
	if err != nil {
		return nil, err
	}
	var known []Kept
	for _, k := range all {
		entry, ok := s.catalogue.Entry(k.Tip)
		if !ok {
			continue
		}
		k.Entry = entry
		known = append(known, k)
	}
	return known, nil
}

func scanKept(rows *sql.Rows) (Kept, error) {
	var k Kept
	var since, committed, proposed, chosen, finding, saving, observed, zone string
	err := rows.Scan(&k.ID, &k.Household, &k.tenancy, &k.Tip, &k.State, &since, &committed, &proposed, &chosen, &k.Rank,
		&k.Score, &finding, &saving, &observed, &k.Version, &zone)
	if err != nil {
		return Kept{}, err
	}
	for _, d := range []struct {
		text string
		date *civil.Date
	}{{since, &k.Since}, {committed, &k.Committed}, {proposed, &k.Proposed}, {chosen, &k.Chosen}} {
		if d.text == "" {
			continue
		}
		if *d.date, err = civil.ParseDate(d.text); err != nil {
			return Kept{}, fmt.Errorf("dates of tip %s: %w", k.ID, err)
		}
	}
	for _, j := range []struct {
		text string
		into any
	}{{finding, &k.Finding}, {saving, &k.Saving}, {observed, &k.Observed}} {
		if j.text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(j.text), j.into); err != nil {
			return Kept{}, fmt.Errorf("finding of tip %s: %w", k.ID, err)
		}
	}
	if k.Zone, err = time.LoadLocation(zone); err != nil {
		return Kept{}, fmt.Errorf("zone of tip %s: %w", k.ID, err)
	}
	return k, nil
}

// Who may look is decided on the day of asking ($4) in the zone of the home ($3).
// A tip is shown in the stay that it was found in, to who may see every day that
// its finding tells of, as long as all that it needs is agreed to at that instant
// ($5). With $7 it is shown to who may also decide.
const seenWhere = `
  JOIN sight ON sight.household_id = tip_instance.household_id
 WHERE sight.viewer_id = $1
   AND (sight.household_id = $2 OR ($2 = '' AND sight.scope = 'own'))
   AND residence.zone = $3
   AND sight.since_date <= $4
   AND (sight.until_date IS NULL OR sight.until_date > $4)
   AND tip_instance.first_date >= sight.shown_from
   AND tip_instance.first_date >= tenancy.moved_in
   AND tenancy.moved_in <= $4
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $4)
   AND NOT EXISTS (SELECT 1
                     FROM tip_need
                    WHERE tip_need.instance_id = tip_instance.id
                      AND NOT EXISTS (SELECT 1
                                        FROM consent
                                       WHERE consent.tenancy_id = tip_instance.tenancy_id
                                         AND consent.purpose = tip_need.purpose
                                         AND consent.ended_ms IS NULL
                                         AND consent.from_ms <= $5
                                         AND consent.to_ms > $5))
   AND ($6 = '' OR tip_instance.id = $6)
   AND ($7 = 0 OR sight.scope IN ('own', 'act'))
   AND tip_instance.state <> 'archived'`

const seenTips = columns + seenWhere

const zonesOf = `
SELECT DISTINCT zone
  FROM residence
 ORDER BY zone`

// seen reads the tips of the viewer's homes that somebody lives in today.
func (s *Store) seen(ctx context.Context, v premises.Viewer, now time.Time, id InstanceID, act bool) ([]Kept, error) {
	rows, err := s.db.QueryContext(ctx, zonesOf)
	if err != nil {
		return nil, err
	}
	zones, err := sqldb.Zones(rows)
	if err != nil {
		return nil, err
	}
	deciding := 0
	if act {
		deciding = 1
	}
	var all []Kept
	for _, zone := range zones {
		rows, err := s.db.QueryContext(ctx, seenTips, string(v.Person), string(v.Household), zone.String(),
			civil.DateIn(now, zone).String(), sqldb.Ms(now), string(id), deciding)
		if err != nil {
			return nil, err
		}
		some, err := s.known(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// Shown returns what the viewer's homes show at the instant now: the tips of the
// stays that last, of findings whose days the viewer may see, and whose consents
// hold. It is empty, and no error, where there is nothing.
func (s *Store) Shown(ctx context.Context, v premises.Viewer, now time.Time) (Shown, error) {
	all, err := s.seen(ctx, v, now, "", false)
	if err != nil {
		return Shown{}, fmt.Errorf("tips of person %s: %w", v.Person, err)
	}
	return sorted(all), nil
}

// sorted puts tips where they are shown.
func sorted(all []Kept) (s Shown) {
	slices.SortStableFunc(all, func(a, b Kept) int { return a.Rank - b.Rank })
	for _, k := range all {
		switch state := k.state(); {
		case state == DoneAlready || state == NotForMe:
			s.Answered = append(s.Answered, k)
		case state != Proposed && state != Seen:
			s.Taken = append(s.Taken, k)
		case !k.Current():
		case k.Entry.Role == Urgent:
			s.Urgent = append(s.Urgent, k)
		case k.Entry.Role == Right:
			s.Rights = append(s.Rights, k)
		default:
			s.Tips = append(s.Tips, k)
		}
	}
	last := func(a, b Kept) int { return b.Since.Start(time.UTC).Compare(a.Since.Start(time.UTC)) }
	slices.SortStableFunc(s.Taken, last)
	slices.SortStableFunc(s.Answered, last)
	return s
}

// notFound looks the same whether there is nothing or it is somebody else's.
func notFound() error { return &problem.Error{Kind: problem.NotFound, Message: "error.not_found"} }

// ByID returns one tip of the viewer's home, as [Store.Shown] would, whether it is
// current or not. It fails with the problem NotFound "error.not_found" where there
// is none, so that another household's looks absent.
func (s *Store) ByID(ctx context.Context, v premises.Viewer, now time.Time, id InstanceID) (Kept, error) {
	return s.one(ctx, v, now, id, false)
}

func (s *Store) one(ctx context.Context, v premises.Viewer, now time.Time, id InstanceID, act bool) (Kept, error) {
	if id == "" {
		return Kept{}, notFound()
	}
	all, err := s.seen(ctx, v, now, id, act)
	if err != nil {
		return Kept{}, fmt.Errorf("tip %s: %w", id, err)
	}
	if len(all) == 0 {
		return Kept{}, notFound()
	}
	return all[0], nil
}
