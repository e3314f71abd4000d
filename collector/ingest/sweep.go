package ingest

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/collector/quarantine"
	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// sweepRetry is how soon a sweep that failed is tried again.
const sweepRetry = 30 * time.Second

// sweepAsTold sweeps the quarantine after each registry that speaks of a new
// erasure, until ctx ends.
func (in *Ingester) sweepAsTold(ctx context.Context) {
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-in.erasures:
		case <-again:
		}
		again = nil
		if err := in.sweep(); err != nil {
			in.Log.Error("the quarantine still holds what was erased: look at its disk", "error", err)
			again = time.After(sweepRetry)
		}
	}
}

// sweep takes out of the quarantine what was erased since the last sweep.
func (in *Ingester) sweep() error {
	in.keeping.Lock()
	defer in.keeping.Unlock()
	snapshot := in.Sites.Now()
	raised, err := in.Quarantine.Unswept(snapshot.Erasures())
	if err != nil || len(raised) == 0 {
		return err
	}
	b := broom{sites: snapshot, raised: raised}
	changed, err := in.Quarantine.Sweep(b.judge)
	in.figures.swept.Add(float64(changed))
	if err == nil {
		err = in.Quarantine.Swept(raised)
	}
	if err != nil {
		return fmt.Errorf("sweep after the erasure of %d meters: %w", len(raised), err)
	}
	in.Log.Info("quarantine swept after erasures", "meters", len(raised), "packs", changed)
	return nil
}

// A broom knows which erasures came since the last sweep.
type broom struct {
	sites  *sites.Snapshot
	raised quarantine.Erasures
}

// judge takes the erased readings out of a pack. One that cannot be decoded may
// be the erased household's where it came from the gateway that reads their
// meter, or names the meter: it goes whole. All that lies here is older than the
// erasures.
func (b *broom) judge(r quarantine.Refused) (payload []byte, stays bool) {
	if _, err := wire.DecodePack(r.Payload); err == nil {
		return unerased(b.sites, r.Payload)
	}
	for meter := range b.raised {
		m, known := b.sites.Meter(meter)
		if known && reads(r.Source, m) || bytes.Contains(r.Payload, []byte(meter)) {
			return nil, false
		}
	}
	return r.Payload, true
}
