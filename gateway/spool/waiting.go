package spool

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/internal/wire"
)

// Waiting returns the numbers of at most limit packs that are not answered,
// oldest first, beginning after the number after. It takes the time of what it
// returns, however much waits before.
func (s *Spool) Waiting(after wire.Seq, limit int) []wire.Seq {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting(after, limit)
}

func (s *Spool) waiting(after wire.Seq, limit int) []wire.Seq {
	var seqs []wire.Seq
	for _, g := range s.segments[s.segmentAt(after+1):] {
		from := g.head
		if after >= g.first {
			from = max(from, int(after+1-g.first))
		}
		for i := from; i < len(g.entries); i++ {
			if len(seqs) >= limit {
				return seqs
			}
			if !g.entries[i].answered {
				seqs = append(seqs, g.first+wire.Seq(i))
			}
		}
	}
	return seqs
}

// segmentAt is the place of the first segment that has numbers from seq on.
func (s *Spool) segmentAt(seq wire.Seq) int {
	return sort.Search(len(s.segments), func(i int) bool { return s.segments[i].end() > seq })
}

// find returns the segment and entry of a pack that is not answered.
func (s *Spool) find(seq wire.Seq) (*segment, *entry) {
	i := s.segmentAt(seq)
	if i == len(s.segments) {
		return nil, nil
	}
	return s.segments[i], s.segments[i].find(seq)
}

// Last returns the largest number that was given to a pack so far, 0 before the
// first of a new spool.
func (s *Spool) Last() wire.Seq {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.next, 1) - 1
}

// Payload returns the payload of a pack that is not answered, and false where
// there is none of that number. A pack that is not any more what was written is
// given up and counted; only what may pass, such as a lack of files, is an error.
func (s *Spool) Payload(seq wire.Seq) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.payload(seq)
}

func (s *Spool) payload(seq wire.Seq) ([]byte, bool, error) {
	g, e := s.find(seq)
	if e == nil {
		return nil, false, nil
	}
	if err := s.openForReading(g); err != nil {
		return nil, false, fmt.Errorf("read pack %d of the spool: %w", seq, err)
	}
	payload, err := g.payload(seq, e)
	if err == nil {
		return payload, true, nil
	}
	s.counts.Damaged++
	s.options.Log.Error("pack damaged on the disk: its readings are lost", "seq", seq, "err", err)
	if err := s.answer(g, e); err != nil {
		return nil, false, fmt.Errorf("give up pack %d of the spool: %w", seq, err)
	}
	return nil, false, nil
}

// openForReading opens a segment's file and closes the one that was read before.
func (s *Spool) openForReading(g *segment) error {
	if g == s.active || g == s.reading {
		return nil
	}
	if old := s.reading; old != nil {
		s.reading = nil
		if err := old.close(); err != nil {
			return err
		}
	}
	if err := g.open(); err != nil {
		return err
	}
	s.reading = g
	return nil
}

// Answered forgets packs that are durable elsewhere and unlinks the segments
// that hold no others. Unknown numbers are ignored.
func (s *Spool) Answered(seqs []wire.Seq) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, seq := range seqs {
		if g, e := s.find(seq); e != nil {
			errs = append(errs, s.answer(g, e))
		}
	}
	s.watch()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("spool %s: %w", s.dir, err)
	}
	return nil
}

// answer marks a pack, and unlinks its segment where it was the last one.
func (s *Spool) answer(g *segment, e *entry) error {
	g.answer(e)
	s.packs--
	if g.waiting == 0 && g != s.active {
		return s.removeSegment(g)
	}
	return nil
}

// Counts returns what the spool holds now.
func (s *Spool) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts
	c.Packs, c.Bytes, c.MaxBytes = s.packs, s.bytes, s.options.MaxBytes
	c.Oldest, c.Alarm = s.oldest(), s.alarm
	return c
}

func (s *Spool) oldest() time.Time {
	i := slices.IndexFunc(s.segments, func(g *segment) bool { return g.waiting > 0 })
	if i < 0 {
		return time.Time{}
	}
	g := s.segments[i]
	return time.Unix(int64(g.entries[g.head].at), 0).UTC()
}

// Shares of the limit at which the alarm is raised and ends. They lie apart so
// that a spool that hovers at one of them does not flap.
const (
	alarmPercent = 80
	calmPercent  = 70
)

// watch raises and ends the alarm, and logs each once.
func (s *Spool) watch() {
	percent := 100 * s.bytes / s.options.MaxBytes
	switch {
	case !s.alarm && percent >= alarmPercent:
		s.alarm = true
		s.options.Log.Warn("spool nearly full: when it is, the oldest packs go; is the collector heard?",
			"percent", percent, "packs", s.packs, "since", s.oldest())
	case s.alarm && percent < calmPercent:
		s.alarm = false
		s.options.Log.Info("spool has room again", "percent", percent, "packs", s.packs)
	}
}

// Register adds the spool's figures to a registry.
func (s *Spool) Register(r prometheus.Registerer) {
	gauge := func(name, help string, read func(Counts) float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "xnet_gateway_spool_" + name, Help: help},
			func() float64 { return read(s.Counts()) }))
	}
	gauge("packs", "Packs that wait to be stored.", func(c Counts) float64 { return float64(c.Packs) })
	gauge("bytes", "Size of the spool's segments.", func(c Counts) float64 { return float64(c.Bytes) })
	gauge("max_bytes", "Size at which the oldest packs go.", func(c Counts) float64 { return float64(c.MaxBytes) })
	gauge("alarm", "1 from 80 % of the size on until it is below 70 %.", func(c Counts) float64 {
		if c.Alarm {
			return 1
		}
		return 0
	})
	gauge("dropped_packs", "Packs that went because the spool was full.",
		func(c Counts) float64 { return float64(c.Dropped) })
	gauge("damaged_packs", "Packs that the disk did not give back as they were written.",
		func(c Counts) float64 { return float64(c.Damaged) })
	gauge("cut_bytes", "Bytes behind damage that were cut off when the spool was opened.",
		func(c Counts) float64 { return float64(c.CutBytes) })
	gauge("oldest_seconds", "Age of the oldest pack that waits.", func(c Counts) float64 {
		if c.Oldest.IsZero() {
			return 0
		}
		return s.options.Now().Sub(c.Oldest).Seconds()
	})
}
