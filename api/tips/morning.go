package tips

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	// byMorning makes the steps of the morning's run.
	byMorning = "nights"
	// tiring is after how many days without an answer advice makes room for
	// other advice: who did nothing about it in four weeks will not in the fifth.
	tiring = 28
	// fading is how many days a tip that waits for an answer may not be due before
	// it is over, so that one quiet night between two others does not end it.
	fading = 7
	// doneShown is how many days a result stays after the last look.
	doneShown = 28
)

// A Stay is a household in its home, as the morning's run deals with it.
type Stay struct {
	Tenancy   string
	Household premises.HouseholdID
	MovedIn   civil.Date
	Zone      *time.Location
}

const newest = `
   AND NOT EXISTS (SELECT 1
                     FROM tip_instance AS newer
                    WHERE newer.tenancy_id = tip_instance.tenancy_id
                      AND newer.tip = tip_instance.tip
                      AND newer.id > tip_instance.id)`

const historyOf = columns + `
 WHERE tip_instance.tenancy_id = $1` + newest

const historiesOf = columns + `
 WHERE dwelling.residence_id = $1
   AND dwelling.id >= $2
   AND dwelling.id <= $3
   AND tenancy.moved_in <= $4
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $4)` + newest

// Histories returns the newest instance of each tip of the stays that last on a day
// in the dwellings from first to last of a residence, by stay, for the morning's run
// alone.
func (s *Store) Histories(ctx context.Context, residence metering.SiteID, first, last premises.DwellingID, on civil.Date) (map[string][]Kept, error) {
	rows, err := s.db.QueryContext(ctx, historiesOf, string(residence), string(first), string(last), on.String())
	if err != nil {
		return nil, fmt.Errorf("tips of residence %s: %w", residence, err)
	}
	all, err := s.known(rows)
	if err != nil {
		return nil, fmt.Errorf("tips of residence %s: %w", residence, err)
	}
	found := map[string][]Kept{}
	for _, k := range all {
		found[k.tenancy] = append(found[k.tenancy], k)
	}
	return found, nil
}

// History returns the newest instance of each tip of a stay, in no order, for the
// morning's run alone: who asks for a person asks [Store.Shown].
func (s *Store) History(ctx context.Context, tenancy string) ([]Kept, error) {
	rows, err := s.db.QueryContext(ctx, historyOf, tenancy)
	if err != nil {
		return nil, fmt.Errorf("tips of stay %s: %w", tenancy, err)
	}
	all, err := s.known(rows)
	if err != nil {
		return nil, fmt.Errorf("tips of stay %s: %w", tenancy, err)
	}
	return all, nil
}

// Settle brings a stay's tips to what is due on a day: what tired or faded is
// archived, what is chosen is proposed or proposed anew with this morning's
// figures, and the rest waits out of sight. It returns the instances that changed
// or are new; the same history and the same findings on the same day give none.
//
// A day before one on which the stay was settled changes nothing, and nor does a day
// before an instance's own state: what is known since then is newer.
func Settle(stay Stay, history []Kept, due []Proposal, today civil.Date) []Kept {
	if slices.ContainsFunc(history, func(k Kept) bool { return today.Before(k.Chosen) }) {
		return nil
	}
	after := make([]Kept, len(history))
	for i, k := range history {
		after[i] = k.age(today)
	}
	chosen := Choose(due, Instances(after), today)
	ranks := map[ID]int{}
	var proposals []Proposal
	for _, group := range [][]Proposal{chosen.Urgent, chosen.Tips, chosen.Rights} {
		for i, p := range group {
			ranks[p.Entry.ID] = i + 1
			proposals = append(proposals, p)
		}
	}
	var changed []Kept
	for i, k := range after {
		if today.Before(k.Since) {
			delete(ranks, k.Tip)
			continue
		}
		if k.open() && ranks[k.Tip] == 0 {
			k.Rank = 0
		}
		if p, again := find(proposals, k.Tip); again && k.open() {
			k = k.renew(p, ranks[k.Tip], stay, today)
			delete(ranks, k.Tip)
		} else if again && k.state() == DoneAlready { // an urgent one, or the year is over
			k, _ = k.to(Archived, today) // what is done already can always be over
		} else if again && k.followed() { // an urgent one stands where it is followed
			delete(ranks, k.Tip)
		}
		if !k.same(history[i]) {
			changed = append(changed, k)
		}
	}
	for _, p := range proposals {
		if rank, fresh := ranks[p.Entry.ID]; fresh {
			changed = append(changed, stay.propose(p, rank, today))
		}
	}
	return changed
}

