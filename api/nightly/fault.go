package nightly

import (
	"context"
	"errors"
	"fmt"

	"github.com/xnetroseraie/xnet/internal/influx"
)

// standing reports whether a fault is of more than one home: the run is cut off, or
// the database or InfluxDB does not answer.
func (r *Runner) standing(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, influx.ErrTemporary) || errors.Is(err, ErrHeld) || r.DB.PingContext(ctx) != nil
}

// excuse passes over a home that cannot be judged: it says so in the log, counts it,
// and nothing of it is kept. It fails where the fault is of more than this home.
func (r *Runner) excuse(ctx context.Context, h *home, err error) error {
	if r.standing(ctx, err) {
		return fmt.Errorf("home %s: %w", h.dwelling.ID, err)
	}
	r.Log.Error("home not judged: mend the row that the error names", "residence", string(h.dwelling.Residence),
		"dwelling", string(h.dwelling.ID), "error", err)
	*h = home{dwelling: h.dwelling, failed: true, counts: Counts{Failed: 1, Opened: h.counts.Opened, Ended: h.counts.Ended}}
	return nil
}

// excuseWhole does the same for what is of the residence and not of one home.
func (r *Runner) excuseWhole(ctx context.Context, n *night, err error, c *Counts) error {
	if r.standing(ctx, err) {
		return err
	}
	r.Log.Error("not done: mend the row that the error names", "residence", string(n.residence.ID), "error", err)
	c.Failed++
	return nil
}

// furnishAll reads what is known of homes together and, where that does not go, of
// each by itself, so that one that cannot be read keeps no other from being judged.
// Where none can be it is no home's fault.
func (r *Runner) furnishAll(ctx context.Context, n *night, all []*home) error {
	blank := make([]home, len(all))
	for i, h := range all {
		blank[i] = *h
	}
	why := r.furnish(ctx, n, all)
	if why == nil || r.standing(ctx, why) {
		return why
	}
	faults := make([]error, len(all))
	read := len(all) == 1
	for i, h := range all {
		*h = blank[i]
		faults[i] = r.furnish(ctx, n, all[i:i+1])
		read = read || faults[i] == nil
	}
	if !read {
		return why
	}
	for i, h := range all {
		if faults[i] == nil {
			continue
		}
		if err := r.excuse(ctx, h, faults[i]); err != nil {
			return err
		}
	}
	return nil
}

// keepAll stores what homes came to together and, where that does not go, of each by
// itself.
func (r *Runner) keepAll(ctx context.Context, n *night, all []*home) error {
	why := r.keep(ctx, n, all)
	if why == nil || r.standing(ctx, why) {
		return why
	}
	for i, h := range all {
		if err := r.keep(ctx, n, all[i:i+1]); err != nil {
			if err := r.excuse(ctx, h, err); err != nil {
				return err
			}
		}
	}
	return nil
}
