package tips

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// Who may look is decided as for tips, on the day of asking ($4) in the zone of the
// home ($3). Of several homes it is the one that was moved into last.
const houseSeen = `
SELECT tenancy.id, tenancy.household_id, dwelling.hot_water_kind,
       MAX(CASE WHEN sight.scope IN ('own', 'act') THEN 1 ELSE 0 END), MIN(sight.shown_from)
  FROM sight
  JOIN tenancy ON tenancy.household_id = sight.household_id
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
 WHERE sight.viewer_id = $1
   AND (sight.household_id = $2 OR ($2 = '' AND sight.scope = 'own'))
   AND residence.zone = $3
   AND sight.since_date <= $4
   AND (sight.until_date IS NULL OR sight.until_date > $4)
   AND tenancy.moved_in <= $4
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $4)
 GROUP BY tenancy.id, tenancy.household_id, tenancy.moved_in, dwelling.hot_water_kind
 ORDER BY tenancy.moved_in DESC, tenancy.id
 LIMIT 1`

// house finds the stay that the viewer looks at; shownFrom is the first day that
// they may see.
func (s *Store) house(ctx context.Context, q sqldb.Querier, v premises.Viewer, now time.Time) (h House, shownFrom string, err error) {
	rows, err := q.QueryContext(ctx, zonesOf)
	if err != nil {
		return h, "", err
	}
	zones, err := sqldb.Zones(rows)
	if err != nil {
		return h, "", err
	}
	for _, zone := range zones {
		var warmth premises.Warmth
		var may int
		err := q.QueryRowContext(ctx, houseSeen, string(v.Person), string(v.Household), zone.String(), civil.DateIn(now, zone).String()).
			Scan(&h.tenancy, &h.household, &warmth, &may, &shownFrom)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		h.Water, h.May, h.zone = HeatedBy(warmth), may == 1, zone
		return h, shownFrom, err
	}
	return h, "", &problem.Error{Kind: problem.NotFound, Message: "tenancy.none"}
}

const lastReplies = `
SELECT question, said, (SELECT COUNT(*) FROM house_answer AS one WHERE one.tenancy_id = house_answer.tenancy_id)
  FROM house_answer
 WHERE tenancy_id = $1
   AND NOT EXISTS (SELECT 1
                     FROM house_answer AS newer
                    WHERE newer.tenancy_id = house_answer.tenancy_id
                      AND newer.question = house_answer.question
                      AND newer.number > house_answer.number)`

const lastAbsences = `
SELECT id, from_date, to_date
  FROM house_absence
 WHERE tenancy_id = $1
   AND taken_ms IS NULL
   AND from_date >= $2
 ORDER BY from_date DESC, to_date DESC, id`

// House returns what the viewer's household said about its home. It fails with the
// problem NotFound "tenancy.none" where the viewer has or helps no home today.
func (s *Store) House(ctx context.Context, v premises.Viewer, now time.Time) (House, error) {
	h, err := s.readHouse(ctx, s.db, v, now)
	if err != nil {
		return House{}, fmt.Errorf("home of person %s: %w", v.Person, err)
	}
	return h, nil
}

func (s *Store) readHouse(ctx context.Context, q sqldb.Querier, v premises.Viewer, now time.Time) (House, error) {
	h, shownFrom, err := s.house(ctx, q, v, now)
	if err != nil {
		return h, err
	}
	h.Said, h.Version = map[Answer]Reply{}, 1
	rows, err := q.QueryContext(ctx, lastReplies, h.tenancy)
	if err != nil {
		return h, err
	}
	_, err = sqldb.Collect(rows, func(rows *sql.Rows) (struct{}, error) {
		var question Answer
		var said Reply
		var replies int64
		err := rows.Scan(&question, &said, &replies)
		h.Said[question], h.Version = said, replies+1
		return struct{}{}, err
	})
	if err != nil {
		return h, err
	}
	if rows, err = q.QueryContext(ctx, lastAbsences, h.tenancy, shownFrom); err != nil {
		return h, err
	}
	h.Absences, err = sqldb.Collect(rows, scanAway)
	return h, err
}

func scanAway(rows *sql.Rows) (a Away, err error) {
	var from, to string
	if err := rows.Scan(&a.ID, &from, &to); err != nil {
		return a, err
	}
	if a.From, err = civil.ParseDate(from); err == nil {
		a.To, err = civil.ParseDate(to)
	}
	return a, err
}

// mine reads the home in a transaction for who may answer for it. Who may only look
// finds nothing to change.
func (s *Store) mine(ctx context.Context, tx *sql.Tx, v premises.Viewer, now time.Time) (House, error) {
	h, err := s.readHouse(ctx, tx, v, now)
	if err == nil && !h.May {
		err = notFound()
	}
	return h, err
}

