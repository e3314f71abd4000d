package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/xnetroseraie/xnet/deploy/chaos/ledger"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A refusal is a file of the quarantine.
type refusal struct {
	Topic   string       `json:"topic"`
	Spool   wire.SpoolID `json:"spool"`
	Payload []byte       `json:"payload"`
}

// refused are the packs of gateways in the quarantines: those that InfluxDB
// refused while it was told to. Poison stays where it is.
func (s *site) refused() (all []refusal, readings []metering.Reading, err error) {
	for _, c := range s.collects {
		files, err := filepath.Glob(filepath.Join(c.quarantine, "*.json"))
		if err != nil {
			return nil, nil, err
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, nil, err
			}
			var r refusal
			if err := json.Unmarshal(text, &r); err != nil {
				return nil, nil, fmt.Errorf("quarantine %s: %w", file, err)
			}
			pack, err := wire.DecodePack(r.Payload)
			if err != nil || r.Spool == poisonSpool {
				continue
			}
			all = append(all, r)
			for _, u := range pack.Readings {
				readings = append(readings, u.Reading)
			}
		}
	}
	return all, readings, nil
}

// replay sends again what was refused only because InfluxDB was told to, as a
// person would who has looked at the quarantine, until it is stored.
func (s *site) replay(ctx context.Context) error {
	packs, readings, err := s.refused()
	if err != nil || len(packs) == 0 {
		return err
	}
	s.say("%d packs with %d readings were refused and are in the quarantine; they are sent again", len(packs), len(readings))
	for begun := time.Now(); ; {
		for _, p := range packs {
			s.registrar.throw(p.Topic, p.Payload)
		}
		pause(ctx, 2*time.Second)
		stored, err := s.stored(ctx)
		if err != nil {
			return err
		}
		lacking := ledger.Exact(readings, stored, time.Now()).Missing
		if lacking == 0 {
			return nil
		}
		if ctx.Err() != nil || time.Since(begun) > patience {
			return fmt.Errorf("%d readings of the quarantine are refused again", lacking)
		}
	}
}
