package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// A row is what a meter showed at an instant of its history.
type row struct {
	text    []string
	reading metering.Reading
}

// historyOneIn is of how many meters one has its history brought: each gets 1,500
// hours of it, and hundreds of thousands of periods prove no more.
const historyOneIn = 4

// history asks the simulator what a gateway's meters showed, every step, from
// the residence's epoch until an instant.
func (s *site) history(g *gateway, until time.Time, step time.Duration) error {
	file := filepath.Join(s.dir, g.id()+".history.csv")
	defer os.Remove(file)
	_, err := s.once("history-"+g.id(), s.bin("simulator"), "history", "--seed", fmt.Sprint(s.residence.Seed),
		"--epoch", s.residence.Epoch.String(), "--gateway", g.id(), "--from", s.residence.Epoch.Start(s.residence.Zone).UTC().Format(time.RFC3339),
		"--to", until.UTC().Format(time.RFC3339), "--step", step.String(), "--out", file)
	if err != nil {
		return err
	}
	text, err := os.Open(file)
	if err != nil {
		return err
	}
	defer text.Close()
	rows, err := csv.NewReader(text).ReadAll()
	if err != nil {
		return fmt.Errorf("history of %s: %w", g.id(), err)
	}
	seen := map[string]int{}
	for _, cells := range rows[1:] {
		if _, known := seen[cells[0]]; !known {
			seen[cells[0]] = len(seen)
		}
		if seen[cells[0]]%historyOneIn != 0 {
			continue
		}
		at, timeErr := time.Parse(time.RFC3339Nano, cells[1])
		index, indexErr := strconv.ParseInt(cells[2], 10, 64)
		if timeErr != nil || indexErr != nil {
			return fmt.Errorf("history of %s: row %v", g.id(), cells)
		}
		g.history = append(g.history, row{cells, metering.Reading{Meter: metering.MeterID(cells[0]), Quantity: metering.Index,
			At: at.UTC(), Amount: metering.Amount(index)}})
	}
	slices.SortStableFunc(g.history, func(a, b row) int { return a.reading.At.Compare(b.reading.At) })
	return nil
}

// chunk returns the i-th of n parts of a gateway's history, by time.
func (g *gateway) chunk(i, n int) []row {
	return g.history[len(g.history)*i/n : len(g.history)*(i+1)/n]
}

// bring imports rows into the gateway's spool, while the gateway is down, as a
// site would bring what its loggers kept.
func (s *site) bring(g *gateway, rows []row) error {
	if len(rows) == 0 {
		return nil
	}
	path := filepath.Join(s.dir, g.id()+".chunk.csv")
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer os.Remove(path)
	w := csv.NewWriter(file)
	_ = w.Write([]string{"meter", "time", "index"})
	for _, r := range rows {
		_ = w.Write(r.text) // a failure stands in Error
	}
	if w.Flush(); w.Error() != nil {
		return w.Error()
	}
	if err := file.Close(); err != nil {
		return err
	}
	_, err = s.once("import-"+g.id(), s.bin("gateway"), "import", "--config", g.config,
		"--meter-column", "meter", "--time-column", "time", "--column", "index", "--unit", "base", "--means", "index", path)
	if err != nil {
		return err
	}
	for _, r := range rows {
		g.imported = append(g.imported, r.reading)
	}
	return nil
}
