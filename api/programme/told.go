package programme

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// leastHomes is of how many homes at least a sum of what they did is told.
const leastHomes = 10

// settledDays is how long after its end a quarter is told: results come late.
const settledDays = 30

// toldKeys are the indicators that are told of homes together only.
var toldKeys = []Key{"leaks_volume", "tips_result", "job_search"}

// A together is what homes did together: of how many homes and times, with the sum
// and the sum of the squares. Zero homes tell nothing.
type together struct {
	homes, times   int
	total, squares float64
}

func (t *together) add(o together) {
	t.homes += o.homes
	t.times += o.times
	t.total += o.total
	t.squares += o.squares
}

// A stretch is the days [from, until).
type stretch struct{ from, until civil.Date }

func quarterAt(year, number int) stretch {
	month := func(n int) civil.Date {
		return civil.DateOf(time.Date(year, time.Month(1+3*n), 1, 0, 0, 0, 0, time.UTC))
	}
	return stretch{month(number), month(number + 1)}
}

func (q stretch) settled(today civil.Date) bool { return !today.Before(q.until.AddDays(settledDays)) }

// beginsQuarter reports whether a quarter of the calendar begins on a day.
func beginsQuarter(d civil.Date) bool { return d.Day == 1 && (d.Month-1)%3 == 0 }

// tellable reports whether figures may be told of a period: it is made of whole
// quarters, the last of which may run still and is left out then.
func (p Period) tellable(today civil.Date) bool {
	return beginsQuarter(p.From) && (beginsQuarter(p.Until) || today.Before(p.Until))
}

const listTold = `
SELECT from_date, until_date, homes, times, total, squares
  FROM told_figure
 WHERE residence_id = $1
   AND figure = $2`

const keepTold = `
INSERT INTO told_figure (residence_id, figure, from_date, until_date, homes, times, total, squares, told_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (residence_id, figure, from_date, until_date) DO NOTHING`

// A teller tells what homes of one residence did together. What it told once stays
// as it was told, so that no later fact shows by the difference.
type teller struct {
	db    *sql.DB
	at    Place
	now   time.Time
	known map[Key]map[stretch]together
	found map[stretch]map[Key]together // gathered now; by quarter
}

func newTeller(ctx context.Context, db *sql.DB, at Place, now time.Time) (*teller, error) {
	t := &teller{db, at, now, map[Key]map[stretch]together{}, map[stretch]map[Key]together{}}
	for _, key := range toldKeys {
		if err := t.read(ctx, key); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *teller) read(ctx context.Context, key Key) error {
	t.known[key] = map[stretch]together{}
	_, err := several(ctx, t.db, func(rows *sql.Rows) (none struct{}, err error) {
		var of stretch
		var one together
		err = rows.Scan(day{&of.from}, day{&of.until}, &one.homes, &one.times, &one.total, &one.squares)
		t.known[key][of] = one
		return none, err
	}, listTold, string(t.at.ID), string(key))
	return err
}

// of adds up what is told of a figure in a period. Years of which the period holds
// all quarters are told with those that alone have too few homes.
func (t *teller) of(ctx context.Context, key Key, p Period) (sum together, err error) {
	today := civil.DateIn(t.now, t.at.Zone)
	for year := p.From.Year; year <= p.Until.Year; year++ {
		var few []stretch
		settled := 0
		for n := range 4 {
			q := quarterAt(year, n)
			if q.from.Before(p.From) || p.Until.Before(q.until) || !q.settled(today) {
				continue
			}
			one, err := t.tell(ctx, key, q, q)
			if err != nil {
				return sum, err
			}
			settled++
			if one.homes == 0 {
				few = append(few, q)
			}
			sum.add(one)
		}
		if settled < 4 || len(few) < 2 {
			continue
		}
		one, err := t.tell(ctx, key, stretch{quarterAt(year, 0).from, quarterAt(year, 3).until}, few...)
		if err != nil {
			return sum, err
		}
		sum.add(one)
	}
	return sum, nil
}

// tell returns what is told of a stretch, which the quarters make up, and decides it
// where it was not yet. Of two who do it at once the first is kept.
func (t *teller) tell(ctx context.Context, key Key, of stretch, quarters ...stretch) (together, error) {
	if one, ok := t.known[key][of]; ok {
		return one, nil
	}
	all, err := t.gather(ctx, quarters)
	if err != nil {
		return together{}, err
	}
	one := all[key]
	if one.homes < leastHomes {
		one = together{}
	}
	if _, err := t.db.ExecContext(ctx, keepTold, string(t.at.ID), string(key), of.from.String(), of.until.String(),
		one.homes, one.times, one.total, one.squares, sqldb.Ms(t.now)); err != nil {
		return together{}, err
	}
	err = t.read(ctx, key)
	return t.known[key][of], err
}

// gather reads what the homes did in some quarters.
func (t *teller) gather(ctx context.Context, quarters []stretch) (map[Key]together, error) {
	if all, ok := t.found[quarters[0]]; ok && len(quarters) == 1 {
		return all, nil
	}
	f := newFacts(Period{})
	for _, q := range quarters {
		g := gathering{f, t.db, t.at, q.from, q.until, t.now}
		for _, read := range []func(context.Context) error{g.leaksMended, g.tipsTaken, g.answers} {
			if err := read(ctx); err != nil {
				return nil, err
			}
		}
	}
	all := map[Key]together{
		"leaks_volume": {homes: len(f.leakHomes), times: f.leaks, total: 10 * math.Round(f.leakMl/1e7)}, // tens of m³
		"tips_result":  {homes: len(f.resultHomes), times: len(f.results)},
		"job_search":   {homes: f.askedHomes, times: f.asked, total: float64(f.jobs)},
	}
	results := all["tips_result"]
	for _, l := range f.results {
		results.total += l
		results.squares += l * l
	}
	all["tips_result"] = results
	if len(quarters) == 1 {
		t.found[quarters[0]] = all
	}
	return all, nil
}

// tellTogether adds what a residence tells of its homes together to the facts.
func (s *Store) tellTogether(ctx context.Context, f *facts, at Place, p Period, now time.Time) error {
	today := civil.DateIn(now, at.Zone)
	if f.ragged = f.ragged || !p.tellable(today); f.ragged {
		return nil
	}
	f.running = f.running || !(stretch{p.From, p.Until}).settled(today)
	t, err := newTeller(ctx, s.db, at, now)
	if err != nil {
		return fmt.Errorf("what was told of homes: %w", err)
	}
	for _, key := range toldKeys {
		one, err := t.of(ctx, key, p)
		if err != nil {
			return fmt.Errorf("tell %s: %w", key, err)
		}
		sum := f.told[key]
		sum.add(one)
		f.told[key] = sum
	}
	return nil
}

// together returns what is told of homes together, or says why nothing is.
func (f *facts) together(i *Indicator) (together, bool) {
	sum := f.told[i.Key]
	switch {
	case f.ragged:
		i.note("programme.note_ragged")
	case sum.homes == 0 && f.running:
		i.note("programme.note_running", settledDays)
		i.note("programme.note_few_left_out", leastHomes)
	case sum.homes == 0:
		i.note("programme.note_too_few", leastHomes)
	default:
		i.note("programme.note_few_left_out", leastHomes)
		if f.running {
			i.note("programme.note_running", settledDays)
		}
		return sum, true
	}
	return together{}, false
}
