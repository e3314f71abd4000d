package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// A gateway's clock cannot be stepped from outside without stepping the whole
// machine's, and its program is linked statically, so that nothing can be put
// between it and the kernel. The campaign therefore builds the gateway with one
// function renamed and one file more: the wall clock that it reads is the
// kernel's plus what stands in a file. The product's source is not touched.

const (
	clockFile     = "gateway/clock/source.go"
	clockFunction = "func Kernel() Sample {"
	clockVariable = "XNET_CHAOS_CLOCK"
)

// stepped is the file that the build adds to package clock.
const stepped = `package clock

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// Kernel reads the machine's clocks, the wall clock with the offset in
// milliseconds that a file holds.
func Kernel() Sample {
	s := kernel()
	text, err := os.ReadFile(os.Getenv("` + clockVariable + `"))
	if err != nil {
		return s
	}
	ms, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err == nil {
		s.Wall = s.Wall.Add(time.Duration(ms) * time.Millisecond)
	}
	return s
}
`

// overlay writes what the go tool takes for the stepped clock and returns the
// path of its list.
func overlay(dir string) (string, error) {
	source, err := os.ReadFile(clockFile)
	if err != nil {
		return "", fmt.Errorf("%w: run this in the repository's root", err)
	}
	renamed := bytes.Replace(source, []byte(clockFunction), []byte("func kernel() Sample {"), 1)
	if bytes.Equal(renamed, source) {
		return "", fmt.Errorf("%s has no %q any more: the campaign steps clocks there", clockFile, clockFunction)
	}
	root, err := filepath.Abs(filepath.Dir(clockFile))
	if err != nil {
		return "", err
	}
	replaced := map[string]string{}
	for name, text := range map[string][]byte{"source.go": renamed, "stepped.go": []byte(stepped)} {
		replaced[filepath.Join(root, name)] = filepath.Join(dir, name)
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return "", err
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, list, 0o600)
}

// A wallClock is the clock of one gateway, and by what it was wrong when.
type wallClock struct {
	path string

	mu    sync.Mutex
	steps []step
}

// A step is an offset that holds from an instant on.
type step struct {
	from   time.Time
	offset time.Duration
}

func newWallClock(path string) (*wallClock, error) {
	c := &wallClock{path: path, steps: []step{{}}}
	return c, os.WriteFile(path, []byte("0"), 0o600)
}

// set lets the clock be off by offset from now on.
func (c *wallClock) set(offset time.Duration) error {
	temporary := c.path + ".new"
	if err := os.WriteFile(temporary, strconv.AppendInt(nil, offset.Milliseconds(), 10), 0o600); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.steps = append(c.steps, step{time.Now(), offset})
	return os.Rename(temporary, c.path)
}

// around is how long before and after a step either offset may have been read.
const around = 3 * time.Second

// offsets returns by what the clock may have been wrong at a true instant: the
// offset of the time, and those of the steps around it.
func (c *wallClock) offsets(at time.Time) []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []time.Duration
	for i, s := range c.steps {
		until := at
		if i+1 < len(c.steps) {
			until = c.steps[i+1].from
		}
		if !s.from.After(at.Add(around)) && !until.Before(at.Add(-around)) {
			all = append(all, s.offset)
		}
	}
	return all
}

// behind reports whether at a true instant the clock, having stepped back, may
// not have passed yet the instants that it had given before.
func (c *wallClock) behind(at time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := 1; i < len(c.steps); i++ {
		back := c.steps[i-1].offset - c.steps[i].offset
		from := c.steps[i].from
		if back > 0 && at.After(from.Add(-around)) && at.Before(from.Add(back).Add(around)) {
			return true
		}
	}
	return false
}
