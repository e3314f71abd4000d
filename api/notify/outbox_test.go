package notify_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/notify"
	"github.com/xnetroseraie/xnet/api/notify/notifytest"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// A post is an outbox over a real mail server, with a clock that tests turn.
type post struct {
	db       *sql.DB
	server   *notifytest.Server
	outbox   *notify.Outbox
	clock    atomic.Int64 // ms
	composed atomic.Int64
	log      *lockedBuffer
}

type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (p *post) now() time.Time { return sqldb.Time(p.clock.Load()) }

func open(t *testing.T, db *sql.DB) *post {
	t.Helper()
	p := &post{db: db, server: notifytest.Start(t), log: &lockedBuffer{}}
	p.clock.Store(time.Date(2026, 3, 18, 13, 0, 0, 0, time.UTC).UnixMilli())
	p.outbox = p.newOutbox(t)
	return p
}

func (p *post) newOutbox(t *testing.T) *notify.Outbox {
	t.Helper()
	sender, err := notify.NewSender(p.server.Config())
	if err != nil {
		t.Fatal(err)
	}
	composers := map[string]notify.Composer{
		"greeting": func(_ context.Context, m notify.Message) (notify.Mail, error) {
			return notify.Mail{Subject: "Été", Text: fmt.Sprintf("Bonjour, code %d pour %s\n", p.composed.Add(1), m.Subject)}, nil
		},
		"nothing": func(context.Context, notify.Message) (notify.Mail, error) { return notify.Mail{}, notify.ErrNothing },
		"broken": func(context.Context, notify.Message) (notify.Mail, error) {
			return notify.Mail{}, errors.New("disk full")
		},
	}
	return notify.NewOutbox(p.db, sender, composers, p.now, testkit.Logger(t, p.log))
}

func (p *post) enqueue(t *testing.T, id, kind string) {
	t.Helper()
	err := sqldb.InTx(t.Context(), p.db, func(tx *sql.Tx) error {
		return notify.Enqueue(t.Context(), tx, notify.Message{ID: id, Channel: notify.Email, Kind: kind, Subject: "S-" + id, Recipient: "amina@example.org"}, p.now())
	})
	if err != nil {
		t.Fatal(err)
	}
	p.outbox.Wake()
}

// await waits until the message is in the state, and returns its recipient and
// how often it was tried.
func (p *post) await(t *testing.T, id string, want notify.State) (recipient string, attempts int) {
	t.Helper()
	testkit.Eventually(t, 20*time.Second, func() error {
		var state notify.State
		err := p.db.QueryRowContext(t.Context(), `SELECT state, recipient, attempts FROM outbox WHERE id = $1`, id).Scan(&state, &recipient, &attempts)
		if err == nil && state != want {
			err = fmt.Errorf("message %s is %s, want %s", id, state, want)
		}
		return err
	})
	return recipient, attempts
}

func TestOutboxSendsOnce(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		p := open(t, db)
		for i := range 20 {
			p.enqueue(t, fmt.Sprintf("M%02d", i), "greeting")
		}
		notifytest.Run(t, p.outbox)
		notifytest.Run(t, p.newOutbox(t)) // a second program on the same database
		ids := map[string]int{}
		for i := range 20 {
			if recipient, _ := p.await(t, fmt.Sprintf("M%02d", i), notify.Sent); recipient != "" {
				t.Errorf("the address stays after the message has left")
			}
		}
		for _, r := range p.server.Received() {
			ids[r.MessageID]++
			if r.To != "amina@example.org" || r.Subject != "Été" || !strings.HasPrefix(r.Text, "Bonjour, code ") {
				t.Errorf("received %+v", r)
			}
		}
		if len(ids) != 20 || len(p.server.Received()) != 20 {
			t.Errorf("20 messages arrived %d times with %d ids", len(p.server.Received()), len(ids))
		}
		if strings.Contains(p.log.String(), "amina") || strings.Contains(p.log.String(), "code ") {
			t.Errorf("the log tells who was written to, or what:\n%s", p.log)
		}
	})
}

func TestOutboxOutcomes(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		p := open(t, db)
		notifytest.Run(t, p.outbox)

		p.enqueue(t, "nothing", "nothing")
		p.await(t, "nothing", notify.Dropped)

		p.enqueue(t, "broken", "broken")
		p.await(t, "broken", notify.Waiting)

		p.server.Answer("RCPT", "550 no such box amina@example.org")
		p.enqueue(t, "refused", "greeting")
		p.await(t, "refused", notify.Failed)

		p.server.Answer("RCPT", "450 later, amina@example.org")
		p.enqueue(t, "later", "greeting")
		testkit.Eventually(t, 20*time.Second, func() error {
			if _, attempts := p.await(t, "later", notify.Waiting); attempts == 0 {
				return errors.New("not tried yet")
			}
			return nil
		})
		p.server.Answer("RCPT", "")
		p.clock.Add(time.Minute.Milliseconds())
		p.outbox.Wake()
		p.await(t, "later", notify.Sent)
		if got := len(p.server.Received()); got != 1 {
			t.Errorf("%d e-mails arrived, want the one", got)
		}

		// The server takes the message, and the line breaks before it says so.
		p.server.Answer(".", "drop")
		p.enqueue(t, "doubtful", "greeting")
		p.await(t, "doubtful", notify.Failed)
		p.server.Answer(".", "")
		p.clock.Add(49 * time.Hour.Milliseconds())
		p.outbox.Wake()
		p.await(t, "broken", notify.Failed)
		if got := len(p.server.Received()); got != 2 {
			t.Errorf("%d e-mails arrived, want 2: the doubtful one must not come twice", got)
		}
		if strings.Contains(p.log.String(), "amina") {
			t.Errorf("the log repeats the server's words:\n%s", p.log)
		}
	})
}

