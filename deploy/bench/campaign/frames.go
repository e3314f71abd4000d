package campaign

import (
	"encoding/binary"

	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
)

// frames is one of the two ways in which Modbus is framed.
type frames interface {
	requestLength() int
	decode(held []byte) (*request, bool)
	// encode frames a protocol data unit in the name of slave, as the answer to r.
	encode(r *request, slave byte, pdu []byte) []byte
}

func questionOf(b []byte) question {
	return question{slave: b[0], function: b[1], address: binary.BigEndian.Uint16(b[2:]), quantity: binary.BigEndian.Uint16(b[4:])}
}

type rtuFrames struct{}

func (rtuFrames) requestLength() int { return 8 }

func (rtuFrames) decode(held []byte) (*request, bool) {
	if slave.CRC(held[:6]) != binary.LittleEndian.Uint16(held[6:]) {
		return nil, false
	}
	return &request{question: questionOf(held)}, true
}

func (rtuFrames) encode(_ *request, unit byte, pdu []byte) []byte {
	b := append([]byte{unit}, pdu...)
	return binary.LittleEndian.AppendUint16(b, slave.CRC(b))
}

type tcpFrames struct{}

func (tcpFrames) requestLength() int { return 12 }

func (tcpFrames) decode(held []byte) (*request, bool) {
	if binary.BigEndian.Uint16(held[2:]) != 0 || binary.BigEndian.Uint16(held[4:]) != 6 {
		return nil, false
	}
	return &request{question: questionOf(held[6:]), header: [2]byte(held)}, true
}

func (tcpFrames) encode(r *request, unit byte, pdu []byte) []byte {
	b := []byte{r.header[0], r.header[1], 0, 0}
	b = binary.BigEndian.AppendUint16(b, uint16(len(pdu)+1))
	return append(append(b, unit), pdu...)
}

// pdu is the right answer to a question.
func pdu(q question, number uint32) []byte {
	if q.function <= 2 { // bits: coils and inputs
		n := int(q.quantity+7) / 8
		return append([]byte{q.function, byte(n)}, make([]byte, n)...)
	}
	return append([]byte{q.function, byte(2 * q.quantity)}, content(q, number)...)
}

func refusal(q question, code byte) []byte { return []byte{q.function | 0x80, code} }
