package problem_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/problem"
)

func TestOf(t *testing.T) {
	none := &problem.Error{Kind: problem.NotFound, Message: "tenancy.none", Err: errors.New("cause")}
	for _, tt := range []struct {
		name    string
		err     error
		status  int
		message string
	}{
		{"wrapped problem", fmt.Errorf("stays: %w", none), http.StatusNotFound, "tenancy.none"},
		{"anything else", errors.New("disk full"), http.StatusInternalServerError, "error.internal"},
		{"no route", echo.ErrNotFound, http.StatusNotFound, "error.not_found"},
		{"no method", echo.ErrMethodNotAllowed, http.StatusNotFound, "error.not_found"},
		{"too large", echo.ErrStatusRequestEntityTooLarge, http.StatusRequestEntityTooLarge, "error.too_large"},
		{"server's", echo.ErrBadGateway, http.StatusInternalServerError, "error.internal"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := problem.Of(tt.err)
			if got.StatusCode() != tt.status || got.Message != tt.message {
				t.Errorf("Of(%v) = %d %s, want %d %s", tt.err, got.StatusCode(), got.Message, tt.status, tt.message)
			}
		})
	}
}

func TestWriteHidesTheCause(t *testing.T) {
	recorder := httptest.NewRecorder()
	c := echo.New().NewContext(httptest.NewRequest(http.MethodGet, "/", nil), recorder)
	p := &problem.Error{Kind: problem.TooMany, Message: "signin.too_many", Retry: 1500 * time.Millisecond, Err: errors.New("secret")}
	if err := problem.Write(c, p, func(string, ...any) string { return "Attendez." }); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(recorder.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"type": "about:blank", "title": "Too Many Requests", "status": 429.0, "detail": "Attendez.", "code": "signin.too_many"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problem (-want +got):\n%s", diff)
	}
	if wait := recorder.Header().Get("Retry-After"); wait != "2" {
		t.Errorf("Retry-After = %q, want 2", wait)
	}
	if kind := recorder.Header().Get("Content-Type"); kind != problem.MediaTypeJSON {
		t.Errorf("Content-Type = %q", kind)
	}
}