// A program that was killed while it sent leaves a message in between: it is not
// sent again, and nobody believes that it was sent.
func TestOutboxAfterAKill(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		p := open(t, db)
		p.enqueue(t, "M1", "greeting")
		sqldbtest.Exec(t, db, `UPDATE outbox SET state = 'leaving' WHERE id = 'M1'`)
		p.clock.Add(16 * time.Minute.Milliseconds())
		notifytest.Run(t, p.outbox)
		p.await(t, "M1", notify.Failed)
		if got := p.server.Received(); len(got) != 0 {
			t.Errorf("it was sent again: %+v", got)
		}
	})
}

func TestOutboxWaitsForTheServer(t *testing.T) {
	db := sqldbtest.Open(t, t.TempDir()+"/xnet.db")
	p := open(t, db)
	p.server.Answer("STARTTLS", "454 not now") // TLS is a must: nothing leaves in clear
	stop := notifytest.Run(t, p.outbox)
	p.enqueue(t, "M1", "greeting")
	testkit.Eventually(t, 20*time.Second, func() error {
		if _, attempts := p.await(t, "M1", notify.Waiting); attempts == 0 {
			return errors.New("not tried yet")
		}
		return nil
	})
	stop()
	if got := p.server.Received(); len(got) != 0 {
		t.Fatalf("an e-mail left in clear: %+v", got)
	}
	p.server.Answer("STARTTLS", "")
	p.clock.Add(time.Hour.Milliseconds())
	notifytest.Run(t, p.newOutbox(t)) // after a restart
	p.await(t, "M1", notify.Sent)
	if got := p.server.Next(t).Text; !strings.Contains(got, "code 2 pour S-M1") {
		t.Errorf("text = %q, want that of the second try", got)
	}
}

func TestLettersAreNotMailed(t *testing.T) {
	db := sqldbtest.Open(t, t.TempDir()+"/xnet.db")
	p := open(t, db)
	err := sqldb.InTx(t.Context(), db, func(tx *sql.Tx) error {
		waits := notify.Message{ID: "L1", Channel: notify.Letter, Kind: "greeting"}
		printed := notify.Message{ID: "L2", Channel: notify.Letter, Kind: "greeting"}
		return errors.Join(notify.Enqueue(t.Context(), tx, waits, p.now()), notify.Note(t.Context(), tx, printed, p.now()))
	})
	if err != nil {
		t.Fatal(err)
	}
	notifytest.Run(t, p.outbox)
	p.enqueue(t, "M1", "greeting")
	p.await(t, "M1", notify.Sent)
	p.await(t, "L1", notify.Waiting)
	p.await(t, "L2", notify.Sent)
}

func TestConfig(t *testing.T) {
	good := notify.Config{Host: "mail.example.org", Port: 587, TLS: "starttls", From: "contact@bailleur.example"}
	change := func(edit func(*notify.Config)) notify.Config { c := good; edit(&c); return c }
	for _, tt := range []struct {
		name   string
		config notify.Config
		want   string
	}{
		{"sound", good, ""},
		{"none at all", notify.Config{}, ""},
		{"in clear on this machine", change(func(c *notify.Config) { c.Host, c.TLS = "127.0.0.1", "none" }), ""},
		{"in clear elsewhere", change(func(c *notify.Config) { c.TLS = "none" }), "in clear"},
		{"no port", change(func(c *notify.Config) { c.Port = 0 }), "mail.port"},
		{"no sender", change(func(c *notify.Config) { c.From = "contact" }), "mail.from"},
		{"no password", change(func(c *notify.Config) { c.Username = "api" }), "both or neither"},
		{"unknown", change(func(c *notify.Config) { c.TLS = "ssl" }), "mail.tls"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got string
			if err := tt.config.Validate(); err != nil {
				got = err.Error()
			}
			if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
				t.Errorf("Validate = %q, want %q", got, tt.want)
			}
		})
	}
	if diff := cmp.Diff(notify.Config{Port: 587, TLS: "starttls"}, notify.DefaultConfig()); diff != "" {
		t.Error(diff)
	}
}
