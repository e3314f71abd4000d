package consent

import (
	"archive/zip"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// An Exporter writes all that is held on a household into one archive. It may be
// used from several goroutines.
type Exporter struct {
	store  *Store
	homes  *premises.Store
	meters *meters.Store
	influx *influx.Client
	slots  chan struct{}
	also   []Holder
}

// A Holder holds something of households that another area knows.
type Holder interface {
	// Held returns what is held of a household since a day, by the name of the
	// file that it becomes in the archive, written as JSON.
	Held(ctx context.Context, household premises.HouseholdID, since civil.Date) (map[string]any, error)
}

// Also has the archive tell what others hold.
func (x *Exporter) Also(others ...Holder) { x.also = append(x.also, others...) }

// atOnce bounds how many archives are written at the same time: each asks for
// years of readings.
const atOnce = 4

// NewExporter returns an exporter.
func NewExporter(s *Store, homes *premises.Store, m *meters.Store, client *influx.Client) *Exporter {
	return &Exporter{store: s, homes: homes, meters: m, influx: client, slots: make(chan struct{}, atOnce)}
}

// A Subject is whose archive is written, and from when on: it holds nothing of
// who lived there before or lives there after.
type Subject struct {
	household premises.HouseholdID
	reader    accounts.PersonID // whose own account is told too; empty for none
	since     civil.Date        // first day that is shown
	stays     []premises.Stay
	homes     []lodged
}

// SubjectOf returns the household of the viewer, clipped to what the viewer may
// see of it. It fails with the problem NotFound "tenancy.none" where the viewer
// may not decide for it.
func (x *Exporter) SubjectOf(ctx context.Context, v premises.Viewer, now time.Time) (Subject, error) {
	sight, err := x.homes.Seen(ctx, v, now)
	if err != nil {
		return Subject{}, err
	}
	if !sight.Act {
		return Subject{}, errNoHome()
	}
	s := Subject{household: sight.Household, since: sight.ShownFrom}
	if sight.Own {
		s.reader = v.Person
	}
	v.Household = sight.Household
	tomorrow := civil.DateIn(now, sight.Zone).AddDays(1)
	if s.stays, err = x.homes.During(ctx, v, now, civil.Date{Year: 1970, Month: 1, Day: 1}, tomorrow); err != nil {
		return Subject{}, err
	}
	return s, nil
}

// SubjectFor returns the household as staff export it on its behalf, over all its
// tenancies. The caller has looked whether they may, and writes it down.
func (x *Exporter) SubjectFor(ctx context.Context, household premises.HouseholdID, now time.Time) (Subject, error) {
	rows, err := x.store.db.QueryContext(ctx, householdStays, string(household))
	if err != nil {
		return Subject{}, fmt.Errorf("stays of household %s: %w", household, err)
	}
	stays, err := sqldb.Collect(rows, func(rows *sql.Rows) (premises.Stay, error) { return scanStay(rows, now) })
	if err != nil {
		return Subject{}, fmt.Errorf("stays of household %s: %w", household, err)
	}
	if len(stays) == 0 {
		return Subject{}, errNoHome()
	}
	return Subject{household: household, since: civil.Date{Year: 1970, Month: 1, Day: 1}, stays: stays}, nil
}

const householdStays = `
SELECT tenancy.household_id, dwelling.id, dwelling.building, dwelling.staircase, dwelling.label,
       tenancy.moved_in, COALESCE(tenancy.moved_out, ''), residence.zone
  FROM tenancy
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
 WHERE tenancy.household_id = $1
 ORDER BY tenancy.moved_in, tenancy.id`

func scanStay(rows *sql.Rows, now time.Time) (premises.Stay, error) {
	var s premises.Stay
	var movedIn, movedOut, zone string
	d := &s.Dwelling
	err := rows.Scan(&s.Household, &d.ID, &d.Building, &d.Staircase, &d.Label, &movedIn, &movedOut, &zone)
	if err != nil {
		return premises.Stay{}, err
	}
	if s.Zone, err = time.LoadLocation(zone); err != nil {
		return premises.Stay{}, fmt.Errorf("zone %q: %w", zone, err)
	}
	if s.From, err = civil.ParseDate(movedIn); err != nil {
		return premises.Stay{}, err
	}
	s.MovedIn, s.To = s.From, civil.DateIn(now, s.Zone).AddDays(1)
	if movedOut != "" {
		if s.MovedOut, err = civil.ParseDate(movedOut); err != nil {
			return premises.Stay{}, err
		}
		if s.MovedOut.Before(s.To) {
			s.To = s.MovedOut
		}
	}
	return s, nil
}

// Ready takes one of the places for writing an archive, and fails with the
// problem TooMany "export.busy" where none is free and with Unavailable
// "service.away" where InfluxDB does not answer. The caller calls done once the
// archive is written.
func (x *Exporter) Ready(ctx context.Context) (done func(), err error) {
	if err := x.influx.Ping(ctx); err != nil {
		return nil, &problem.Error{Kind: problem.Unavailable, Message: "service.away", Err: err}
	}
	select {
	case x.slots <- struct{}{}:
		return func() { <-x.slots }, nil
	default:
		return nil, &problem.Error{Kind: problem.TooMany, Message: "export.busy", Retry: 30 * time.Second}
	}
}

// Write streams the archive: what SQL holds as JSON and as one CSV file each,
// and what InfluxDB holds as JSON and CSV, read in pieces. Say returns a text of
// the catalogue in the reader's language. An error leaves an archive that no
// program opens.
func (x *Exporter) Write(ctx context.Context, w io.Writer, s Subject, now time.Time, say func(key string, args ...any) string) error {
	archive := zip.NewWriter(w)
	if err := writeReadme(archive, now, say); err != nil {
		return err
	}
	held, err := x.held(ctx, &s, now)
	if err != nil {
		return err
	}
	if err := held.write(archive, now); err != nil {
		return err
	}
	if err := x.writeAlso(ctx, archive, s, now); err != nil {
		return err
	}
	for _, m := range measures {
		if err := x.writeMeasure(ctx, archive, m, s, now); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("archive of household %s: %w", s.household, err)
	}
	return nil
}

func (x *Exporter) writeAlso(ctx context.Context, archive *zip.Writer, s Subject, now time.Time) error {
	for _, other := range x.also {
		files, err := other.Held(ctx, s.household, s.since)
		if err != nil {
			return fmt.Errorf("archive of household %s: %w", s.household, err)
		}
		for _, name := range slices.Sorted(maps.Keys(files)) {
			if err := writeJSON(archive, name, now, files[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

// readmeLines is how many texts of the catalogue make the page that explains the
// archive.
var readmeLines = []string{"export.readme_title", "export.readme_what", "export.readme_period", "export.readme_open",
	"export.readme_household", "export.readme_people", "export.readme_homes", "export.readme_consents", "export.readme_mandates",
	"export.readme_looks", "export.readme_erasures", "export.readme_advice", "export.readme_computers", "export.readme_notes",
	"export.readme_account", "export.readme_meters", "export.readme_readings",
	"export.readme_hours", "export.readme_days", "export.readme_months", "export.readme_units", "export.readme_wrong"}

func writeReadme(archive *zip.Writer, now time.Time, say func(key string, args ...any) string) error {
	var text strings.Builder
	for _, key := range readmeLines {
		text.WriteString(say(key) + "\r\n\r\n")
	}
	return writeFile(archive, "LISEZMOI.txt", now, []byte("\ufeff"+text.String()))
}

func writeFile(archive *zip.Writer, name string, now time.Time, text []byte) error {
	file, err := createFile(archive, name, now)
	if err == nil {
		_, err = file.Write(text)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func createFile(archive *zip.Writer, name string, now time.Time) (io.Writer, error) {
	return archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: now.UTC()})
}

// writeTable writes rows as CSV under a name.
func writeTable[T any](archive *zip.Writer, name string, now time.Time, rows []T) error {
	text, err := resource.CSV(rows)
	if err != nil {
		return err
	}
	return writeFile(archive, name, now, text)
}

func writeJSON(archive *zip.Writer, name string, now time.Time, of any) error {
	text, err := json.MarshalIndent(of, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return writeFile(archive, name, now, text)
}

// spans returns the times in which meters counted for the subject.
func (x *Exporter) spans(ctx context.Context, s Subject, now time.Time) ([]lodged, error) {
	var all []lodged
	for _, stay := range s.stays {
		points, err := x.meters.Fitted(ctx, stay.Dwelling.ID)
		if err != nil {
			return nil, err
		}
		start, end := stay.Bounds()
		end = earlier(end, now)
		for _, p := range points {
			for _, h := range p.Hangings {
				l := lodged{hanging: h, kind: p.Kind, zone: stay.Zone, from: later(start, h.From), to: end}
				if !h.To.IsZero() {
					l.to = earlier(end, h.To)
				}
				if l.from.Before(l.to) {
					all = append(all, l)
				}
			}
		}
	}
	return all, nil
}

// A lodged is a meter for as long as it counted for the subject.
type lodged struct {
	hanging  meters.Hanging
	kind     metering.Kind
	zone     *time.Location
	from, to time.Time
}
