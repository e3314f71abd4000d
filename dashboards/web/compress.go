package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
)

// gzipLevel is where more work saves a page no more than a twentieth.
const gzipLevel = 5

// compressible are the media types that gzip makes smaller. Papers and
// spreadsheets are compressed already.
var compressible = []string{"text/html", "text/css", "image/svg+xml"}

// Compress is middleware that sends pages, the style sheet and the icon with gzip
// to browsers that take it. It stands before whatever answers, faults included.
//
// Lengths tell of what is within, to who can make a browser ask often and sees
// only how long the answers are (BREACH). So what another site's page asked for
// travels as it is, and what must not be guessed is masked in every answer: see
// the form tokens of package accounts.
func Compress() echo.MiddlewareFunc {
	writers := &sync.Pool{New: func() any { w, _ := gzip.NewWriterLevel(io.Discard, gzipLevel); return w }}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Response().Header().Add(echo.HeaderVary, echo.HeaderAcceptEncoding)
			if !takesGzip(c.Request()) || fromElsewhere(c.Request()) {
				return next(c)
			}
			sender := &compressor{ResponseWriter: c.Response().Writer, writers: writers}
			c.Response().Writer = sender
			defer func() {
				sender.end()
				c.Response().Writer = sender.ResponseWriter
			}()
			return next(c)
		}
	}
}

// takesGzip reports whether the browser asks for gzip and does not refuse it
// (RFC 9110, 12.5.3).
func takesGzip(r *http.Request) bool {
	for one := range strings.SplitSeq(r.Header.Get(echo.HeaderAcceptEncoding), ",") {
		coding, weight, weighed := strings.Cut(strings.ReplaceAll(one, " ", ""), ";q=")
		if !strings.EqualFold(coding, "gzip") {
			continue
		}
		q, err := strconv.ParseFloat(weight, 64)
		return !weighed || err == nil && q > 0
	}
	return false
}

// fromElsewhere reports whether a page of another site made the browser ask
// (Fetch Metadata, 2.3).
func fromElsewhere(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "cross-site" || site == "same-site"
}

// A compressor decides by the answer's head whether its body is worth it.
type compressor struct {
	http.ResponseWriter
	writers *sync.Pool
	zip     *gzip.Writer // nil where the answer goes as it is
	begun   bool
}

// WriteHeader sends the head, with the coding where there will be a body.
func (z *compressor) WriteHeader(status int) {
	h := z.Header()
	bodiless := status < 200 || status == http.StatusNoContent || status == http.StatusNotModified
	if !z.begun && !bodiless && worth(h.Get(echo.HeaderContentType)) && h.Get(echo.HeaderContentEncoding) == "" {
		h.Set(echo.HeaderContentEncoding, "gzip")
		h.Del(echo.HeaderContentLength)
		z.zip = z.writers.Get().(*gzip.Writer)
		z.zip.Reset(z.ResponseWriter)
	}
	z.begun = z.begun || status >= 200
	z.ResponseWriter.WriteHeader(status)
}

func worth(mediaType string) bool {
	for _, one := range compressible {
		if strings.HasPrefix(mediaType, one) {
			return true
		}
	}
	return false
}

// Write sends a part of the body.
func (z *compressor) Write(b []byte) (int, error) {
	if !z.begun {
		z.WriteHeader(http.StatusOK)
	}
	if z.zip != nil {
		return z.zip.Write(b)
	}
	return z.ResponseWriter.Write(b)
}

// Flush sends what was written so far.
func (z *compressor) Flush() {
	if z.zip != nil {
		_ = z.zip.Flush() // the next write says the same
	}
	_ = http.NewResponseController(z.ResponseWriter).Flush()
}

// Unwrap is for [http.ResponseController].
func (z *compressor) Unwrap() http.ResponseWriter { return z.ResponseWriter }

// end completes the body. Whoever reads it may have left: then nobody is told.
func (z *compressor) end() {
	if z.zip == nil {
		return
	}
	_ = z.zip.Close()
	z.zip.Reset(io.Discard)
	z.writers.Put(z.zip)
	z.zip = nil
}
