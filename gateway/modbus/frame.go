package modbus

import "encoding/binary"

// An RTU frame is slave, function, body, CRC (low byte first). Answers to reads
// of registers have a count of bytes before their content.
const (
	requestFrame   = 8 // of a read of registers
	exceptionFrame = 5
	exceptionBit   = 0x80
	maxFrame       = 256
	checksumBytes  = 2
)

// requestIn returns a master's request with which held begins, nil where it
// begins with none that this package knows: the functions whose requests have
// eight bytes (V1.1b3, 6.1 to 6.6), and the read of an identity. No answer to a
// read of registers has eight bytes, because their length is odd, and none to a
// read of an identity as few as seven.
func requestIn(held []byte) []byte {
	if len(held) < 2 {
		return nil
	}
	length := requestFrame
	switch function := held[1]; {
	case function == readIdentity:
		length = identityRequest
	case function < 1 || function > 6:
		return nil
	}
	if len(held) < length || !valid(held[:length]) {
		return nil
	}
	return held[:length]
}

func isRead(request []byte) bool { return request[1] <= 4 || request[1] == readIdentity }

// leastAnswer is the length of the answer to a read, or the least that it can
// be where only the answer tells.
func leastAnswer(request []byte) int {
	if request[1] == readIdentity {
		return identityHead + checksumBytes
	}
	quantity := int(binary.BigEndian.Uint16(request[4:6]))
	if request[1] <= 2 { // coils and inputs are bits
		return exceptionFrame + (quantity+7)/8
	}
	return exceptionFrame + 2*quantity
}

// answerIn returns how long the answer to request is with which held begins, as
// far as that tells, and false where held does not begin with one. Held begins
// with the slave and the function of the request.
func answerIn(held, request []byte) (length int, fits bool) {
	if request[1] == readIdentity {
		return identityLength(held, request)
	}
	length = leastAnswer(request)
	return length, int(held[2]) == length-exceptionFrame
}

// found is where an answer stands; end is 0 where there is none.
type found struct {
	start, end int
	want       int  // the length of what looks like it and is not whole yet
	damaged    bool // something that looks like it has a wrong checksum
}

// find looks for the frame within received that answers request.
func find(received, request []byte) found {
	var f found
	for i := 0; i+exceptionFrame <= len(received); i++ {
		candidate := received[i:]
		if candidate[0] != request[0] {
			continue
		}
		switch candidate[1] {
		case request[1] | exceptionBit:
			if valid(candidate[:exceptionFrame]) {
				return found{start: i, end: i + exceptionFrame}
			}
		case request[1]:
			length, fits := answerIn(candidate, request)
			switch {
			case !fits:
			case len(candidate) < length:
				f.want = max(f.want, length)
			case valid(candidate[:length]):
				return found{start: i, end: i + length}
			default:
				f.damaged = true
			}
		}
	}
	return f
}

func valid(frame []byte) bool {
	body := frame[:len(frame)-checksumBytes]
	return crc16(body) == binary.LittleEndian.Uint16(frame[len(body):])
}

// crc16 is the checksum of Modbus over Serial Line 1.02, appendix B: reflected
// polynomial 0xA001, start 0xFFFF.
func crc16(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, c := range b {
		crc ^= uint16(c)
		for range 8 {
			carry := crc & 1
			crc >>= 1
			if carry == 1 {
				crc ^= 0xA001
			}
		}
	}
	return crc
}
