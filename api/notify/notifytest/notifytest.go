// Package notifytest gives tests a mail server on loopback: a real one as far as
// the protocol goes (RFC 5321), which keeps what it is sent.
package notifytest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/notify"
)

// A Received is an e-mail as its reader sees it.
type Received struct {
	To, Subject, Text, MessageID string
}

// A Server is a mail server that offers STARTTLS. Its methods may be called while
// it serves.
type Server struct {
	port   int
	caFile string
	tls    *tls.Config

	mu       sync.Mutex
	received []Received
	answers  map[string]string // by command; "drop" breaks the line
	arrived  chan struct{}
}

// Run lets an outbox send until the test ends, or stop is called.
func Run(t testing.TB, outbox *notify.Outbox) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { outbox.Run(ctx); close(done) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

// Start serves on a random port until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{port: listener.Addr().(*net.TCPAddr).Port, answers: map[string]string{}, arrived: make(chan struct{}, 1000)}
	s.certify(t)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s
}

// Config returns how to reach the server, with STARTTLS.
func (s *Server) Config() notify.Config {
	return notify.Config{Host: "localhost", Port: s.port, TLS: "starttls", CAFile: s.caFile, From: "La Roseraie <contact@bailleur.example>"}
}

// Answer makes the server answer a command (MAIL, RCPT, DATA, or "." for the end
// of a message) otherwise than with yes: with that line, or by breaking the
// connection for "drop". An empty line is yes again. What follows "." is kept
// even where the answer breaks.
func (s *Server) Answer(command, line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[command] = line
}

// Received lists what the server was sent.
func (s *Server) Received() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Received{}, s.received...)
}

// Next waits for an e-mail that has not been waited for yet and returns the
// newest.
func (s *Server) Next(t testing.TB) Received {
	t.Helper()
	select {
	case <-s.arrived:
		all := s.Received()
		return all[len(all)-1]
	case <-time.After(20 * time.Second):
		t.Fatal("no e-mail arrived")
		return Received{}
	}
}

// certify makes a certificate for localhost and a file of who vouches for it.
func (s *Server) certify(t testing.TB) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s.tls = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	s.caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(s.caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A conversation is one client's connection.
type conversation struct {
	*Server
	conn   net.Conn
	lines  *bufio.Reader
	to     string
	secure bool
}

func (s *Server) serve(conn net.Conn) {
	c := &conversation{Server: s, conn: conn, lines: bufio.NewReader(conn)}
	defer func() { _ = c.conn.Close() }()
	c.say("220 localhost ready")
	for {
		line, err := c.lines.ReadString('\n')
		if err != nil || !c.answer(strings.TrimRight(line, "\r\n")) {
			return
		}
	}
}

func (c *conversation) say(line string) { _, _ = io.WriteString(c.conn, line+"\r\n") }

// told says what the test wants to be said, and reports whether to go on and
// whether that was all.
func (c *conversation) told(command string) (goOn, done bool) {
	c.mu.Lock()
	line := c.answers[command]
	c.mu.Unlock()
	switch line {
	case "":
		return true, false
	case "drop":
		return false, true
	default:
		c.say(line)
		return true, true
	}
}

func (c *conversation) answer(line string) bool {
	command, rest, _ := strings.Cut(line, " ")
	command = strings.ToUpper(command)
	if goOn, done := c.told(command); done {
		return goOn
	}
	switch command {
	case "EHLO", "HELO":
		c.greet()
	case "STARTTLS":
		c.say("220 go ahead")
		c.conn = tls.Server(c.conn, c.tls)
		c.lines, c.secure = bufio.NewReader(c.conn), true
	case "MAIL":
		if !c.secure {
			c.say("530 STARTTLS first")
			return true
		}
		c.say("250 ok")
	case "RCPT":
		_, after, _ := strings.Cut(rest, "<")
		c.to, _, _ = strings.Cut(after, ">")
		c.say("250 ok")
	case "DATA":
		c.say("354 go ahead")
		return c.data()
	case "QUIT":
		c.say("221 bye")
		return false
	default:
		c.say("250 ok")
	}
	return true
}

func (c *conversation) greet() {
	if c.secure {
		c.say("250 localhost")
		return
	}
	c.say("250-localhost")
	c.say("250 STARTTLS")
}

func (c *conversation) data() bool {
	var text bytes.Buffer
	for {
		line, err := c.lines.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		text.WriteString(strings.TrimPrefix(line, "."))
	}
	c.keep(text.Bytes())
	goOn, done := c.told(".")
	if !done {
		c.say("250 taken")
	}
	return goOn
}

func (c *conversation) keep(text []byte) {
	message, err := mail.ReadMessage(bytes.NewReader(text))
	if err != nil {
		c.say(fmt.Sprintf("554 %v", err))
		return
	}
	var body io.Reader = message.Body
	if strings.EqualFold(message.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	read, _ := io.ReadAll(body)
	subject, _ := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	c.mu.Lock()
	c.received = append(c.received, Received{c.to, subject, strings.ReplaceAll(string(read), "\r\n", "\n"), message.Header.Get("Message-ID")})
	c.mu.Unlock()
	c.arrived <- struct{}{}
}
