package resource

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/problem"
)

// ErrStale is what a store returns where the row has another version than the
// one that was to be changed.
var ErrStale = &problem.Error{Kind: problem.Stale, Message: "error.stale"}

// Answer answers with body and its version as ETag (RFC 9110, 8.8.3), or with
// 304 where the sender has that version already.
func Answer(c echo.Context, status int, version int64, body any) error {
	tag := strconv.Quote(strconv.FormatInt(version, 10))
	c.Response().Header().Set("ETag", tag)
	if c.Request().Method == http.MethodGet && matchesAny(c.Request().Header.Get("If-None-Match"), tag) {
		return c.NoContent(http.StatusNotModified)
	}
	return c.JSON(status, body)
}

func matchesAny(header, tag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		if one = strings.TrimPrefix(strings.TrimSpace(one), "W/"); one == tag || one == "*" {
			return true
		}
	}
	return false
}

// Version returns the version that the sender means to change, from If-Match. It
// fails with the problems Unconditional where there is none and Stale where it
// is none of ours.
func Version(c echo.Context) (int64, error) {
	header := strings.TrimSpace(c.Request().Header.Get("If-Match"))
	if header == "" {
		return 0, &problem.Error{Kind: problem.Unconditional, Message: "error.unconditional"}
	}
	text, err := strconv.Unquote(header)
	if err != nil {
		return 0, ErrStale
	}
	version, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, ErrStale
	}
	return version, nil
}
