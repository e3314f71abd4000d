package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// A progress shows on a terminal how much of a file was read, as a bar; written
// elsewhere, a line now and then.
type progress struct {
	file  *os.File
	out   io.Writer
	label string
	size  int64
	read  int64
	shown time.Time
	every time.Duration
	end   string
}

func newProgress(out io.Writer, label string, file *os.File) *progress {
	p := &progress{file: file, out: out, label: label, every: 5 * time.Second, end: "\n", shown: time.Now()}
	if stat, err := file.Stat(); err == nil {
		p.size = stat.Size()
	}
	if terminal(out) {
		p.every, p.end = 100*time.Millisecond, "\r"
	}
	return p
}

// Read implements io.Reader.
func (p *progress) Read(b []byte) (int, error) {
	n, err := p.file.Read(b)
	p.read += int64(n)
	if time.Since(p.shown) >= p.every {
		p.show(p.end)
	}
	return n, err
}

func (p *progress) show(end string) {
	const width = 30
	share := float64(p.read) / float64(max(p.size, 1))
	full := min(int(share*width), width)
	fmt.Fprintf(p.out, "%s [%s%s] %3.0f %%%s", p.label,
		strings.Repeat("#", full), strings.Repeat(".", width-full), 100*share, end)
	p.shown = time.Now()
}

func (p *progress) done() {
	if p.end == "\r" {
		p.show("\n")
	}
}

func terminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	stat, err := file.Stat()
	return err == nil && stat.Mode()&os.ModeCharDevice != 0
}
