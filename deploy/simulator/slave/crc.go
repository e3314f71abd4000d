package slave

// CRC is the checksum of MODBUS over Serial Line, clause 6.2.2: polynomial
// 0xA001, start 0xFFFF. On the line its low byte goes first.
func CRC(frame []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, b := range frame {
		crc = crc>>8 ^ crcTable[byte(crc)^b]
	}
	return crc
}

// crcTable holds what the polynomial makes of each byte.
var crcTable = makeCRCTable()

func makeCRCTable() (table [256]uint16) {
	for i := range table {
		crc := uint16(i)
		for range 8 {
			if crc&1 == 1 {
				crc = crc>>1 ^ 0xA001
			} else {
				crc >>= 1
			}
		}
		table[i] = crc
	}
	return table
}

// sealed reports whether the last two bytes of a frame are its checksum.
func sealed(frame []byte) bool {
	n := len(frame) - 2
	return n >= 2 && CRC(frame[:n]) == uint16(frame[n])|uint16(frame[n+1])<<8
}

// seal appends the checksum.
func seal(frame []byte) []byte {
	crc := CRC(frame)
	return append(frame, byte(crc), byte(crc>>8))
}