// Instances are the instances of a history.
func Instances(history []Kept) []Instance {
	all := make([]Instance, len(history))
	for i, k := range history {
		all[i] = k.Instance
	}
	return all
}

func find(all []Proposal, id ID) (Proposal, bool) {
	i := slices.IndexFunc(all, func(p Proposal) bool { return p.Entry.ID == id })
	if i < 0 {
		return Proposal{}, false
	}
	return all[i], true
}

// open reports whether the tip waits for an answer.
func (k Kept) open() bool { return k.state() == Proposed || k.state() == Seen }

// followed reports whether the household took it up and is still at it.
func (k Kept) followed() bool {
	return !k.open() && !slices.Contains([]State{DoneAlready, NotForMe, Archived}, k.state())
}

// age archives what is over by the calendar.
func (k Kept) age(today civil.Date) Kept {
	over := false
	switch {
	case k.open():
		tired := k.Entry.Role == Advice && !today.Before(k.Proposed.AddDays(tiring))
		over = tired || !today.Before(k.Chosen.AddDays(fading))
	case k.followed() && !k.Committed.IsZero():
		over = !today.Before(k.Committed.AddDays(7*looks[len(looks)-1] + 1 + doneShown))
	}
	if over && !today.Before(k.Since) {
		k, _ = k.to(Archived, today) // every state but the ends leads there
		k.Rank = 0
	}
	return k
}

// renew gives an open tip this morning's figures.
func (k Kept) renew(p Proposal, rank int, stay Stay, today civil.Date) Kept {
	k.Entry, k.Finding, k.Saving, k.Score, k.Rank = p.Entry, stay.clip(p.Finding), p.Saving, p.Score, rank
	k.Chosen = later(k.Chosen, today)
	return k
}

func (s Stay) propose(p Proposal, rank int, today civil.Date) Kept {
	return Kept{Instance: Instance{Tip: p.Entry.ID, State: Proposed, Since: today}, Household: s.Household, Entry: p.Entry,
		Finding: s.clip(p.Finding), Saving: p.Saving, Score: p.Score, Rank: rank, Proposed: today, Chosen: today, Zone: s.Zone,
		tenancy: s.Tenancy, moved: []State{Proposed}}
}

// clip leaves the days before the stay out of what a finding says it looked at:
// the series that it was made from had none of them.
func (s Stay) clip(f Finding) Finding {
	f.From = later(f.From, s.MovedIn)
	f.To = later(f.To, f.From.AddDays(1))
	return f
}

// same reports whether nothing is to be stored.
func (k Kept) same(was Kept) bool {
	if len(k.moved) != len(was.moved) || k.Instance != was.Instance || k.Rank != was.Rank || k.Score != was.Score || k.Chosen != was.Chosen {
		return false
	}
	return k.written() == was.written()
}

