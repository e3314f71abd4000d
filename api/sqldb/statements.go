package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
)

// A keeper connects to SQLite so that each connection keeps the statements it has
// prepared, within transactions too: SQLite spends several times as long on
// understanding a page's texts as on answering them. PostgreSQL's driver does the same by
// itself. SQLite notices a changed schema and prepares a kept statement anew.
type keeper struct{ driver.Connector }

// Connect opens a connection that keeps its statements.
func (k keeper) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	c, ok := opened.(conn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("connection of type %T cannot keep statements", opened), opened.Close())
	}
	return &keepingConn{conn: c, idle: map[string]*kept{}}, nil
}

// A conn is what the driver's connections can do; what is not overridden is
// theirs.
type conn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// A statement is what the driver's statements can do.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// mostKept bounds the statements of a connection: several times what the most asked
// pages need. The largest take 50 KB each, so that a connection keeps 3 MB at most.
const mostKept = 64

// A keepingConn needs no lock, because database/sql gives a connection to one
// goroutine at a time.
type keepingConn struct {
	conn
	idle  map[string]*kept // by their text, those that nobody reads from
	given uint64           // how many were given out
}

// A kept is a prepared statement, and its place in the order in which they
// were given out.
type kept struct {
	statement
	last uint64
}

// take returns the statement of a text, which is nobody else's until it is put
// back: rows of the same text may be open in the same transaction.
func (c *keepingConn) take(ctx context.Context, text string) (*kept, error) {
	k, ok := c.idle[text]
	if ok {
		delete(c.idle, text)
	} else {
		prepared, err := c.PrepareContext(ctx, text)
		if err != nil {
			return nil, err
		}
		s, ok := prepared.(statement)
		if !ok {
			return nil, errors.Join(fmt.Errorf("statement of type %T cannot be kept", prepared), prepared.Close())
		}
		k = &kept{statement: s}
	}
	c.given++
	k.last = c.given
	return k, nil
}

// put keeps a statement that has been reset.
func (c *keepingConn) put(text string, k *kept) error {
	if _, twice := c.idle[text]; twice {
		return k.Close()
	}
	var err error
	if len(c.idle) >= mostKept {
		err = c.dropOldest()
	}
	c.idle[text] = k
	return err
}

func (c *keepingConn) dropOldest() error {
	var oldest string
	last := c.given + 1
	for text, k := range c.idle {
		if k.last < last {
			oldest, last = text, k.last
		}
	}
	k := c.idle[oldest]
	delete(c.idle, oldest)
	return k.Close()
}

// ExecContext runs a text with its kept statement; one that failed is not kept.
func (c *keepingConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	k, err := c.take(ctx, text)
	if err != nil {
		return nil, err
	}
	done, err := k.ExecContext(ctx, args)
	if err != nil {
		_ = k.Close() // says again why it failed
		return nil, err
	}
	return done, c.put(text, k)
}

// QueryContext asks a text with its kept statement; one that failed is not kept.
func (c *keepingConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	k, err := c.take(ctx, text)
	if err != nil {
		return nil, err
	}
	rows, err := k.QueryContext(ctx, args)
	if err != nil {
		_ = k.Close() // says again why it failed
		return nil, err
	}
	return &keptRows{Rows: rows, conn: c, text: text, kept: k}, nil
}

// Close closes all that is kept, then the connection.
func (c *keepingConn) Close() error {
	var faults []error
	for text, k := range c.idle {
		faults = append(faults, k.Close())
		delete(c.idle, text)
	}
	return errors.Join(errors.Join(faults...), c.conn.Close())
}

// keptRows put their statement back once they are closed, which resets it: a
// statement that is not reset would hold its view of the database.
type keptRows struct {
	driver.Rows
	conn *keepingConn
	text string
	kept *kept // nil once they are closed
}

// Close closes the rows once; a statement whose rows failed to close is not kept.
func (r *keptRows) Close() error {
	if r.kept == nil {
		return nil
	}
	k := r.kept
	r.kept = nil
	if err := r.Rows.Close(); err != nil {
		_ = k.Close() // says again why it failed
		return err
	}
	return r.conn.put(r.text, k)
}
