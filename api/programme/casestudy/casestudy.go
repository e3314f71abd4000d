// Package casestudy loads the years 2006 to 2009 of the project that the product
// comes from, as records: 600 dwellings, what was bought and sold, the sessions and
// who came, surveys, working time, and what was declared. Everything goes through
// the stores that live residences use, at the day it speaks of, so that the
// indicators come out of records and of nothing else.
package casestudy

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/training"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Residence is the id of the residence that the case is loaded as.
const Residence metering.SiteID = "cas-roseraie"

// Period are the years of the case: [from, until).
func Period() (from, until civil.Date) {
	return civil.Date{Year: 2006, Month: time.January, Day: 1}, civil.Date{Year: 2010, Month: time.January, Day: 1}
}

// A Reader is somebody of the staff who is to see the case: their roles in its
// residence are added.
type Reader struct {
	Person accounts.PersonID
	Role   accounts.Role
}

// A Step tells how far a load is.
type Step struct {
	What       string // in English, as in "computers"
	Done, Made int    // of so many
}

// A load is one in progress.
type load struct {
	records
	db        *sql.DB
	zone      *time.Location
	clerk     accounts.PersonID
	machines  *computers.Store
	trainings *training.Store
	programme *programme.Store
	tell      func(Step)
}

// Load brings the case into a migrated database, and tells how far it is; tell may
// be nil. Loaded again it changes nothing, and a load that was interrupted is taken
// up where it ended.
func Load(ctx context.Context, db *sql.DB, readers []Reader, tell func(Step)) error {
	read, err := readRecords()
	if err != nil {
		return fmt.Errorf("records of the case: %w", err)
	}
	zone, err := time.LoadLocation(read.Residence.Zone)
	if err != nil {
		return fmt.Errorf("records of the case: zone %q: %w", read.Residence.Zone, err)
	}
	if tell == nil {
		tell = func(Step) {}
	}
	duties := training.NewStore(db, training.DefaultTerms())
	l := &load{records: read, db: db, zone: zone, clerk: accounts.PersonID(read.Clerk.ID), machines: computers.NewStore(db, duties),
		trainings: duties, programme: programme.NewStore(db), tell: tell}
	for _, part := range []struct {
		name string
		load func(context.Context) error
	}{
		{"dwellings", l.loadHomes}, {"readers", func(ctx context.Context) error { return l.loadReaders(ctx, readers) }},
		{"computers", l.loadMachines}, {"trainings", l.loadSessions}, {"programme", l.loadProgramme}, {"letters", l.dropLetters},
	} {
		if err := part.load(ctx); err != nil {
			return fmt.Errorf("load the case: %s: %w", part.name, err)
		}
	}
	return nil
}

// at is ten in the morning of a day, where the case took place.
func (l *load) at(d civil.Date) time.Time { return d.Start(l.zone).Add(10 * time.Hour) }

func (l *load) loadReaders(ctx context.Context, readers []Reader) error {
	return sqldb.InTx(ctx, l.db, func(tx *sql.Tx) error {
		var members []accounts.Member
		for _, r := range readers {
			members = append(members, accounts.Member{Person: accounts.Person{ID: r.Person},
				Post: accounts.Post{Role: r.Role, Residence: string(Residence)}})
		}
		return accounts.PutStaff(ctx, tx, members)
	})
}

const dropOldLetters = `
DELETE FROM outbox
 WHERE state = 'waiting'
   AND created_ms < $1
   AND person_id IN (SELECT person_id
                       FROM training_duty
                      WHERE residence_id = $2)`

// dropLetters drops the letters that the stores wrote to families of those years:
// nobody is to print them today.
func (l *load) dropLetters(ctx context.Context) error {
	_, until := Period()
	_, err := l.db.ExecContext(ctx, dropOldLetters, sqldb.Ms(l.at(until)), string(Residence))
	return err
}
