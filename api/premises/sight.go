package premises

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A Viewer is a person who looks at homes: at all their own where Household is
// empty, else at those of this one household, which may be another one that they
// help by mandate. Own and helped homes never mix.
type Viewer struct {
	Person    accounts.PersonID
	Household HouseholdID
}

// Own returns the viewer of the person's own homes.
func Own(person accounts.PersonID) Viewer { return Viewer{Person: person} }

// errNoHome looks the same whether there is nothing or it is somebody else's.
func errNoHome() error { return &problem.Error{Kind: problem.NotFound, Message: "tenancy.none"} }

// The right to look must hold on the day of asking ($4), in the zone of the home
// ($3): when it ends, what was seen before is not found any more. The days are
// clipped to the tenancy and to the membership, so that who joins late does not
// see what was before.
const during = `
SELECT tenancy.household_id,
       dwelling.id, dwelling.residence_id, dwelling.building, dwelling.staircase, dwelling.label,
       dwelling.floor, dwelling.rooms, dwelling.area_m2, dwelling.heating_kind, dwelling.hot_water_kind, dwelling.version,
       CASE WHEN MIN(sight.shown_from) > tenancy.moved_in THEN MIN(sight.shown_from) ELSE tenancy.moved_in END,
       COALESCE(tenancy.moved_out, ''),
       CASE WHEN tenancy.moved_in >= MIN(sight.shown_from) AND tenancy.moved_in >= $5 THEN tenancy.moved_in
            WHEN MIN(sight.shown_from) >= $5 THEN MIN(sight.shown_from)
            ELSE $5 END,
       CASE WHEN tenancy.moved_out IS NOT NULL AND tenancy.moved_out < $6 THEN tenancy.moved_out
            ELSE $6 END
  FROM sight
  JOIN tenancy ON tenancy.household_id = sight.household_id
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
 WHERE sight.viewer_id = $1
   AND (sight.household_id = $2 OR ($2 = '' AND sight.scope = 'own'))
   AND residence.zone = $3
   AND sight.since_date <= $4
   AND (sight.until_date IS NULL OR sight.until_date > $4)
   AND tenancy.moved_in < $6
   AND sight.shown_from < $6
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $5)
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > sight.shown_from)
 GROUP BY tenancy.id, tenancy.household_id, tenancy.moved_in, tenancy.moved_out,
          dwelling.id, dwelling.residence_id, dwelling.building, dwelling.staircase, dwelling.label,
          dwelling.floor, dwelling.rooms, dwelling.area_m2, dwelling.heating_kind, dwelling.hot_water_kind, dwelling.version
 ORDER BY tenancy.moved_in, dwelling.id`

// During returns the parts of the viewer's stays that fall within [from, to), as
// they may be seen at the instant now, in the order of moving in. It fails with
// the problem NotFound "tenancy.none" where there is none, so that another
// household's home looks absent rather than forbidden.
func (s *Store) During(ctx context.Context, v Viewer, now time.Time, from, to civil.Date) ([]Stay, error) {
	_, stays, err := s.ZoneDuring(ctx, v, now, from, to)
	return stays, err
}

// ZoneDuring returns what [Store.Zone] and [Store.During] do, in one look at the
// viewer's homes.
func (s *Store) ZoneDuring(ctx context.Context, v Viewer, now time.Time, from, to civil.Date) (*time.Location, []Stay, error) {
	zones, err := s.zones(ctx, v)
	if err != nil {
		return nil, nil, fmt.Errorf("stays of person %s: %w", v.Person, err)
	}
	var all []Stay
	for _, zone := range zones {
		rows, err := s.db.QueryContext(ctx, during, string(v.Person), string(v.Household), zone.String(),
			civil.DateIn(now, zone).String(), from.String(), to.String())
		if err != nil {
			return nil, nil, fmt.Errorf("stays of person %s: %w", v.Person, err)
		}
		stays, err := sqldb.Collect(rows, func(rows *sql.Rows) (Stay, error) { return scanStay(rows, zone) })
		if err != nil {
			return nil, nil, fmt.Errorf("stays of person %s: %w", v.Person, err)
		}
		all = append(all, stays...)
	}
	if len(all) == 0 {
		return nil, nil, errNoHome()
	}
	slices.SortStableFunc(all, func(a, b Stay) int { return a.MovedIn.Start(time.UTC).Compare(b.MovedIn.Start(time.UTC)) })
	return zones[0], all, nil
}

