package tips

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const ofDwellings = `
   AND tenancy_id IN (SELECT tenancy.id
                        FROM tenancy
                        JOIN dwelling ON dwelling.id = tenancy.dwelling_id
                       WHERE dwelling.residence_id = $1
                         AND dwelling.id >= $2
                         AND dwelling.id <= $3
                         AND tenancy.moved_in <= $4
                         AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $4))`

const repliesOf = `
SELECT tenancy_id, question, said
  FROM house_answer
 WHERE NOT EXISTS (SELECT 1
                     FROM house_answer AS newer
                    WHERE newer.tenancy_id = house_answer.tenancy_id
                      AND newer.question = house_answer.question
                      AND newer.number > house_answer.number)` + ofDwellings

const absencesOf = `
SELECT tenancy_id, id, from_date, to_date
  FROM house_absence
 WHERE taken_ms IS NULL` + ofDwellings

// Houses returns what the households said whose stays last on a day in the dwellings
// from first to last of a residence, by stay, for the morning's run alone: who asks
// for a person asks [Store.House].
func (s *Store) Houses(ctx context.Context, residence metering.SiteID, first, last premises.DwellingID, on civil.Date) (map[string]House, error) {
	found := map[string]House{}
	args := []any{string(residence), string(first), string(last), on.String()}
	rows, err := s.db.QueryContext(ctx, repliesOf, args...)
	if err != nil {
		return nil, fmt.Errorf("homes of %s: %w", residence, err)
	}
	_, err = sqldb.Collect(rows, func(rows *sql.Rows) (struct{}, error) {
		var tenancy string
		var question Answer
		var said Reply
		err := rows.Scan(&tenancy, &question, &said)
		h := found[tenancy]
		if h.Said == nil {
			h.Said = map[Answer]Reply{}
		}
		h.Said[question], found[tenancy] = said, h
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("homes of %s: %w", residence, err)
	}
	if rows, err = s.db.QueryContext(ctx, absencesOf, args...); err != nil {
		return nil, fmt.Errorf("absences in %s: %w", residence, err)
	}
	_, err = sqldb.Collect(rows, func(rows *sql.Rows) (struct{}, error) {
		var tenancy, from, to string
		var a Away
		if err := rows.Scan(&tenancy, &a.ID, &from, &to); err != nil {
			return struct{}{}, err
		}
		var err1, err2 error
		a.From, err1 = civil.ParseDate(from)
		a.To, err2 = civil.ParseDate(to)
		h := found[tenancy]
		h.Absences = append(h.Absences, a)
		found[tenancy] = h
		return struct{}{}, errors.Join(err1, err2)
	})
	if err != nil {
		return nil, fmt.Errorf("absences in %s: %w", residence, err)
	}
	return found, nil
}

// EraseHouse deletes what a household said about its home in a stay, with its
// history; erasing again changes nothing.
func (s *Store) EraseHouse(ctx context.Context, tenancy string) error {
	return sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		for _, statement := range []string{`DELETE FROM house_answer WHERE tenancy_id = $1`, `DELETE FROM house_absence WHERE tenancy_id = $1`} {
			if _, err := tx.ExecContext(ctx, statement, tenancy); err != nil {
				return fmt.Errorf("erase what was said in stay %s: %w", tenancy, err)
			}
		}
		return nil
	})
}

const saidBy = `
SELECT question, said, at_ms, by_whom
  FROM house_answer
 WHERE household_id = $1
   AND at_ms >= $2
 ORDER BY at_ms, tenancy_id, question, number`

const awayBy = `
SELECT from_date, to_date, at_ms, by_whom, COALESCE(taken_ms, 0)
  FROM house_absence
 WHERE household_id = $1
   AND at_ms >= $2
   AND from_date >= $3
 ORDER BY at_ms, id`

// StatementsOf lists what a household said about its homes since a day, taken back
// or not, for the archive of what is held on it. The caller has found the household
// to be the reader's.
func (s *Store) StatementsOf(ctx context.Context, household premises.HouseholdID, since civil.Date) (all Statements, err error) {
	sinceMs := sqldb.Ms(since.Start(time.UTC))
	rows, err := s.db.QueryContext(ctx, saidBy, string(household), sinceMs)
	if err != nil {
		return all, fmt.Errorf("statements of household %s: %w", household, err)
	}
	all.Answers, err = sqldb.Collect(rows, func(rows *sql.Rows) (one Statement, err error) {
		var atMs int64
		err = rows.Scan(&one.Question, &one.Said, &atMs, &one.By)
		one.At = sqldb.Time(atMs)
		return one, err
	})
	if err != nil {
		return all, fmt.Errorf("statements of household %s: %w", household, err)
	}
	if rows, err = s.db.QueryContext(ctx, awayBy, string(household), sinceMs, since.String()); err != nil {
		return all, fmt.Errorf("absences of household %s: %w", household, err)
	}
	if all.Absences, err = sqldb.Collect(rows, scanAwayStatement); err != nil {
		return all, fmt.Errorf("absences of household %s: %w", household, err)
	}
	return all, nil
}

func scanAwayStatement(rows *sql.Rows) (one AwayStatement, err error) {
	var from, to string
	var atMs, takenMs int64
	if err := rows.Scan(&from, &to, &atMs, &one.By, &takenMs); err != nil {
		return one, err
	}
	one.At = sqldb.Time(atMs)
	if takenMs > 0 {
		taken := sqldb.Time(takenMs)
		one.Taken = &taken
	}
	if one.From, err = civil.ParseDate(from); err == nil {
		one.To, err = civil.ParseDate(to)
	}
	return one, err
}
