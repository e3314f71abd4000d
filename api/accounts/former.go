package accounts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/labstack/echo/v4"
)

const findFormer = `SELECT person_id FROM session WHERE token_hash = $1`

// Former returns who signed in with a token that may be over by now; it fails with
// [ErrNoSession] where the session has been forgotten.
func (s *Store) Former(ctx context.Context, token Token) (person PersonID, err error) {
	err = s.db.QueryRowContext(ctx, findFormer, token.hash()).Scan(&person)
	if errors.Is(err, sql.ErrNoRows) {
		return "", ErrNoSession
	}
	if err != nil {
		return "", fmt.Errorf("former session: %w", err)
	}
	return person, nil
}

// Former returns whose visit it was that is over, by the cookie that the browser
// still has; false where that is not known. It lets nobody in.
func (d *Door) Former(c echo.Context) (PersonID, bool) {
	cookie, err := c.Cookie(d.name(cookieName))
	if err != nil {
		return "", false
	}
	person, err := d.Store.Former(c.Request().Context(), Token(cookie.Value))
	return person, err == nil
}
