package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/collector/quarantine"
	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// ErrUnknownSite: no registry of the pack's site has come.
var ErrUnknownSite = errors.New("no registry of its site: start the api, which publishes it")

// A Replay takes packs out of the quarantine once what was wrong with them is
// mended: they go through the checks that an arriving pack goes through.
type Replay struct {
	Store      *influx.Client
	Quarantine *quarantine.Quarantine
	Sites      *sites.Directory
}

// Replayed is what became of one pack.
type Replayed struct {
	Stored int    // readings that are durable in InfluxDB now
	Left   int    // readings that stay in the quarantine
	Reason string // why they do, or the whole pack does; "" where nothing stays
	// Readings are those that were stored, whose periods are to be computed.
	Readings []metering.Reading
}

// Pack stores what can be stored of a pack and leaves the rest, with its reason
// of now, in the quarantine. Doing it again, also after it was interrupted,
// stores nothing twice. It fails where InfluxDB or the disk does; the pack is
// then as it was. It must not be called concurrently.
func (r *Replay) Pack(ctx context.Context, name string) (Replayed, error) {
	kept, err := r.Quarantine.Read(name)
	if err != nil {
		return Replayed{}, err
	}
	pack, err := wire.DecodePack(kept.Payload)
	if err != nil {
		return Replayed{Reason: string(undecodable) + ": " + err.Error()}, nil
	}
	snapshot := r.Sites.Now()
	if _, known := snapshot.Earliest(kept.Source.Site); !known {
		return Replayed{}, fmt.Errorf("replay pack %q: site %s: %w", name, kept.Source.Site, ErrUnknownSite)
	}
	ruler := newRuler(snapshot, kept.Source, time.Now(), r.Store.KeepsReadings())
	s := ruler.sift(pack.Readings)
	done := Replayed{Left: len(s.bad), Reason: s.reason}
	if done.Readings, err = r.consented(ctx, snapshot, s.good); err != nil {
		return Replayed{}, fmt.Errorf("replay pack %q: %w", name, err)
	}
	if err := r.Store.WriteReadings(ctx, done.Readings); err != nil {
		return Replayed{}, fmt.Errorf("replay pack %q: %w", name, err)
	}
	done.Stored = len(done.Readings)
	return done, r.leave(name, kept, pack, s)
}

// consented returns the readings that the meters' resolutions allow.
func (r *Replay) consented(ctx context.Context, s *sites.Snapshot, rs []wire.UnitReading) ([]metering.Reading, error) {
	k := newKeeper()
	for quantity, ask := range k.unknown(s, rs) {
		found, err := r.Store.Readings(ctx, ask.meters, quantity, ask.from, ask.to)
		if err != nil {
			return nil, err
		}
		k.tell(quantity, found)
	}
	var allowed []metering.Reading
	for i := range rs {
		if m, known := s.Meter(rs[i].Meter); !known || k.allows(m, rs[i].Reading) {
			allowed = append(allowed, rs[i].Reading)
		}
	}
	return allowed, nil
}

// leave drops the pack from the quarantine, or what of it is no longer bad.
func (r *Replay) leave(name string, kept quarantine.Refused, pack wire.Pack, s sifted) error {
	if len(s.bad) == 0 {
		return r.Quarantine.Drop(name)
	}
	if len(s.good)+s.erased == 0 {
		return nil
	}
	pack.Readings = s.bad
	payload, err := wire.AppendPack(nil, pack)
	if err != nil {
		return fmt.Errorf("shorten pack %q: %w", name, err)
	}
	kept.Payload, kept.Reason = payload, s.reason
	return r.Quarantine.Replace(name, kept)
}
