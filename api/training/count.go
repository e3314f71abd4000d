package training

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Counts are how many, of one residence: nobody is named.
type Counts struct {
	Residence     metering.SiteID
	ResidenceName string
	Obliged       int // duties, but of who brought the machine back for good
	Trained       int
	Exempted      int
	Open          int
	Late          int // open after their last day
	OnTheWay      int // open, with a place or waiting for one
	Uninvited     int // open and on no way
	Sessions      int // held
	ToCome        int // sessions
	Asked         int // a month after the training, and answered
	StillUsed     int // of these: often or sometimes
	ForJobs       int // of these: for looking for work
}

const listCounts = `
SELECT residence.id, residence.name,
       COUNT(duty.id),
       COALESCE(SUM(CASE WHEN duty.state = 'done' THEN 1 ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN duty.state = 'exempted' THEN 1 ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN duty.state = 'open' THEN 1 ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN duty.state = 'open' AND duty.due_date < $2 THEN 1 ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN way.state IN ('waiting', 'enrolled', 'reminded') THEN 1 ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN duty.state = 'open' AND way.state IS NULL THEN 1 ELSE 0 END), 0),
       (SELECT COUNT(*) FROM training_session WHERE training_session.residence_id = residence.id
                           AND training_session.called_off_ms IS NULL AND training_session.ends_ms <= $3),
       (SELECT COUNT(*) FROM training_session WHERE training_session.residence_id = residence.id
                           AND training_session.called_off_ms IS NULL AND training_session.starts_ms > $3),
       COALESCE(SUM(CASE WHEN asked.answered_ms IS NOT NULL THEN 1 ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN asked.still_used IN ('often', 'sometimes') THEN 1 ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN asked.job_search = 'yes' THEN 1 ELSE 0 END), 0)
  FROM residence
  LEFT JOIN training_duty AS duty ON duty.residence_id = residence.id
                                 AND NOT EXISTS (SELECT 1
                                                   FROM returned_sale
                                                  WHERE returned_sale.id = duty.sale_id)
  LEFT JOIN training_enrolment AS way ON way.duty_id = duty.id
                                     AND way.state IN ('invited', 'waiting', 'enrolled', 'reminded')
  LEFT JOIN training_enrolment AS trained ON trained.duty_id = duty.id AND trained.state = 'attended'
  LEFT JOIN training_follow_up AS asked ON asked.enrolment_id = trained.id
 WHERE EXISTS (SELECT 1
                 FROM staff_role
                WHERE staff_role.person_id = $1
                  AND staff_role.role IN ('advisor', 'manager', 'administrator')
                  AND (staff_role.residence_id IS NULL OR staff_role.residence_id = residence.id))
 GROUP BY residence.id, residence.name
 ORDER BY residence.name, residence.id`

// Counts returns the counts of each residence of an advisor, manager or
// administrator.
func (s *Store) Counts(ctx context.Context, staff accounts.PersonID, now time.Time) ([]Counts, error) {
	rows, err := s.db.QueryContext(ctx, listCounts, string(staff), today(now), sqldb.Ms(now))
	if err != nil {
		return nil, fmt.Errorf("counts of trainings: %w", err)
	}
	return sqldb.Collect(rows, func(rows *sql.Rows) (c Counts, err error) {
		return c, rows.Scan(&c.Residence, &c.ResidenceName, &c.Obliged, &c.Trained, &c.Exempted, &c.Open, &c.Late, &c.OnTheWay, &c.Uninvited,
			&c.Sessions, &c.ToCome, &c.Asked, &c.StillUsed, &c.ForJobs)
	})
}