func scanStay(rows *sql.Rows, zone *time.Location) (Stay, error) {
	s := Stay{Zone: zone}
	var movedIn, movedOut, from, to string
	d := &s.Dwelling
	err := rows.Scan(&s.Household, &d.ID, &d.Residence, &d.Building, &d.Staircase, &d.Label, &d.Floor, &d.Rooms, &d.AreaM2,
		&d.Heating, &d.HotWater, &d.Version, &movedIn, &movedOut, &from, &to)
	if err != nil {
		return Stay{}, err
	}
	err = parseDates(dated{movedIn, &s.MovedIn}, dated{movedOut, &s.MovedOut}, dated{from, &s.From}, dated{to, &s.To})
	return s, err
}

// A dated is a text of the store and the date it becomes; empty for none.
type dated struct {
	text string
	date *civil.Date
}

func parseDates(all ...dated) error {
	for _, d := range all {
		if d.text == "" {
			continue
		}
		var err error
		if *d.date, err = civil.ParseDate(d.text); err != nil {
			return err
		}
	}
	return nil
}

const zonesOf = `
SELECT residence.zone
  FROM sight
  JOIN tenancy ON tenancy.household_id = sight.household_id
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
 WHERE sight.viewer_id = $1
   AND (sight.household_id = $2 OR ($2 = '' AND sight.scope = 'own'))
 GROUP BY residence.zone
 ORDER BY MAX(tenancy.moved_in) DESC`

// zonesAsked is the question of zones for [sqldb.Remembered].
type zonesAsked struct{ viewer Viewer }

// zones lists the zones of the viewer's homes, past ones included; that of the
// home moved to last comes first.
func (s *Store) zones(ctx context.Context, v Viewer) ([]*time.Location, error) {
	return sqldb.Remembered(ctx, zonesAsked{v}, func() ([]*time.Location, error) {
		rows, err := s.db.QueryContext(ctx, zonesOf, string(v.Person), string(v.Household))
		if err != nil {
			return nil, err
		}
		return s.atlas.zones(rows)
	})
}

// Zone returns the zone in which the viewer's days begin: that of the home moved
// to last. It fails with the problem NotFound "tenancy.none" where the viewer
// never had a home to see.
func (s *Store) Zone(ctx context.Context, v Viewer) (*time.Location, error) {
	zones, err := s.zones(ctx, v)
	if err != nil {
		return nil, fmt.Errorf("zone of person %s: %w", v.Person, err)
	}
	if len(zones) == 0 {
		return nil, errNoHome()
	}
	return zones[0], nil
}

// A Sight is a household that a person may look at.
type Sight struct {
	Household HouseholdID
	Own       bool
	Act       bool      // may decide for it: a member, or a helper whose mandate says so
	Giver     string    // name of who gave the mandate; empty for an own household
	Mandate   MandateID // empty for an own household
	Until     civil.Date
	ShownFrom civil.Date // first day that is shown
	Zone      *time.Location
	// Dwelling is the home moved to last; its fields are those of the door.
	Dwelling Dwelling
}

