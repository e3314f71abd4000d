package registers

import (
	"slices"
	"time"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
)

// How long what a meter refused is not asked for again. A register that was
// refused once may come back (a meter that starts up refuses everything), so
// that the wait begins short and doubles.
const (
	firstWait = time.Minute
	longWait  = time.Hour
)

// Refuses reports whether an exception of that code means that the request
// covers a register that the meter does not have: 2, illegal data address, and
// 3, illegal data value, with which some meters answer to too many registers.
func Refuses(code byte) bool { return code == 2 || code == 3 }

// A Reader knows the requests of one device and learns which registers the
// meter refuses. It does no input or output. Its methods must not be called at
// the same time.
type Reader struct {
	slave    byte
	function byte
	limit    int
	line     Line
	fields   []Field

	refused map[int]*refusal // by place of the field
	cuts    map[int]cut      // by place of the field before
	planned []Request        // nil: to be planned
}

// A refusal is a field that the meter refused when it was asked for alone.
type refusal struct {
	wait    time.Duration
	retryAt time.Time
	probing bool // it is asked for again, alone
}

// A cut keeps two neighbours in different requests.
type cut struct {
	until time.Time
	root  int
}

// NewReader returns the reader of a device on a line.
func NewReader(d firmwareconfig.Device, p firmwareconfig.Profile, line Line) (*Reader, error) {
	all, err := fields(d, p)
	if err != nil {
		return nil, err
	}
	return &Reader{slave: d.Slave, function: p.Function, limit: int(p.Limit), line: line, fields: all,
		refused: map[int]*refusal{}, cuts: map[int]cut{}}, nil
}

// Requests returns what to ask in the cycle that begins at now, in order of
// address. The slice is the caller's; its fields are not to be changed.
func (r *Reader) Requests(now time.Time) []Request {
	r.forgive(now)
	if r.planned == nil {
		r.planned = r.plan()
	}
	return slices.Clone(r.planned)
}

// forgive lets refused fields be asked for again, first alone and, where they
// were not refused then, among the others. Cuts are forgotten in time.
func (r *Reader) forgive(now time.Time) {
	for place, f := range r.refused {
		switch {
		case f.probing: // and not refused since
			delete(r.refused, place)
			r.planned = nil
		case !now.Before(f.retryAt):
			f.probing = true
			r.planned = nil
		}
	}
	for place, c := range r.cuts {
		if !now.Before(c.until) {
			delete(r.cuts, place)
			r.planned = nil
		}
	}
}

// Refused is told that the meter refused the request with an exception that
// [Refuses] knows. It returns what to ask in its place in this cycle: two halves,
// or nothing where the request held one register alone, which is then left out
// of the cycles to come for a minute, doubling to an hour.
//
// The halves part where unwanted registers lie between them, if anywhere: a gap
// that the meter does not have is the likeliest cause. Where a register alone
// turns out to be the cause, its neighbours share requests again.
func (r *Reader) Refused(q Request, now time.Time) []Request {
	r.planned = nil
	if len(q.places) == 1 {
		r.leaveOut(q.places[0], q.root, now)
		return nil
	}
	first, last := q.places[0], q.places[len(q.places)-1]
	at := r.middle(first, last)
	r.cuts[at] = cut{until: now.Add(longWait), root: q.root}
	return []Request{r.request(first, at+1, q.root), r.request(at+1, last+1, q.root)}
}

func (r *Reader) leaveOut(place, root int, now time.Time) {
	wait := firstWait
	if before, known := r.refused[place]; known {
		wait = min(2*before.wait, longWait)
	}
	r.refused[place] = &refusal{wait: wait, retryAt: now.Add(wait)}
	for at, c := range r.cuts {
		if c.root == root {
			delete(r.cuts, at)
		}
	}
}

// middle returns the place after which to part the fields from first to last:
// of the gaps between them the one nearest the middle, else the middle.
func (r *Reader) middle(first, last int) int {
	middle := (first + last) / 2
	for away := range last - first {
		for _, at := range [2]int{middle - away, middle + away} {
			if at >= first && at < last && r.gap(at) > 0 {
				return at
			}
		}
	}
	return middle
}

// leftOut reports whether the field is not asked for now.
func (r *Reader) leftOut(place int) bool {
	f, known := r.refused[place]
	return known && !f.probing
}

// alone reports whether the field must not share a request.
func (r *Reader) alone(place int) bool { return r.refused[place] != nil }

func (r *Reader) isCut(place int) bool {
	_, known := r.cuts[place]
	return known
}

// LeftOut returns the fields that the meter refuses, in order of address.
func (r *Reader) LeftOut() []Field {
	var out []Field
	for place, f := range r.fields {
		if r.refused[place] != nil {
			out = append(out, f)
		}
	}
	return out
}