const insertReply = `
INSERT INTO house_answer (tenancy_id, household_id, question, number, said, at_ms, by_whom)
SELECT $1, $2, $3, COALESCE(MAX(number), 0) + 1, $4, $5, $6
  FROM house_answer
 WHERE tenancy_id = $1
   AND question = $3
    ON CONFLICT DO NOTHING`

// Reply notes what the viewer says about their home; a question that is left out
// stays as it was. What was said before changes nothing, whatever the version, so
// that a form may be sent twice. It fails with the problem NotFound for who may not
// answer, and with [resource.ErrStale] where another reply came since that version
// was read.
func (s *Store) Reply(ctx context.Context, v premises.Viewer, now time.Time, version int64, said map[Answer]Reply) error {
	if err := problem.OfFields(replyFaults(said)); err != nil {
		return err
	}
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		h, err := s.mine(ctx, tx, v, now)
		if err != nil {
			return err
		}
		var fresh []Answer
		for _, question := range h.Asked() {
			if reply, given := said[question]; given && reply != h.said(question) {
				fresh = append(fresh, question)
			}
		}
		if len(fresh) > 0 && version != h.Version {
			return resource.ErrStale
		}
		for _, question := range fresh {
			done, err := tx.ExecContext(ctx, insertReply, h.tenancy, string(h.household), string(question), string(said[question]), sqldb.Ms(now), string(v.Person))
			if err := one(done, err); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("home of person %s: %w", v.Person, err)
	}
	return nil
}

// said is the reply that holds; Unknown where none was given.
func (h House) said(question Answer) Reply {
	if reply, given := h.Said[question]; given {
		return reply
	}
	return Unknown
}

func replyFaults(said map[Answer]Reply) (faults []problem.Field) {
	for question, reply := range said {
		if !slices.Contains(Questions, question) || !slices.Contains(Replies(question), reply) {
			faults = append(faults, problem.Field{Name: string(question), Message: "field.malformed"})
		}
	}
	slices.SortFunc(faults, func(a, b problem.Field) int {
		return slices.Index(Questions, Answer(a.Name)) - slices.Index(Questions, Answer(b.Name))
	})
	return faults
}

// one expects one changed row: none means that somebody was quicker.
func one(done sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return resource.ErrStale
}

const insertAbsence = `
INSERT INTO house_absence (id, tenancy_id, household_id, from_date, to_date, at_ms, by_whom)
VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT DO NOTHING`

// errTooMany is one absence too many.
var errTooMany = &problem.Error{Kind: problem.Conflict, Message: "house.too_many"}

// Leave notes that nobody is at home on some days. The same days again change
// nothing. It fails with the faults of [Absence.Faults], with the problem NotFound
// for who may not answer, and with the Conflict "house.too_many".
func (s *Store) Leave(ctx context.Context, v premises.Viewer, now time.Time, a Absence) error {
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		h, err := s.mine(ctx, tx, v, now)
		if err != nil {
			return err
		}
		if err := problem.OfFields(a.Faults(civil.DateIn(now, h.zone))); err != nil {
			return err
		}
		if len(h.Absences) >= mostAways {
			return errTooMany
		}
		_, err = tx.ExecContext(ctx, insertAbsence, uuid.Must(uuid.NewV7()).String(), h.tenancy, string(h.household),
			a.From.String(), a.To.String(), sqldb.Ms(now), string(v.Person))
		return err
	})
	if err != nil {
		return fmt.Errorf("absence of person %s: %w", v.Person, err)
	}
	return nil
}

const takeAbsence = `
UPDATE house_absence
   SET taken_ms = $3,
       taken_by = $4
 WHERE id = $1
   AND tenancy_id = $2
   AND taken_ms IS NULL`

const absenceOf = `
SELECT COUNT(*)
  FROM house_absence
 WHERE id = $1
   AND tenancy_id = $2`

// TakeBack takes an absence back; again changes nothing. It fails with the problem
// NotFound for one that is not of the viewer's home or not theirs to change.
func (s *Store) TakeBack(ctx context.Context, v premises.Viewer, now time.Time, id AwayID) error {
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		h, err := s.mine(ctx, tx, v, now)
		if err != nil {
			return err
		}
		var known int
		if err := tx.QueryRowContext(ctx, absenceOf, string(id), h.tenancy).Scan(&known); err != nil {
			return err
		}
		if known == 0 {
			return notFound()
		}
		_, err = tx.ExecContext(ctx, takeAbsence, string(id), h.tenancy, sqldb.Ms(now), string(v.Person))
		return err
	})
	if err != nil {
		return fmt.Errorf("absence %s: %w", id, err)
	}
	return nil
}
