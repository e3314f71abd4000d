package consumption

import (
	"context"
	"iter"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Reader answers what homes used. It may be used from several goroutines.
type Reader struct {
	homes  *premises.Store
	meters *meters.Store
	influx *influx.Client
	recent *recent // nil: every figure is asked for
}

// NewReader returns a reader.
func NewReader(homes *premises.Store, m *meters.Store, client *influx.Client) *Reader {
	return &Reader{homes: homes, meters: m, influx: client}
}

// A Home is what a person may see of the homes they lived in.
type Home struct {
	Today  civil.Date      // in the home's zone
	Zone   *time.Location  // of the home moved to last
	Stays  []premises.Stay // never none
	Series []Series        // by kind, in the order of [metering.Kinds]
}

// Between returns what the viewer's homes used on the days [from, to), as known
// at now. It fails with the problem NotFound "tenancy.none" where the viewer may
// see no home on these days, and with Unavailable "service.away" where InfluxDB
// does not answer.
func (r *Reader) Between(ctx context.Context, v premises.Viewer, now time.Time, from, to civil.Date) (Home, error) {
	zone, stays, err := r.homes.ZoneDuring(ctx, v, now, from, to)
	if err != nil {
		return Home{}, err
	}
	return r.used(ctx, Home{Zone: zone, Today: civil.DateIn(now, zone), Stays: stays}, now, r.fetch)
}

// A fetcher asks InfluxDB for what the meters of a stay counted.
type fetcher func(ctx context.Context, stay premises.Stay, spans []span, now time.Time) (stored, error)

// used adds to a home what its stays used.
func (r *Reader) used(ctx context.Context, home Home, now time.Time, fetch fetcher) (Home, error) {
	kinds := map[metering.Kind]*gathered{}
	for _, stay := range home.Stays {
		if err := r.gather(ctx, kinds, stay, now, fetch); err != nil {
			return Home{}, err
		}
	}
	for _, kind := range metering.Kinds {
		if g := kinds[kind]; g != nil {
			home.Series = append(home.Series, g.series(kind, now))
		}
	}
	return home, nil
}

// gathered is what is known of one kind over the stays.
type gathered struct {
	days, months []piece
	resolutions  []metering.Resolution
	last         time.Time
	silent       bool
	stays        []premises.Stay
	kind         metering.Kind
	spans        int
}

func (r *Reader) gather(ctx context.Context, kinds map[metering.Kind]*gathered, stay premises.Stay, now time.Time, fetch fetcher) error {
	points, err := r.meters.Fitted(ctx, stay.Dwelling.ID)
	if err != nil {
		return err
	}
	spans := spansOf(stay, points)
	ctx, cancel := context.WithTimeout(ctx, patienceWithInflux)
	defer cancel()
	stored, err := fetch(ctx, stay, spans, now)
	if err != nil {
		return away(err)
	}
	for _, s := range spans {
		kind := s.hanging.Meter.Kind
		g := kinds[kind]
		if g == nil {
			g = &gathered{kind: kind}
			kinds[kind] = g
		}
		g.spans++
		s.number = g.spans
		g.add(s, stored, now)
	}
	for _, g := range kinds {
		g.stays = append(g.stays, stay)
	}
	return nil
}

func spansOf(stay premises.Stay, points []meters.Fitted) []span {
	count := map[metering.Kind]float64{}
	fits := func(h meters.Hanging) bool { _, ok := newSpan(stay, h, 1); return ok }
	for _, p := range points {
		if slices.ContainsFunc(p.Hangings, fits) {
			count[p.Kind]++
		}
	}
	var spans []span
	for _, p := range points {
		for _, h := range p.Hangings {
			if s, ok := newSpan(stay, h, 1/count[p.Kind]); ok && p.Kind != metering.Temperature {
				spans = append(spans, s)
			}
		}
	}
	return spans
}

// stored is what InfluxDB holds of the meters of a stay.
type stored struct {
	daily, monthly map[metering.MeterID][]influx.Consumption
	latest         map[metering.MeterID]metering.Reading
}

// patienceWithInflux is how long a person waits before the page says that the
// service is away.
const patienceWithInflux = 8 * time.Second

// fetch asks for the stay's own days, and the day before it for the index at
// its end, which both households share.
func (r *Reader) fetch(ctx context.Context, stay premises.Stay, spans []span, now time.Time) (stored, error) {
	var found stored
	start, end := stay.Bounds()
	dayBefore := stay.From.AddDays(-1).Start(stay.Zone)
	group, ctx := errgroup.WithContext(ctx)
	if ids := idsOf(spans, byDay); len(ids) > 0 {
		group.Go(func() (err error) {
			found.daily, err = r.consumption(ctx, influx.Daily, spans, ids, dayBefore, end)
			return err
		})
	}
	if ids := idsOf(spans, byMonth); len(ids) > 0 {
		group.Go(func() (err error) {
			found.monthly, err = r.consumption(ctx, influx.Monthly, spans, ids, start, end)
			return err
		})
	}
	if ids := idsOf(spans, func(s span) bool { return s.hanging.Meter.Resolution != metering.Off }); len(ids) > 0 {
		since := stay.MovedIn.Start(stay.Zone)
		group.Go(func() (err error) {
			found.latest, err = r.lastBefore(ctx, spans, ids, earliest(end, now.Add(time.Minute)), since, now)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return stored{}, err
	}
	return found, nil
}

// byDay and byMonth report whether a meter may be read as finely.
func byDay(s span) bool   { return s.hanging.Meter.Resolution.Allows(metering.Day) }
func byMonth(s span) bool { return s.hanging.Meter.Resolution.Allows(metering.Month) }

func idsOf(spans []span, want func(span) bool) []metering.MeterID {
	var ids []metering.MeterID
	for _, s := range spans {
		if want(s) && !slices.Contains(ids, s.hanging.Meter.ID) {
			ids = append(ids, s.hanging.Meter.ID)
		}
	}
	return ids
}

func away(err error) error {
	if err == nil {
		return nil
	}
	return &problem.Error{Kind: problem.Unavailable, Message: "service.away", Err: err}
}

func (g *gathered) add(s span, found stored, now time.Time) {
	meter := s.hanging.Meter
	pieces, last := s.closed(found.daily[meter.ID], dayBounds)
	read := found.latest[meter.ID]
	if p, ok := s.sinceClosed(last, read, now); ok && meter.Resolution.Allows(metering.Day) {
		pieces = append(pieces, p)
	}
	g.days = more(g.days, pieces)
	months, _ := s.closed(found.monthly[meter.ID], monthBounds)
	g.months = more(g.months, months)
	g.resolutions = append(g.resolutions, meter.Resolution)
	if s.live(now) {
		g.note(s, read, now)
	}
}

// more takes the pieces as they are where they are the first, as of most kinds.
func more(all, pieces []piece) []piece {
	if len(all) == 0 {
		return pieces
	}
	return append(all, pieces...)
}

// note keeps when the meter was read last, and whether the next is overdue: since the
// last reading, or since the household has the meter, however late the days begin that
// were asked for.
func (g *gathered) note(s span, read metering.Reading, now time.Time) {
	meter := s.hanging.Meter
	since := s.since
	if !read.At.Before(since) {
		since, g.last = read.At, latest(g.last, read.At)
	}
	if meter.Resolution != metering.Off && now.Sub(since) > patience(meter.Resolution, meter.Interval) {
		g.silent = true
	}
}

func (g *gathered) series(kind metering.Kind, now time.Time) Series {
	s := Series{Kind: kind, Resolution: finest(g.resolutions), Days: daysOf(g.days), Last: g.last, Silent: g.silent, known: g}
	var last civil.Month
	for _, stay := range g.stays {
		for month := stay.From.MonthOf(); month.First().Before(stay.To); month = month.Next() {
			if month == last {
				continue // two stays in one month are one month
			}
			last = month
			if m, ok := g.month(kind, month, now); ok {
				s.Months = append(s.Months, m)
			}
		}
	}
	return s
}

// month takes the monthly or the daily figures, whichever cover more of the
// part of the month in which the person lived there.
func (g *gathered) month(kind metering.Kind, month civil.Month, now time.Time) (Month, bool) {
	from, to := g.lived(month, now)
	days := totalOfEach(kind, within(from, to, g.days), from, to)
	why := totalOfEach(kind, within(from, to, g.months), from, to)
	if days.Coverage > why.Coverage {
		why = days
	}
	_, end := month.Bounds(g.stays[0].Zone)
	return Month{Month: month, Why: why, Open: now.Before(end)}, len(why.Parts) > 0
}

// lived returns the part of the month within the stays. A stay that lasts is
// taken to last to the end of the month.
func (g *gathered) lived(month civil.Month, now time.Time) (from, to time.Time) {
	start, end := month.Bounds(g.stays[0].Zone)
	first, _ := g.stays[0].Bounds()
	last := g.stays[len(g.stays)-1]
	_, until := last.Bounds()
	if now.Before(end) && last.To != last.MovedOut {
		until = end
	}
	return latest(start, first), earliest(end, until)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// within yields those of the pieces that lie within [from, to).
func within(from, to time.Time, lists ...[]piece) iter.Seq[*piece] {
	return func(yield func(*piece) bool) {
		for _, pieces := range lists {
			for i := range pieces {
				p := &pieces[i]
				if !p.part.From.At.Before(from) && !p.part.To.At.After(to) && !yield(p) {
					return
				}
			}
		}
	}
}

func finest(rs []metering.Resolution) metering.Resolution {
	for _, r := range metering.Resolutions {
		if slices.Contains(rs, r) {
			return r
		}
	}
	return metering.Off
}
