package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// An answer is how the store answers for a while instead of InfluxDB.
type answer struct {
	kind string
	// meter is the one whose points a partial write leaves out.
	meter metering.MeterID
	over  chan struct{} // closed when the fault is
}

// The kinds of answer.
const (
	answerPartial = "400 partial" // keeps all points but those of one meter
	answerDenied  = "401"
	answerLarge   = "413" // to a write of more than most bytes
	answerMany    = "429"
	answerAway    = "503"
	answerHang    = "hangs"
	// The write is kept, and the answer says that it is not, or does not come.
	answerKeptAway = "503 after the write"
	answerKeptHang = "hangs after the write"
)

var answers = []string{answerPartial, answerDenied, answerLarge, answerMany, answerAway, answerHang, answerKeptAway, answerKeptHang}

const mostBytes = 8 << 10

// A front stands before InfluxDB and answers for it now and then.
type front struct {
	addr   string
	proxy  *httputil.ReverseProxy
	server *http.Server
	now    atomic.Pointer[answer]
	hits   atomic.Int64 // requests that were answered here
}

func newFront(influx string) (*front, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("front of influxdb: %w", err)
	}
	f := &front{addr: listener.Addr().String(), proxy: httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: influx})}
	f.proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) } // as if nobody stood between
	f.proxy.ErrorLog = log.New(io.Discard, "", 0)                                                          // broken connections are what this is for
	f.server = &http.Server{Handler: f, ErrorLog: f.proxy.ErrorLog}
	go func() { _ = f.server.Serve(listener) }()
	return f, nil
}

func (f *front) close() { _ = f.server.Close() }

// answerWith lets the store answer so until heal is called.
func (f *front) answerWith(kind string, meter metering.MeterID) (heal func() error) {
	a := &answer{kind: kind, meter: meter, over: make(chan struct{})}
	f.now.Store(a)
	return sync.OnceValue(func() error { f.now.Store(nil); close(a.over); return nil })
}

// ServeHTTP implements [http.Handler].
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	// A proxy that answers while it still looks whether more of the request comes
	// breaks the connection by itself, now and then.
	r.Body = io.NopCloser(bytes.NewReader(body))
	a := f.now.Load()
	write := strings.HasSuffix(r.URL.Path, "/write")
	if a == nil || a.kind == answerPartial && !write || a.kind == answerLarge && r.ContentLength <= mostBytes {
		f.proxy.ServeHTTP(w, r)
		return
	}
	f.hits.Add(1)
	switch a.kind {
	case answerPartial:
		f.partial(w, r, a)
	case answerHang:
		a.hang(r.Context())
	case answerKeptAway, answerKeptHang:
		f.proxy.ServeHTTP(silent{header: http.Header{}}, r)
		if a.kind == answerKeptHang {
			a.hang(r.Context())
		}
		refuse(w, http.StatusServiceUnavailable, "the answer was lost on its way")
	default:
		f.refuseAs(w, a.kind)
	}
}

func (f *front) refuseAs(w http.ResponseWriter, kind string) {
	switch kind {
	case answerDenied:
		refuse(w, http.StatusUnauthorized, "authorization failed")
	case answerLarge:
		refuse(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
	case answerMany:
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusTooManyRequests, "too many writes")
	default:
		refuse(w, http.StatusServiceUnavailable, "timeout")
	}
}

// refuse answers as InfluxDB 1.8 does: with its words in a header and the body.
func refuse(w http.ResponseWriter, status int, words string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Influxdb-Error", words)
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":%q}`+"\n", words)
}

// hang gives no answer until the fault is over or the caller leaves, and then
// breaks the connection.
func (a *answer) hang(ctx context.Context) {
	select {
	case <-a.over:
	case <-ctx.Done():
	}
	panic(http.ErrAbortHandler)
}

// partial keeps all lines but those of one meter's readings, and says what
// InfluxDB says of a point whose field has another type.
func (f *front) partial(w http.ResponseWriter, r *http.Request, a *answer) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	mark := []byte("reading,meter=" + string(a.meter) + " ")
	var kept []byte
	dropped := 0
	for line := range bytes.Lines(body) {
		if bytes.HasPrefix(line, mark) {
			dropped++
		} else {
			kept = append(kept, line...)
		}
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(kept)), int64(len(kept))
	if dropped == 0 {
		f.proxy.ServeHTTP(w, r)
		return
	}
	if len(kept) > 0 {
		through := silent{header: http.Header{}, status: new(int)}
		f.proxy.ServeHTTP(through, r)
		if *through.status/100 != 2 {
			refuse(w, http.StatusServiceUnavailable, "timeout")
			return
		}
	}
	refuse(w, http.StatusBadRequest, fmt.Sprintf("partial write: field type conflict: input field \"index\" on measurement \"reading\" "+
		"is type integer, already exists as type float dropped=%d", dropped))
}

// silent takes an answer that nobody hears.
type silent struct {
	header http.Header
	status *int
}

func (s silent) Header() http.Header         { return s.header }
func (s silent) Write(b []byte) (int, error) { return len(b), nil }
func (s silent) WriteHeader(status int) {
	if s.status != nil {
		*s.status = status
	}
}
