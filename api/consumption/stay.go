package consumption

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// ErrSeveralHomes says that one household lives in several dwellings at once, so that
// no figure can be said to be of its home. It is the cause of a NotFound problem.
var ErrSeveralHomes = errors.New("the household lives in several dwellings at once: end the stay that is over")

// Lived returns what one home used: the dwelling that the viewer moved to last of
// those of the days [from, to). It is of that stay alone, from the day since on but
// never before moving in: neither another household of the same person nor the
// dwelling before is in it, so that a price, an area and a number of people hold for
// all of it. It fails as [Reader.Between], and with NotFound "tenancy.none" for
// [ErrSeveralHomes] where the household lives elsewhere as long; a few days with two
// keys, as of a move, are none.
func (r *Reader) Lived(ctx context.Context, v premises.Viewer, now time.Time, since, from, to civil.Date) (Home, error) {
	return r.lived(ctx, v, now, since, from, to, r.fetch)
}

// LivedByMonth returns what Lived does to who asks of whole months alone: years of
// them cost little. The days of a month that is known whole are not in it, nor what
// was read after the last day that is over.
func (r *Reader) LivedByMonth(ctx context.Context, v premises.Viewer, now time.Time, since, from, to civil.Date) (Home, error) {
	return r.lived(ctx, v, now, since, from, to, r.fetchMonths)
}

func (r *Reader) lived(ctx context.Context, v premises.Viewer, now time.Time, since, from, to civil.Date, fetch fetcher) (Home, error) {
	stays, err := r.homes.During(ctx, v, now, from, to)
	if err != nil {
		return Home{}, err
	}
	v.Household = stays[len(stays)-1].Household
	if stays, err = r.homes.During(ctx, v, now, from, to); err != nil {
		return Home{}, err
	}
	last := stays[len(stays)-1]
	elsewhere := func(s premises.Stay) bool { return s.Dwelling.ID != last.Dwelling.ID && !s.To.Before(last.To) }
	if slices.ContainsFunc(stays, elsewhere) {
		return Home{}, &problem.Error{Kind: problem.NotFound, Message: "tenancy.none", Err: ErrSeveralHomes}
	}
	if stays, err = r.homes.During(ctx, v, now, later(since, last.MovedIn), to); err != nil {
		return Home{}, err
	}
	same := func(s premises.Stay) bool { return s.Dwelling.ID == last.Dwelling.ID && s.MovedIn == last.MovedIn }
	stays = slices.DeleteFunc(stays, func(s premises.Stay) bool { return !same(s) })
	return r.used(ctx, Home{Zone: last.Zone, Today: civil.DateIn(now, last.Zone), Stays: stays}, now, fetch)
}

func later(a, b civil.Date) civil.Date {
	if a.Before(b) {
		return b
	}
	return a
}
