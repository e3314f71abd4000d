package resource_test

import (
	"database/sql"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

// maker counts what it creates.
type maker struct {
	made  int
	fails error
}

func (m *maker) create(c echo.Context) error {
	if m.fails != nil {
		return m.fails
	}
	m.made++
	return c.JSON(http.StatusCreated, map[string]int{"made": m.made})
}

func TestOnce(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		for _, id := range []string{"P-1", "P-2"} {
			sqldbtest.Exec(t, db, `INSERT INTO person (id, name, language) VALUES ($1, 'A', 'fr')`, id)
		}
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		person := "P-1"
		m := &maker{}
		handler := resource.NewOnce(db, func() time.Time { return now }, func(echo.Context) string { return person }).Middleware(m.create)
		post := func(body, key string) (string, error) {
			c, recorder := asked(http.MethodPost, "/things", body, "Idempotency-Key", key)
			err := handler(c)
			return strconv.Itoa(recorder.Code) + " " + recorder.Body.String(), err
		}
		want := func(what, got string, err error, wanted string, made int) {
			t.Helper()
			if err != nil || got != wanted || m.made != made {
				t.Errorf("%s: %q, %v, %d made, want %q and %d", what, got, err, m.made, wanted, made)
			}
		}
		got, err := post("a", "k")
		want("first", got, err, "201 {\"made\":1}\n", 1)
		got, err = post("a", "k")
		want("again", got, err, "201 {\"made\":1}\n", 1)
		if _, err := post("b", "k"); err == nil || problem.Of(err).Message != "error.key_used" {
			t.Errorf("another request with the key: %v", err)
		}
		person = "P-2"
		got, err = post("a", "k")
		want("somebody else's key", got, err, "201 {\"made\":2}\n", 2)
		got, err = post("a", "")
		want("without a key", got, err, "201 {\"made\":3}\n", 3)

		m.fails = errors.New("disk full")
		if _, err := post("c", "l"); !errors.Is(err, m.fails) {
			t.Errorf("failed: %v", err)
		}
		m.fails = nil
		got, err = post("c", "l")
		want("after a failure", got, err, "201 {\"made\":4}\n", 4)
		now = now.Add(25 * time.Hour)
		got, err = post("a", "k")
		want("a day later", got, err, "201 {\"made\":5}\n", 5)
	})
}