// written is the JSON by which two are compared: what is stored is what counts.
func (k Kept) written() string {
	text, err := json.Marshal([]any{k.Finding, k.Saving, k.Observed})
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Watch moves a tip that was taken up along to what o says. It returns the
// instance as it was where there is nothing new, and for a day or a look before the
// last.
func (k Kept) Watch(o Outcome, today civil.Date) (Kept, error) {
	if !k.followed() || today.Before(k.Since) || k.state() != Committed && o.WeeksLooked < k.Observed.WeeksLooked {
		return k, nil
	}
	was := k
	var err error
	if k.state() == Committed {
		if !k.Since.Before(today) {
			return k, nil
		}
		if k, err = k.to(Observing, k.Since.AddDays(1)); err != nil {
			return was, err
		}
	}
	switch {
	case o.Verdict == "", o.Verdict == TooEarly && k.state() != Observing && k.state() != TooEarly:
		return k, nil // a result is not taken back for want of a day
	case o.Verdict != k.state():
		if k, err = k.to(o.Verdict, today); err != nil {
			return was, err
		}
	}
	k.Observed = o
	return k, nil
}

// Look is after how many whole weeks a tip that was taken up is looked at on a
// day: the last of [Looks] that is over, 0 before the first.
func (i Instance) Look(today civil.Date) int {
	since := newSpan(i.Committed, today).weeksSince()
	if since < leastWeeks {
		return 0
	}
	return since
}

// WatchedKind is the kind of meter in which a tip shows, or false for one that no
// meter shows.
func (e Entry) WatchedKind() (kind metering.Kind, ok bool) {
	switch {
	case e.Trigger.Kind != "":
		return e.Trigger.Kind, true
	case len(e.Needs) > 0:
		return e.Needs[0].Kind, true
	default:
		return "", false
	}
}

// Keep stores what [Settle] and [Kept.Watch] returned, all or none, in the name of
// the morning's run. Where somebody changed one meanwhile nothing is stored and it
// reports false: the next run sees it.
func (s *Store) Keep(ctx context.Context, changed []Kept, at time.Time) (kept bool, err error) {
	if len(changed) == 0 {
		return true, nil
	}
	err = s.write(ctx, changed, at, byMorning)
	if stale(err) {
		return false, nil
	}
	return err == nil, err
}

// KeepAll stores the changes of several homes, of each as [Store.Keep] does, and
// reports of which they were stored. They are stored together; where somebody
// changed one meanwhile, each home by itself.
func (s *Store) KeepAll(ctx context.Context, homes [][]Kept, at time.Time) (kept []bool, err error) {
	kept = make([]bool, len(homes))
	all, err := s.Keep(ctx, slices.Concat(homes...), at)
	if err != nil {
		return kept, err
	}
	for i, changed := range homes {
		if kept[i] = all; !all {
			if kept[i], err = s.Keep(ctx, changed, at); err != nil {
				return kept, err
			}
		}
	}
	return kept, nil
}

const eraseTips = `
DELETE FROM tip_instance
 WHERE tenancy_id = $1`

const eraseFine = `
DELETE FROM tip_instance
 WHERE tenancy_id = $1
   AND EXISTS (SELECT 1
                 FROM tip_need
                WHERE tip_need.instance_id = tip_instance.id
                  AND tip_need.purpose = 'fine_curve')`

// Erase deletes the tips of a stay with their history: all of them, or those only
// that the fine curve told. It returns how many there were; erasing again changes
// nothing.
func (s *Store) Erase(ctx context.Context, tenancy string, onlyFine bool) (int64, error) {
	statement := eraseTips
	if onlyFine {
		statement = eraseFine
	}
	done, err := s.db.ExecContext(ctx, statement, tenancy)
	if err != nil {
		return 0, fmt.Errorf("erase the tips of stay %s: %w", tenancy, err)
	}
	return done.RowsAffected()
}

const ofHousehold = columns + `
 WHERE tip_instance.household_id = $1
 ORDER BY tip_instance.id`

// Of lists all tips of a household that are stored, for the archive of what is
// held on it. The caller has found the household to be the reader's; tips whose
// finding begins before since are left out.
func (s *Store) Of(ctx context.Context, household premises.HouseholdID, since civil.Date) ([]Kept, error) {
	rows, err := s.db.QueryContext(ctx, ofHousehold, string(household))
	if err != nil {
		return nil, fmt.Errorf("tips of household %s: %w", household, err)
	}
	all, err := sqldb.Collect(rows, scanKept)
	if err != nil {
		return nil, fmt.Errorf("tips of household %s: %w", household, err)
	}
	return slices.DeleteFunc(all, func(k Kept) bool { return k.Finding.From.Before(since) }), nil
}
