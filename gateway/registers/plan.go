package registers

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
)

// A Line is what requests and registers cost, which decides how wide a gap of
// unwanted registers is read rather than left out.
//
// A request of q registers takes on a serial line, at 11 bits a byte:
//
//	8 bytes asked, 5 bytes around the answer,
//	two silences of 3.5 characters (1.75 ms above 19200 baud),
//	the meter's turnaround and the pause that it wants: the fixed part;
//	2 bytes for each register.
//
// A gap is worth reading while its registers cost less than the fixed part of
// another request: 18 registers at 9600 baud without a pause.
type Line struct {
	// Baud is the rate; 0 counts as 9600, which also suits a serial line behind
	// a TCP converter.
	Baud int
	// Turnaround is how long a meter thinks; 0 counts as 20 ms.
	Turnaround time.Duration
	// Pause is the silence that the meter wants between two requests.
	Pause time.Duration
}

// maxGap bounds the gap at high rates, where hundreds of registers would be
// cheaper than a request: what lies farther away is another table of the meter,
// and the registers between belong to none.
const maxGap = 32

// bytesTime is how long n bytes take.
func (l Line) bytesTime(n int) time.Duration {
	const bits = 11
	return time.Duration(n) * bits * time.Second / time.Duration(cmp.Or(l.Baud, 9600))
}

// perRequest is the fixed part of a request.
func (l Line) perRequest() time.Duration {
	silence := 7 * l.bytesTime(1) / 2
	if l.Baud > 19200 {
		silence = 1750 * time.Microsecond // Modbus over Serial Line 1.02, 2.5.1.1
	}
	return l.bytesTime(8+5) + 2*silence + cmp.Or(l.Turnaround, 20*time.Millisecond) + l.Pause
}

// Gap is the widest gap, in registers, that is read rather than left out.
func (l Line) Gap() int { return int(min(l.perRequest()/l.bytesTime(2), maxGap)) }

// Plan returns the requests that read all meters of a device in the least time
// on a line of 9600 baud: registers that stand near one another share a request,
// within the profile's limit. Registers of confidence D are left out unless the
// device asks for them. See [NewReader] for what a poller needs.
func Plan(d firmwareconfig.Device, p firmwareconfig.Profile) ([]Request, error) {
	r, err := NewReader(d, p, Line{Pause: p.Pause})
	if err != nil {
		return nil, err
	}
	return r.Requests(time.Time{}), nil
}

// fields returns the fields of all meters of a device in order of address.
func fields(d firmwareconfig.Device, p firmwareconfig.Profile) ([]Field, error) {
	var all []Field
	for _, m := range d.Meters {
		for _, r := range p.Of(m.Channel, d.DoubtfulRegisters) {
			f, err := newField(m, r)
			if err != nil {
				return nil, fmt.Errorf("slave %d, meter %s: %w", d.Slave, m.ID, err)
			}
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b Field) int { return cmp.Compare(a.register.Address, b.register.Address) })
	return all, nil
}

// plan groups the fields that are not refused into requests of least total
// time. Best[j] is what the fields before j cost, through the request that
// begins with field from[j]; -1 marks a refused field, which is left out.
func (r *Reader) plan() []Request {
	best := make([]time.Duration, len(r.fields)+1)
	from := make([]int, len(r.fields)+1)
	for j := 1; j <= len(r.fields); j++ {
		best[j], from[j] = best[j-1], -1
		if r.leftOut(j - 1) {
			continue
		}
		best[j] = 1<<63 - 1
		for i := j - 1; i >= 0 && r.mayShare(i, j); i-- {
			if cost := best[i] + r.cost(i, j); cost < best[j] {
				best[j], from[j] = cost, i
			}
		}
	}
	var requests []Request
	for j := len(r.fields); j > 0; {
		if from[j] < 0 {
			j--
			continue
		}
		requests = append(requests, r.request(from[j], j, from[j]))
		j = from[j]
	}
	slices.Reverse(requests)
	return requests
}

// cost is the time of a request for the fields from i up to j.
func (r *Reader) cost(i, j int) time.Duration {
	return r.line.perRequest() + r.line.bytesTime(2*r.span(i, j))
}

// span is how many registers the fields from i up to j stretch over.
func (r *Reader) span(i, j int) int {
	end := 0
	for _, f := range r.fields[i:j] {
		end = max(end, f.end())
	}
	return end - int(r.fields[i].register.Address)
}

// mayShare reports whether the fields from i up to j may be asked for together,
// given that those from i+1 on may.
func (r *Reader) mayShare(i, j int) bool {
	if r.leftOut(i) || i+1 < j && (r.alone(i) || r.alone(i+1) || r.isCut(i)) {
		return false
	}
	if i+1 < j && r.gap(i) > r.line.Gap() {
		return false
	}
	return r.span(i, j) <= r.limit
}

// gap is how many registers stand between field i and the next.
func (r *Reader) gap(i int) int { return int(r.fields[i+1].register.Address) - r.fields[i].end() }

// request asks for the fields from i up to j.
func (r *Reader) request(i, j, root int) Request {
	q := Request{Slave: r.slave, Function: r.function, Address: r.fields[i].register.Address,
		Quantity: uint16(r.span(i, j)), Fields: r.fields[i:j:j], root: root}
	for place := i; place < j; place++ {
		q.places = append(q.places, place)
	}
	return q
}
