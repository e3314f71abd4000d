package programme

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Contact is when somebody of the staff last had word with those whose leak it
// is, and when one of them was last there; either is zero for never. A visit is a
// word, too.
type Contact struct{ Reached, Visited civil.Date }

// Who confirms a leak at the desk was there; the word of the household or of three
// nights is no visit.
const leakContacts = `
SELECT touch.leak, COALESCE(MAX(touch.reached), ''), COALESCE(MAX(touch.visited), '')
  FROM (SELECT queue_closing.subject_id AS leak,
               CASE WHEN queue_closing.outcome IN ('called', 'visited', 'written', 'settled') THEN queue_closing.closed_on END AS reached,
               CASE WHEN queue_closing.outcome = 'visited' THEN queue_closing.closed_on END AS visited
          FROM queue_closing
         WHERE queue_closing.residence_id = $2
           AND queue_closing.matter = 'leak'
         UNION ALL
        SELECT alert_step.case_id, alert_step.on_date, alert_step.on_date
          FROM alert_step
          JOIN alert_case ON alert_case.id = alert_step.case_id
          JOIN point ON point.id = alert_case.point_id
          LEFT JOIN dwelling ON dwelling.id = point.dwelling_id
         WHERE alert_step.state = 'confirmed'
           AND alert_case.subject = 'water'
           AND COALESCE(dwelling.residence_id, point.residence_id) = $2
           AND EXISTS (SELECT 1
                         FROM staff_role
                        WHERE staff_role.person_id = alert_step.by_whom
                          AND staff_role.role IN ` + readerRoles + `
                          AND (staff_role.residence_id IS NULL OR staff_role.residence_id = $2))) AS touch
 WHERE `

// Visited returns what the queue's closed lines and the desk tell of each leak of a
// residence, by the id of its case; one that nobody saw to is not in it. It is for the
// advisors, managers and administrators of the residence; others find
// [ErrNoResidence].
func (s *Store) Visited(ctx context.Context, staff accounts.PersonID, residence metering.SiteID) (map[string]Contact, error) {
	if _, err := s.place(ctx, readerRoles, staff, residence); err != nil {
		return nil, err
	}
	type line struct {
		leak string
		Contact
	}
	all, err := several(ctx, s.db, func(rows *sql.Rows) (l line, err error) {
		return l, rows.Scan(&l.leak, day{&l.Reached}, day{&l.Contact.Visited})
	}, leakContacts+has(readerRoles, "$2")+` GROUP BY touch.leak`, string(staff), string(residence))
	if err != nil {
		return nil, fmt.Errorf("visits of residence %s: %w", residence, err)
	}
	contacts := make(map[string]Contact, len(all))
	for _, l := range all {
		contacts[l.leak] = l.Contact
	}
	return contacts, nil
}
