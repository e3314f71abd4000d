package modbus

import (
	"context"
	"errors"
	"fmt"

	"github.com/goburrow/modbus"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
)

// Function 43 with 14 as its kind of request reads the names of a device, its
// objects (MODBUS Application Protocol V1.1b3, 6.21).
const (
	readIdentity    = firmwareconfig.DeviceIdentity
	identityKind    = 14
	identityRequest = 7 // bytes of an RTU request: slave, 43, 14, category, object, CRC
	identityHead    = 8 // bytes of an RTU answer before its first object
)

// The categories of objects. An answer lists those of its category and of the
// ones before it.
const (
	basicIdentity    = 1 // objects 0 to 2
	regularIdentity  = 2 // to 0x7F
	extendedIdentity = 3

	lastBasic, lastRegular = 0x02, 0x7F
)

// ErrNoObject is why [Bus.Identify] fails for a device that tells names, but not
// the one that was asked for.
var ErrNoObject = errors.New("the device does not tell this name")

// Identify returns one of the names that a device has of itself: object 0 is its
// maker, 1 its product code, 2 its revision (MODBUS Application Protocol V1.1b3,
// 6.21). It begins with object 0, as the standard wants it, and asks on where
// the device says that more follows.
//
// It fails with [ErrNoObject] where the device lacks the object, and as
// [Bus.Read] does: the library's exception 1 is the answer of a device without
// this function. Each request takes as long as one of Read.
func (b *Bus) Identify(ctx context.Context, slave, object byte) (string, error) {
	fault := func(err error) (string, error) {
		return "", fmt.Errorf("read object %d of the identity of slave %d: %w", object, slave, err)
	}
	category := categoryOf(object)
	for first := byte(0); ; {
		content, err := b.unlessBusy(ctx, func() ([]byte, error) { return b.readIdentity(ctx, slave, category, first) })
		if err != nil {
			return fault(err)
		}
		page, err := parseIdentity(content)
		if err != nil {
			return fault(err)
		}
		if name, ok := page.objects[object]; ok {
			return name, nil
		}
		if !page.more {
			return fault(ErrNoObject)
		}
		if page.next <= page.last || page.next <= first {
			return fault(fmt.Errorf("%w: it goes on with object %d after %d", ErrFrame, page.next, page.last))
		}
		first = page.next
	}
}

func categoryOf(object byte) byte {
	switch {
	case object <= lastBasic:
		return basicIdentity
	case object <= lastRegular:
		return regularIdentity
	default:
		return extendedIdentity
	}
}

// readIdentity asks for the objects of a category from first on and returns what
// stands behind the function of the answer.
func (b *Bus) readIdentity(ctx context.Context, slave, category, first byte) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.begin(ctx, slave, readIdentity, 0); err != nil {
		return nil, err
	}
	content, err := b.askIdentity(slave, category, first)
	s := shape{readIdentity, uint16(category)<<8 | uint16(first)}
	return content, b.book(slave, s, err, true)
}

// askIdentity does for one request what the library's client does for those that
// it knows.
func (b *Bus) askIdentity(slave, category, first byte) ([]byte, error) {
	*b.slave = slave
	request, err := b.packager.Encode(&modbus.ProtocolDataUnit{FunctionCode: readIdentity,
		Data: []byte{identityKind, category, first}})
	if err != nil {
		return nil, err
	}
	answer, err := b.line.exchange(request, b.exchange)
	if err != nil {
		return nil, err
	}
	if err := b.packager.Verify(request, answer); err != nil {
		return nil, err
	}
	response, err := b.packager.Decode(answer)
	if err != nil {
		return nil, err
	}
	if response.FunctionCode != readIdentity {
		return nil, &modbus.ModbusError{FunctionCode: response.FunctionCode, ExceptionCode: response.Data[0]}
	}
	return response.Data, nil
}

// identityLength is the length of the RTU answer to a read of an identity with
// which held begins: as far as the objects have come, and at least the head of
// the next. False means that it is the answer to something else.
func identityLength(held, request []byte) (length int, fits bool) {
	const category, count = 3, 7 // where they stand
	length = identityHead
	if len(held) > category && (held[2] != identityKind || held[category] != request[category]) {
		return 0, false
	}
	if len(held) < identityHead {
		return length + checksumBytes, true
	}
	for range held[count] {
		if length += 2; len(held) < length { // object, length of its text
			break
		}
		length += int(held[length-1])
	}
	length += checksumBytes
	return length, length <= maxFrame
}

// An identityPage is the objects of one answer.
type identityPage struct {
	objects map[byte]string
	last    byte // the greatest of them
	more    bool
	next    byte // where more is true
}

// parseIdentity reads what stands behind the function of an answer: kind,
// category, conformity, whether more follows, with which object, the number of
// objects, the objects.
func parseIdentity(content []byte) (identityPage, error) {
	const individual = 0x80 // objects can also be read one by one
	head := identityHead - 2
	if len(content) < head {
		return identityPage{}, fmt.Errorf("%w: an identity of %d bytes", ErrFrame, len(content))
	}
	conformity, more, objects := content[2], content[3], content[head:]
	if level := conformity &^ individual; level < basicIdentity || level > extendedIdentity {
		return identityPage{}, fmt.Errorf("%w: conformity level %#02x is none of the standard's", ErrFrame, conformity)
	}
	if more != 0 && more != 0xFF {
		return identityPage{}, fmt.Errorf("%w: %#02x does not say whether more names follow", ErrFrame, more)
	}
	page := identityPage{objects: map[byte]string{}, more: more != 0, next: content[4]}
	for range content[5] {
		if len(objects) < 2 || len(objects) < 2+int(objects[1]) {
			return identityPage{}, fmt.Errorf("%w: %d names do not fit into it", ErrFrame, content[5])
		}
		end := 2 + int(objects[1])
		page.objects[objects[0]], page.last = string(objects[2:end]), max(page.last, objects[0])
		objects = objects[end:]
	}
	if len(objects) > 0 {
		return identityPage{}, fmt.Errorf("%w: %d bytes follow its names", ErrFrame, len(objects))
	}
	return page, nil
}
