package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// commands is what can be asked of the program.
type commands struct {
	Faults int    `help:"How many faults to inject." default:"60"`
	Seed   uint64 `help:"Which campaign: the same seed deals the same faults in the same order. Without it one is drawn, and printed."`
	Dir    string `help:"Folder for everything that the campaign writes; it is kept. Without it one that goes at the end, unless a fault was found." type:"path"`
	Apart  bool   `hidden:"" help:"Already runs in a mount namespace of its own."`
}

// Validate says what is wrong with the numbers.
func (c *commands) Validate() error {
	if c.Faults < 1 || c.Faults > 100_000 {
		return fmt.Errorf("--faults %d: use 1 to 100000", c.Faults)
	}
	return nil
}

// Run runs a campaign, in a mount namespace of its own where that is allowed.
func (c *commands) Run(ctx context.Context, con *console) error {
	if c.Seed == 0 {
		c.Seed = 1 + rand.Uint64N(1_000_000)
	}
	if !c.Apart {
		if ran, err := runApart(ctx, c, con.out); ran {
			return err
		}
	}
	dir, err := c.folder()
	if err != nil {
		return err
	}
	con.began = time.Now()
	con.say("seed %d, %d faults, everything under %s", c.Seed, c.Faults, dir)
	o, err := campaign(ctx, c, dir, con)
	if err != nil {
		con.say("what the programs said is in %s", filepath.Join(dir, "log"))
	}
	if o.Bench != "" { // it came to a comparison
		err = errors.Join(err, con.result(o))
	}
	if err != nil {
		return err
	}
	if !o.Met {
		return fmt.Errorf("faults were found: repeat with --seed %d; everything is kept in %s", c.Seed, dir)
	}
	if c.Dir == "" {
		return os.RemoveAll(dir)
	}
	return nil
}

func (c *commands) folder() (string, error) {
	if c.Dir == "" {
		return os.MkdirTemp("", "xnet-chaos-")
	}
	if entries, err := os.ReadDir(c.Dir); err == nil && len(entries) > 0 {
		return "", fmt.Errorf("folder %s is not empty: name another, or empty it", c.Dir)
	}
	return c.Dir, os.MkdirAll(c.Dir, 0o755)
}

// An outcome is the last line of a campaign.
type outcome struct {
	Bench   string `json:"bench"`
	Seed    uint64 `json:"seed"`
	Faults  int    `json:"faults"`
	Fsynced int    `json:"fsynced"`
	Stored  int    `json:"stored"`
	Missing int    `json:"missing"`
	Wrong   int    `json:"wrong"`
	Double  int    `json:"double"`
	Met     bool   `json:"met"`
}

// A console is where people follow the campaign.
type console struct {
	mu    sync.Mutex
	out   io.Writer
	began time.Time
}

// say prints a line with the time since the beginning.
func (c *console) say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	since := time.Since(c.began).Round(time.Second)
	fmt.Fprintf(c.out, "%4d:%02d  %s\n", int(since.Minutes()), int(since.Seconds())%60, fmt.Sprintf(format, args...))
}

// result prints the line for programs.
func (c *console) result(o outcome) error {
	line, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "%s\n", line)
	return err
}
