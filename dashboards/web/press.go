package web

import (
	"bytes"
	"crypto/rand"
	"net/http"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
)

// PressField bears what tells one press of a button from another: a form that is
// sent twice, by a finger that trembles, from Back or by a page loaded again, is one
// press.
const PressField = "envoi"

// Press is the mark of a form that is shown, another for each.
func (Chrome) Press() string { return NewPress() }

// NewPress draws a mark.
func NewPress() string { return rand.Text() }

// Bounds of what is remembered: the presses of a day of a large workshop, the
// longest mark, and the largest answer.
const (
	mostPresses = 2000
	longestMark = 64
	mostAnswer  = 256 << 10
)

// Once answers the second of two equal presses as the first was answered, without
// doing again what it asks for; a press that was refused may be repeated. Answers
// are kept in memory alone, and given to nobody else. It stands behind the guard of
// a route, and behind the bound of what may be sent there; several routes may share
// it.
func Once() echo.MiddlewareFunc {
	p := &presses{}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			session, known := accounts.Who(c)
			mark := c.FormValue(PressField)
			if !known || mark == "" || len(mark) > longestMark || accounts.CheckForm(c) != nil {
				return next(c)
			}
			one := p.of(press{session.Person.ID, c.Request().URL.Path, mark})
			one.turn.Lock()
			defer one.turn.Unlock()
			return one.serve(c, next)
		}
	}
}

// A press is of one form, so that two forms of a page never pass for each other.
type press struct {
	person     accounts.PersonID
	path, mark string
}

// presses remembers how each press was answered.
type presses struct {
	turn  sync.Mutex
	led   map[press]*pressed
	order []press // the oldest first
}

// A pressed is held while a press is served, so that the second of two waits.
type pressed struct {
	turn   sync.Mutex
	status int // 0 until it was answered well
	header http.Header
	body   []byte
}

func (p *presses) of(one press) *pressed {
	p.turn.Lock()
	defer p.turn.Unlock()
	if p.led == nil {
		p.led = map[press]*pressed{}
	}
	if p.led[one] == nil {
		p.led[one] = &pressed{}
		if p.order = append(p.order, one); len(p.order) > mostPresses {
			delete(p.led, p.order[0])
			p.order = p.order[1:]
		}
	}
	return p.led[one]
}

// serve answers the press, or as it was answered before.
func (p *pressed) serve(c echo.Context, next echo.HandlerFunc) error {
	answer := c.Response()
	if p.status != 0 {
		for _, name := range []string{echo.HeaderLocation, echo.HeaderContentType, "Cache-Control"} {
			if text := p.header.Get(name); text != "" {
				answer.Header().Set(name, text)
			}
		}
		answer.WriteHeader(p.status)
		_, err := answer.Write(p.body)
		return err
	}
	heard := &listener{ResponseWriter: answer.Writer}
	answer.Writer = heard
	defer func() { answer.Writer = heard.ResponseWriter }()
	err := next(c)
	if err == nil && answer.Committed && answer.Status < http.StatusBadRequest && heard.body.Len() <= mostAnswer {
		p.status, p.header, p.body = answer.Status, answer.Header().Clone(), heard.body.Bytes()
	}
	return err
}

// A listener passes an answer on and keeps its text.
type listener struct {
	http.ResponseWriter
	body bytes.Buffer
}

// Write implements [http.ResponseWriter].
func (l *listener) Write(b []byte) (int, error) {
	if l.body.Len() <= mostAnswer {
		l.body.Write(b)
	}
	return l.ResponseWriter.Write(b)
}

// Unwrap gives what is below, as [http.ResponseController] wants.
func (l *listener) Unwrap() http.ResponseWriter { return l.ResponseWriter }
