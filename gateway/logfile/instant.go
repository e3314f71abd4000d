package logfile

import (
	"errors"
	"fmt"
	"time"
)

// ErrNoSuchTime means that the clocks jumped over a local time: it existed in no
// zone that was in force there. Test with errors.Is.
var ErrNoSuchTime = errors.New("this local time did not exist")

// layouts are the ways to write a time, with an offset and without.
var (
	absoluteLayouts = []string{"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05Z07:00"}
	localLayouts    = []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02 15:04:05"}
)

// instant reads a time. Local times of the hour that the clocks repeat in autumn
// are the first time round unless that would not be after.
func (l Layout) instant(text string, after time.Time) (time.Time, error) {
	for _, layout := range absoluteLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return l.plausible(t)
		}
	}
	for _, layout := range localLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return l.local(t, after)
		}
	}
	return time.Time{}, fmt.Errorf("time %q: want 2006-01-02T15:04, with seconds or an offset where you have them", text)
}

// local gives the wall clock's time wall, which is in UTC, its instant in the
// zone.
func (l Layout) local(wall, after time.Time) (time.Time, error) {
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, l.Zone)
	if !sameWall(t, wall) {
		return time.Time{}, fmt.Errorf("%s in %s: %w: the clocks went forward",
			wall.Format(localLayouts[0]), l.Zone, ErrNoSuchTime)
	}
	if first := t.Add(-time.Hour); sameWall(first, wall) {
		t = first
	}
	if second := t.Add(time.Hour); sameWall(second, wall) && t.Before(after) {
		t = second
	}
	return l.plausible(t)
}

func sameWall(t, wall time.Time) bool {
	return t.Format(time.DateTime) == wall.Format(time.DateTime)
}

func (l Layout) plausible(t time.Time) (time.Time, error) {
	switch {
	case t.Before(l.Earliest):
		return time.Time{}, fmt.Errorf("time %s is before %s", t.Format(time.RFC3339), l.Earliest.Format(time.RFC3339))
	case t.After(l.Latest):
		return time.Time{}, fmt.Errorf("time %s is in the future", t.Format(time.RFC3339))
	}
	return t.UTC(), nil
}
