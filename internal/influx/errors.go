package influx

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	api "github.com/influxdata/influxdb-client-go/v2/api/http"
)

// Reasons why a call failed. Test with [errors.Is].
var (
	// ErrTemporary: InfluxDB was away, busy or wrongly set up; the same call can
	// succeed later.
	ErrTemporary = errors.New("influxdb cannot answer now")
	// ErrRejected: InfluxDB refuses what was written, wholly or in part, and
	// will refuse it again.
	ErrRejected = errors.New("influxdb rejects")
	// ErrTooLarge: InfluxDB takes no write of that size. Such an error is an
	// ErrRejected too, unless what was written can be parted.
	ErrTooLarge = errors.New("write is too large")
	// ErrDenied: the token is missing or wrong. Such an error is temporary too,
	// since the readings are not at fault.
	ErrDenied = errors.New("check the token in influx.token_file and its rights")
	// ErrAbsent: InfluxDB does not know the bucket. Such an error is temporary:
	// [Client.SetUp] makes it.
	ErrAbsent = errors.New("bucket does not exist")
	// ErrShortens: the configuration keeps less than a bucket keeps now.
	ErrShortens = errors.New("retention would be shortened")
)

// classify adds to an error of the client library whether it is temporary, and
// what the server said. Errors of the context stay recognisable.
func classify(err error) error {
	if err == nil {
		return nil
	}
	var answer *api.Error
	if !errors.As(err, &answer) || answer.StatusCode == 0 {
		return fmt.Errorf("%w: %w", ErrTemporary, err)
	}
	return statusError(answer.StatusCode, said(answer))
}

func statusError(code int, text string) error {
	switch code {
	case http.StatusRequestEntityTooLarge:
		return fmt.Errorf("%w: %w: status %d: %s", ErrRejected, ErrTooLarge, code, text)
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return fmt.Errorf("%w: status %d: %s", ErrRejected, code, text)
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w: %w: status %d: %s", ErrTemporary, ErrDenied, code, text)
	case http.StatusNotFound:
		return fmt.Errorf("%w: %w: status %d: %s", ErrTemporary, ErrAbsent, code, text)
	default:
		return fmt.Errorf("%w: status %d: %s", ErrTemporary, code, text)
	}
}

// said returns the server's own words: 1.8 puts them in a header, because its
// body has another form than the library expects.
func said(e *api.Error) string {
	if text := e.Header.Get("X-Influxdb-Error"); text != "" {
		return text
	}
	return e.Error()
}

// saidError is what InfluxDB 1.8 says within an answer.
func saidError(text string) error {
	if strings.HasPrefix(text, "database not found") {
		return fmt.Errorf("%w: %w: %s", ErrTemporary, ErrAbsent, text)
	}
	return fmt.Errorf("%w: %s", ErrTemporary, text)
}
