package ingest

import "github.com/xnetroseraie/xnet/internal/wire"

// A room bounds the bytes of the packs that wait in memory, since one pack may
// be a hundred times another. It is counted in parcels: the room of a message is
// taken before it is queued and given back when it has been judged.
type room chan struct{}

const parcel = 64 << 10

// newRoom returns room for so many bytes, and for one pack at least.
func newRoom(bytes int) room { return make(room, 1+max(bytes, wire.MaxPackBytes)/parcel) }

// take waits until there is room for m and reports whether there was, before
// gone was closed. One caller at a time: two could each hold what the other
// lacks.
func (r room) take(m *message, gone <-chan struct{}) bool {
	for range min(1+len(m.payload)/parcel, cap(r)) { // what is too large is refused, but read first
		select {
		case r <- struct{}{}:
			m.room++
		case <-gone:
			r.give(m)
			return false
		}
	}
	return true
}

// give gives back what m took.
func (r room) give(m *message) {
	for ; m.room > 0; m.room-- {
		<-r
	}
}
