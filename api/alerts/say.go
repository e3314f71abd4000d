package alerts

import (
	"context"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
)

// Said is what somebody says to a case.
type Said string

// What may be said.
const (
	SaidConfirm  Said = "confirm"    // I looked: it is so
	SaidRepaired Said = "repaired"   // it is repaired
	SaidNoLeak   Said = "not_a_leak" // it was no fault
)

// AllSaid lists all that may be said.
var AllSaid = []Said{SaidConfirm, SaidRepaired, SaidNoLeak}

// errNoWay is a word that a case has come too far for.
var errNoWay = &problem.Error{Kind: problem.Conflict, Message: "alerts.no_way"}

// Mine lists the cases of the stays that the viewer may see, open and over, the
// last opened first; see [Store.Seen]. It is empty where there is none.
func (s *Store) Mine(ctx context.Context, v premises.Viewer, now time.Time) ([]Kept, error) {
	return s.Seen(ctx, v, now)
}

// Say notes what the viewer says to a case of their home. The same word again
// changes nothing, whatever the version, so that a form may be sent twice. It
// fails with the problem NotFound "error.not_found" for a case that the viewer may
// not see or not decide for, with [resource.ErrStale] where it was changed since
// that version was read, and with Conflict "alerts.no_way" where it is over or
// past that.
func (s *Store) Say(ctx context.Context, v premises.Viewer, now time.Time, id CaseID, version int64, said Said) error {
	k, err := s.ByID(ctx, v, now, id)
	if err != nil {
		return err
	}
	may, err := s.decides(ctx, v, k, now)
	if err != nil {
		return err
	}
	if !may {
		return &problem.Error{Kind: problem.NotFound, Message: "error.not_found"}
	}
	return s.say(ctx, k, version, said, now, string(v.Person))
}

// say notes a word in the name of a person who was found to be allowed to.
func (s *Store) say(ctx context.Context, k Kept, version int64, said Said, now time.Time, by string) error {
	if !slices.Contains(AllSaid, said) {
		return problem.OfFields([]problem.Field{{Name: "step", Message: "field.malformed"}})
	}
	last := k.Steps[len(k.Steps)-1]
	at := later(now, last.At)
	state, err := k.heard(said, at, by)
	switch {
	case k.State == state.State && state.State != "" && err != nil: // it was said before, by whomever
		return nil
	case k.Version != version:
		return resource.ErrStale
	case err != nil:
		return errNoWay
	}
	return s.Change(ctx, k, state)
}

// heard is the case after a word; where it does not go that way, the case has the
// state that the word leads to.
func (c Case) heard(said Said, at time.Time, by string) (Case, error) {
	steps := map[Said]func(time.Time, string) (Case, error){
		SaidConfirm: c.Confirm, SaidRepaired: c.Repair, SaidNoLeak: c.Dismiss}
	after, err := steps[said](at, by)
	if err != nil {
		after.State = map[Said]State{SaidConfirm: Confirmed, SaidRepaired: Repaired, SaidNoLeak: Dismissed}[said]
	}
	return after, err
}

const mayDecide = `
SELECT COUNT(*)
  FROM sight
 WHERE sight.viewer_id = $1
   AND sight.household_id = $2
   AND sight.scope IN ('own', 'act')
   AND sight.since_date <= $3
   AND (sight.until_date IS NULL OR sight.until_date > $3)`

// decides reports whether the viewer may also decide for the household whose case
// they see: a member, or a helper whose mandate says so.
func (s *Store) decides(ctx context.Context, v premises.Viewer, k Kept, now time.Time) (bool, error) {
	var rights int
	err := s.db.QueryRowContext(ctx, mayDecide, string(v.Person), string(k.Household), k.today(now).String()).Scan(&rights)
	return rights > 0, err
}
