package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
)

// replay takes in what was refused only because InfluxDB was told to, as a person
// would who has looked at the quarantine. Poison stays where it is.
func (s *site) replay(ctx context.Context) error {
	var failed []error
	for _, c := range s.collects {
		packs, err := filepath.Glob(filepath.Join(c.quarantine, "*.json"))
		if err != nil || len(packs) == 0 || ctx.Err() != nil {
			failed = append(failed, err, ctx.Err())
			continue
		}
		said, err := s.once("quarantine-"+c.program.name, s.bin("collector"), "quarantine", "replay", "--all", "--config", c.config)
		lines := strings.Split(strings.TrimSpace(said), "\n")
		s.say("quarantine of %s, %d packs with poison: %s", c.program.name, len(packs), lines[len(lines)-1])
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}
