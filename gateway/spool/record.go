package spool

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"time"

	"github.com/xnetroseraie/xnet/internal/wire"
)

// A record is length of the payload (4 bytes), CRC32C of all that follows (4),
// sequence number (8), milliseconds since 1970 when it was appended (8), and the
// payload; numbers little-endian.
const recordHeader = 24

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type record struct {
	seq     wire.Seq
	at      time.Time
	payload []byte
}

func (r record) size() int64 { return int64(recordHeader + len(r.payload)) }

func (r record) appendTo(b []byte) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.payload)))
	b = append(b, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(r.seq))
	b = binary.LittleEndian.AppendUint64(b, uint64(r.at.UnixMilli()))
	b = append(b, r.payload...)
	binary.LittleEndian.PutUint32(b[start+4:], crc32.Checksum(b[start+8:], castagnoli))
	return b
}

// errDamaged means that what stands there is not what was written.
var errDamaged = errors.New("damaged record")

// readRecord reads the next whole record of at most left bytes. It fails with
// [errDamaged], with io.EOF or io.ErrUnexpectedEOF where the file ends, and with
// what the disk says where it cannot be read.
func readRecord(r io.Reader, left int64) (record, error) {
	var header [recordHeader]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return record{}, err
	}
	length := int64(binary.LittleEndian.Uint32(header[:]))
	if length == 0 || length > wire.MaxPackBytes || recordHeader+length > left {
		return record{}, errDamaged
	}
	payload := make([]byte, length)
	if _, err := io.ReadFull(r, payload); err != nil {
		return record{}, err
	}
	sum := crc32.Update(crc32.Checksum(header[8:], castagnoli), castagnoli, payload)
	if sum != binary.LittleEndian.Uint32(header[4:]) {
		return record{}, errDamaged
	}
	return record{
		seq:     wire.Seq(binary.LittleEndian.Uint64(header[8:])),
		at:      time.UnixMilli(int64(binary.LittleEndian.Uint64(header[16:]))),
		payload: payload,
	}, nil
}

// cutShort reports whether err says that a file is damaged or ends too early,
// rather than that the disk could not be read.
func cutShort(err error) bool {
	return errors.Is(err, errDamaged) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
