package main

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"
)

// A screen shows what the demo does, line by line, with the seconds since its
// start. It may be used from several goroutines.
type screen struct {
	mu    sync.Mutex
	out   io.Writer
	start time.Time
}

func (s *screen) step(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "%4.0f s  %s\n", time.Since(s.start).Seconds(), fmt.Sprintf(format, args...))
}

// say prints without the seconds.
func (s *screen) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, format+"\n", args...)
}

// lines is a writer that shows each line as a step.
func (s *screen) lines(prefix string) io.Writer { return &lineWriter{screen: s, prefix: prefix} }

type lineWriter struct {
	screen *screen
	prefix string
	rest   []byte
	shown  time.Time
}

// Write shows at most one line a second: a tool may say hundreds.
func (w *lineWriter) Write(b []byte) (int, error) {
	w.rest = append(w.rest, b...)
	for {
		line, rest, ok := bytes.Cut(w.rest, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		w.rest = rest
		if time.Since(w.shown) > time.Second {
			w.screen.step("%s%s", w.prefix, line)
			w.shown = time.Now()
		}
	}
}
