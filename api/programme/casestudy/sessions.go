package casestudy

import (
	"context"
	"fmt"

	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/training"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// enrolledBefore is how many days before a session its families got their places.
const enrolledBefore = 14

// loadSessions plans the sessions, gives who came a place, and records that they
// came. Buyers whom no session names stay obliged.
func (l *load) loadSessions(ctx context.Context) error {
	course, err := l.course(ctx)
	if err != nil {
		return err
	}
	flats := map[string]int{}
	for _, m := range l.machineRows {
		flats[m.registerNo] = m.flat
	}
	for i, row := range l.Sessions {
		session, err := l.session(ctx, course, row)
		if err != nil {
			return fmt.Errorf("session of %s: %w", row.Date, err)
		}
		for _, registerNo := range l.attended[i+1] {
			if err := l.attend(ctx, session, mustDate(row.Date), flats[registerNo]); err != nil {
				return fmt.Errorf("session of %s: computer %s: %w", row.Date, registerNo, err)
			}
		}
		if err := l.record(ctx, session, mustDate(row.Date)); err != nil {
			return fmt.Errorf("session of %s: %w", row.Date, err)
		}
		l.tell(Step{"sessions", i + 1, len(l.Sessions)})
	}
	return nil
}

func (l *load) course(ctx context.Context) (training.CourseID, error) {
	all, err := l.trainings.Courses(ctx, "", 1000)
	if err != nil {
		return "", err
	}
	for _, c := range all {
		if c.Title == l.Course.Title {
			return c.ID, nil
		}
	}
	made, err := l.trainings.CreateCourse(ctx, l.clerk, training.Course{Title: l.Course.Title, Theme: training.Theme(l.Course.Theme),
		About: l.Course.About}, l.at(mustDate(l.Sessions[0].Date)))
	return made.ID, err
}

func (l *load) session(ctx context.Context, course training.CourseID, row sessionRow) (training.SessionID, error) {
	on := mustDate(row.Date)
	start, end := on.Bounds(l.zone)
	known, err := l.trainings.Sessions(ctx, l.clerk, training.Span{Residence: Residence, From: start, To: end, Page: resource.Page{Limit: 10}})
	if err != nil || len(known) > 0 {
		if len(known) > 0 {
			return known[0].ID, err
		}
		return "", err
	}
	made, err := l.trainings.CreateSession(ctx, l.clerk, training.Plan{Course: course, Residence: Residence, Date: row.Date, From: row.From, To: row.To,
		Place: row.Place, Partner: row.Partner, Language: "fr", Capacity: row.Capacity}, l.at(on.AddDays(-2*enrolledBefore)))
	return made.ID, err
}

const openDuty = `
SELECT COALESCE(MAX(id), '')
  FROM training_duty
 WHERE household_id = $1
   AND state = 'open'`

// attend gives the buyer of a flat a place, unless they are trained by now.
func (l *load) attend(ctx context.Context, session training.SessionID, on civil.Date, flat int) error {
	var duty training.DutyID
	if err := l.db.QueryRowContext(ctx, openDuty, string(household(flat))).Scan(&duty); err != nil || duty == "" {
		return err
	}
	return l.trainings.Enrol(ctx, l.clerk, duty, session, false, l.at(on.AddDays(-enrolledBefore)))
}

// record marks everybody on the sheet as having come.
func (l *load) record(ctx context.Context, session training.SessionID, on civil.Date) error {
	_, sheet, err := l.trainings.Sheet(ctx, l.clerk, session)
	if err != nil {
		return err
	}
	var marks []training.Mark
	for _, row := range sheet {
		marks = append(marks, training.Mark{Enrolment: row.ID, Present: true})
	}
	return l.trainings.Record(ctx, l.clerk, session, marks, l.at(on.AddDays(1)))
}
