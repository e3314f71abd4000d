package slave

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

const (
	mbapLength = 7   // transaction, protocol, length, unit
	maxPDU     = 253 // bytes
)

// ServeTCP answers Modbus TCP on listener until ctx ends, and then returns nil
// after every connection is closed. It closes listener in any case. A connection
// that sends what is not Modbus is closed.
func (s *Server) ServeTCP(ctx context.Context, listener net.Listener) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = listener.Close() })()
	for {
		conn, err := listener.Accept()
		if err != nil {
			_ = listener.Close()
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept on %s: %w", listener.Addr(), err)
		}
		wg.Go(func() {
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			defer stop()
			err := s.converse(conn)
			_ = conn.Close()
			s.options.Log.Debug("connection ended", "peer", conn.RemoteAddr().String(), "reason", err)
		})
	}
}

// converse answers requests of one connection, in order, until it ends.
func (s *Server) converse(conn net.Conn) error {
	frame := make([]byte, mbapLength+maxPDU)
	for {
		if _, err := io.ReadFull(conn, frame[:mbapLength]); err != nil {
			return err
		}
		length := int(binary.BigEndian.Uint16(frame[4:])) - 1 // without the unit
		if protocol := binary.BigEndian.Uint16(frame[2:]); protocol != 0 || length < 1 || length > maxPDU {
			return errors.New("not a Modbus TCP frame")
		}
		pdu := frame[mbapLength : mbapLength+length]
		if _, err := io.ReadFull(conn, pdu); err != nil {
			return err
		}
		answer, x := s.answer(frame[6], pdu)
		if answer == nil {
			s.done(x, false, nil)
			continue
		}
		_, err := conn.Write(envelope(frame[:mbapLength], answer))
		s.done(x, true, err)
		if err != nil {
			return err
		}
	}
}

// envelope puts the header of the request before the answer to it.
func envelope(header, pdu []byte) []byte {
	frame := append(make([]byte, 0, mbapLength+len(pdu)), header...)
	binary.BigEndian.PutUint16(frame[4:], uint16(len(pdu)+1))
	return append(frame, pdu...)
}
