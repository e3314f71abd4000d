package slave

import (
	"fmt"
	"maps"
	"slices"
)

// ReadIdentity is the function that reads a device's names, with 14 as its kind
// of request (V1.1b3, 6.21). A [Namer] answers it.
const ReadIdentity byte = 43

const (
	identityKind = 14
	identityHead = 7 // bytes of an answer before its first object

	// Ways to ask: three categories of objects, each with those before it, from
	// one object on, and one object alone.
	basic, regular, extended, individual = 1, 2, 3, 4

	lastBasic, lastRegular = 0x02, 0x7F
	// oneByOne is the bit of a conformity level that says that objects can also
	// be read alone.
	oneByOne = 0x80
)

// identity answers function 43.
func (s *Server) identity(x *Exchange, pdu []byte) ([]byte, error) {
	namer, ok := s.source.(Namer)
	if !ok || len(pdu) != 4 || pdu[1] != identityKind {
		return nil, s.refuse(x, IllegalFunction)
	}
	names, err := namer.Names(x.Slave)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, s.refuse(x, IllegalFunction)
	}
	way, first := pdu[2], pdu[3]
	listed, e := choose(names, way, first)
	if e != 0 {
		return nil, e
	}
	answer := []byte{ReadIdentity, identityKind, way, conformity(names), 0, 0, 0}
	for _, object := range listed {
		name := names[object]
		if len(answer)+2+len(name) > maxPDU {
			if len(answer) == identityHead {
				return nil, fmt.Errorf("object %d of %d bytes fits into no answer", object, len(name))
			}
			answer[4], answer[5] = 0xFF, object // more follows, with this
			break
		}
		answer[6]++
		answer = append(append(answer, object, byte(len(name))), name...)
	}
	return answer, nil
}

// choose returns the objects that were asked for, in their order. Where the first
// does not exist a category begins anew, as the standard wants it.
func choose(names map[byte]string, way, first byte) ([]byte, Exception) {
	_, exists := names[first]
	last := byte(0xFF)
	switch way {
	case basic:
		last = lastBasic
	case regular:
		last = lastRegular
	case extended:
	case individual:
		if !exists {
			return nil, IllegalAddress
		}
		return []byte{first}, 0
	default:
		return nil, IllegalQuantity
	}
	if !exists {
		first = 0
	}
	var listed []byte
	for _, object := range slices.Sorted(maps.Keys(names)) {
		if object >= first && object <= last {
			listed = append(listed, object)
		}
	}
	return listed, 0
}

// conformity is the level that a device with these names has.
func conformity(names map[byte]string) byte {
	switch last := slices.Max(slices.Collect(maps.Keys(names))); {
	case last <= lastBasic:
		return oneByOne | basic
	case last <= lastRegular:
		return oneByOne | regular
	default:
		return oneByOne | extended
	}
}
