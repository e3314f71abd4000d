package web_test

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/dashboards/web"
)

var long = strings.Repeat("Bonjour. ", 500)

// squeezed serves one of each kind of answer.
func squeezed() *echo.Echo {
	e := echo.New()
	e.HTTPErrorHandler = func(_ error, c echo.Context) { _ = c.HTML(http.StatusTeapot, long) }
	e.Use(web.Compress())
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := next(c); err != nil {
				c.Error(err)
			}
			return nil
		}
	})
	e.GET("/page", func(c echo.Context) error { return c.HTML(http.StatusOK, long) })
	e.GET("/fault", func(echo.Context) error { return errors.New("broken") })
	e.GET("/paper", func(c echo.Context) error { return c.Blob(http.StatusOK, "application/pdf", []byte(long)) })
	e.GET("/json", func(c echo.Context) error { return c.JSON(http.StatusOK, long) })
	e.GET("/away", func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, "/page") })
	e.GET("/none", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	return e
}

func TestCompress(t *testing.T) {
	for _, tt := range []struct {
		name, path, accepts, site string
		status                    int
		zipped                    bool
	}{
		{"page", "/page", "gzip, deflate, br", "same-origin", 200, true},
		{"typed address", "/page", "gzip", "none", 200, true},
		{"program", "/page", "GZIP;q=0.5", "", 200, true},
		{"fault", "/fault", "gzip", "", 418, true},
		{"link of another site", "/page", "gzip", "cross-site", 200, false},
		{"link of a neighbour", "/page", "gzip", "same-site", 200, false},
		{"no gzip", "/page", "br", "", 200, false},
		{"refused", "/page", "gzip;q=0", "", 200, false},
		{"paper", "/paper", "gzip", "", 200, false},
		{"JSON", "/json", "gzip", "", 200, false},
		{"redirect", "/away", "gzip", "", 303, false},
		{"nothing", "/none", "gzip", "", 204, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, tt.path, nil)
			request.Header.Set("Accept-Encoding", tt.accepts)
			request.Header.Set("Sec-Fetch-Site", tt.site)
			answer := httptest.NewRecorder()
			squeezed().ServeHTTP(answer, request)
			if answer.Code != tt.status || answer.Header().Get("Vary") != "Accept-Encoding" {
				t.Errorf("status %d, varies by %q", answer.Code, answer.Header().Get("Vary"))
			}
			if got := answer.Header().Get("Content-Encoding") == "gzip"; got != tt.zipped {
				t.Fatalf("compressed: %t, want %t", got, tt.zipped)
			}
			if !tt.zipped {
				return
			}
			body, err := gzip.NewReader(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			if text, err := io.ReadAll(body); err != nil || string(text) != long {
				t.Errorf("%d bytes come out, %v", len(text), err)
			}
		})
	}
}
