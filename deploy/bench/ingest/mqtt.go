package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// The publishers and the subscriber that is the limit speak MQTT 3.1.1 in the
// fewest steps there are: what they cost of the machine would count against all
// that is measured.

// Packet types and flags of MQTT 3.1.1, section 2.2.
const (
	mqttConnect   = 0x10
	mqttConnack   = 0x20
	mqttPublish   = 0x30
	mqttPuback    = 0x40
	mqttSubscribe = 0x82
	mqttSuback    = 0x90
	qos1          = 0x02
)

// A session is one connection to the broker.
type session struct {
	conn net.Conn
	in   *bufio.Reader
	out  *bufio.Writer
}

func connect(addr, id string) (*session, error) {
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	s := &session{conn: conn, in: bufio.NewReaderSize(conn, 256<<10), out: bufio.NewWriterSize(conn, 256<<10)}
	body := append(text(nil, "MQTT"), 4, 2 /* clean session */, 0, 0 /* no keep-alive */)
	if err := s.send(mqttConnect, text(body, id)); err != nil {
		return nil, err
	}
	head, answer, err := s.receive()
	if err != nil || head != mqttConnack || len(answer) != 2 || answer[1] != 0 {
		return nil, errors.Join(fmt.Errorf("connect to the broker: answer %x %x: %w", head, answer, err), conn.Close())
	}
	return s, nil
}

func (s *session) close() { _ = s.conn.Close() }

func (s *session) subscribe(filter string) error {
	if err := s.send(mqttSubscribe, append(text([]byte{0, 1}, filter), 1)); err != nil {
		return err
	}
	head, answer, err := s.receive()
	if err != nil || head != mqttSuback || len(answer) != 3 || answer[2] > 2 {
		return fmt.Errorf("subscribe to %s: answer %x %x: %w", filter, head, answer, err)
	}
	return nil
}

func (s *session) send(head byte, body []byte) error {
	_, err := s.out.Write(append(binary.AppendUvarint([]byte{head}, uint64(len(body))), body...))
	return errors.Join(err, s.out.Flush())
}

// receive reads a packet. Its body is good until the next call.
func (s *session) receive() (head byte, body []byte, err error) {
	if head, err = s.in.ReadByte(); err != nil {
		return 0, nil, err
	}
	length, err := binary.ReadUvarint(s.in) // a remaining length is such a number
	if err != nil {
		return 0, nil, err
	}
	body = make([]byte, length)
	_, err = io.ReadFull(s.in, body)
	return head, body, err
}

func text(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// window is how many messages a publisher has unacknowledged: what a gateway has
// at most.
const window = 64

// publish sends all payloads to a topic with quality of service 1 and returns
// when the broker has acknowledged the last.
func (s *session) publish(topic string, payloads [][]byte) error {
	room := make(chan struct{}, window)
	acknowledged := make(chan error, 1)
	go func() {
		for range payloads {
			head, _, err := s.receive()
			if err != nil || head != mqttPuback {
				acknowledged <- fmt.Errorf("publish to %s: answer %x: %w", topic, head, err)
				return
			}
			<-room
		}
		acknowledged <- nil
	}()
	for i, payload := range payloads {
		select {
		case room <- struct{}{}:
		default: // the window is full: what is buffered must go first
			if err := s.out.Flush(); err != nil {
				return err
			}
			select {
			case room <- struct{}{}:
			case err := <-acknowledged:
				return err
			}
		}
		head := binary.AppendUvarint([]byte{mqttPublish | qos1}, uint64(2+len(topic)+2+len(payload)))
		head = binary.BigEndian.AppendUint16(text(head, topic), uint16(i%0xffff+1))
		_, first := s.out.Write(head)
		if _, err := s.out.Write(payload); err != nil || first != nil {
			return errors.Join(first, err)
		}
	}
	if err := s.out.Flush(); err != nil {
		return err
	}
	return <-acknowledged
}

// discard acknowledges every message and hands it on to each, until the
// connection ends.
func (s *session) discard(each func(payload []byte)) {
	for {
		head, body, err := s.receive()
		if err != nil {
			return
		}
		if head&0xf0 != mqttPublish {
			continue
		}
		rest := body[2+int(binary.BigEndian.Uint16(body)):]
		if head&qos1 != 0 {
			_, _ = s.out.Write([]byte{mqttPuback, 2, rest[0], rest[1]})
			rest = rest[2:]
		}
		if s.in.Buffered() == 0 && s.out.Flush() != nil {
			return
		}
		each(rest)
	}
}

// retain publishes one message that the broker keeps.
func (s *session) retain(topic string, payload []byte) error {
	body := binary.BigEndian.AppendUint16(text(nil, topic), 1)
	if err := s.send(mqttPublish|qos1|1, append(body, payload...)); err != nil {
		return err
	}
	head, _, err := s.receive()
	if err == nil && head != mqttPuback {
		err = fmt.Errorf("publish to %s: answer %x", topic, head)
	}
	return err
}