// The home of a sight is the last that the household moved to.
const sights = `
SELECT sight.household_id, sight.scope, person.name, sight.mandate_id, COALESCE(sight.until_date, ''), sight.shown_from,
       residence.zone, dwelling.id, dwelling.residence_id, dwelling.building, dwelling.staircase, dwelling.label
  FROM sight
  JOIN person ON person.id = sight.giver_id
  JOIN tenancy ON tenancy.household_id = sight.household_id
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
 WHERE sight.viewer_id = $1
   AND residence.zone = $2
   AND sight.since_date <= $3
   AND (sight.until_date IS NULL OR sight.until_date > $3)
   AND NOT EXISTS (SELECT 1
                     FROM tenancy AS later
                    WHERE later.household_id = tenancy.household_id
                      AND (later.moved_in > tenancy.moved_in
                       OR later.moved_in = tenancy.moved_in AND later.id > tenancy.id))
 ORDER BY CASE sight.scope WHEN 'own' THEN 0 WHEN 'act' THEN 1 ELSE 2 END,
          person.name, sight.household_id, sight.mandate_id`

// Households lists what the person may look at, at the instant now: own
// households first, then those of mandates, each once. It is empty for who has
// neither.
func (s *Store) Households(ctx context.Context, person accounts.PersonID, now time.Time) ([]Sight, error) {
	zones, err := s.everyZone(ctx)
	if err != nil {
		return nil, fmt.Errorf("households of person %s: %w", person, err)
	}
	var all []Sight
	for _, zone := range zones {
		rows, err := s.db.QueryContext(ctx, sights, string(person), zone.String(), civil.DateIn(now, zone).String())
		if err != nil {
			return nil, fmt.Errorf("households of person %s: %w", person, err)
		}
		some, err := sqldb.Collect(rows, func(rows *sql.Rows) (Sight, error) { return scanSight(rows, zone) })
		if err != nil {
			return nil, fmt.Errorf("households of person %s: %w", person, err)
		}
		all = append(all, some...)
	}
	slices.SortStableFunc(all, func(a, b Sight) int { return a.rank() - b.rank() })
	return eachOnce(all), nil
}

func (g Sight) rank() int {
	switch {
	case g.Own:
		return 0
	case g.Act:
		return 1
	default:
		return 2
	}
}

// eachOnce keeps the strongest sight of each household, from the first day that
// any of them shows.
func eachOnce(all []Sight) []Sight {
	at := map[HouseholdID]int{}
	var once []Sight
	for _, g := range all {
		if i, known := at[g.Household]; known {
			if g.ShownFrom.Before(once[i].ShownFrom) {
				once[i].ShownFrom = g.ShownFrom
			}
			continue
		}
		at[g.Household] = len(once)
		once = append(once, g)
	}
	return once
}

func scanSight(rows *sql.Rows, zone *time.Location) (Sight, error) {
	g := Sight{Zone: zone}
	var scope, until, shownFrom, zoneName string
	d := &g.Dwelling
	err := rows.Scan(&g.Household, &scope, &g.Giver, &g.Mandate, &until, &shownFrom, &zoneName,
		&d.ID, &d.Residence, &d.Building, &d.Staircase, &d.Label)
	if err != nil {
		return Sight{}, err
	}
	g.Own, g.Act = scope == "own", scope != string(See)
	if g.Own {
		g.Giver = ""
	}
	return g, parseDates(dated{until, &g.Until}, dated{shownFrom, &g.ShownFrom})
}

// everyZone lists the zones of all residences: one, mostly.
func (s *Store) everyZone(ctx context.Context) ([]*time.Location, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT DISTINCT zone FROM residence ORDER BY zone`)
	if err != nil {
		return nil, err
	}
	return s.atlas.zones(rows)
}

// Seen returns the sight of one household, for a page or an answer that is about
// it; an empty household is the person's own. It fails with the problem NotFound
// "tenancy.none" where the person may not look at it.
func (s *Store) Seen(ctx context.Context, v Viewer, now time.Time) (Sight, error) {
	all, err := s.Households(ctx, v.Person, now)
	if err != nil {
		return Sight{}, err
	}
	for _, g := range all {
		if g.Household == v.Household || v.Household == "" && g.Own {
			return g, nil
		}
	}
	return Sight{}, errNoHome()
}
