package workshop

import (
	"crypto/rand"
	"net/http"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
)

// pressField bears what tells one press of a button from another: a form that is
// sent twice, by a finger that trembles or a page loaded again, is one press.
const pressField = "envoi"

// mostPresses is how many are remembered: those of a day of a large workshop.
const mostPresses = 2000

// presses remembers where each press led. The zero value is ready.
type presses struct {
	turn  sync.Mutex
	led   map[press]*pressed
	order []press // the oldest first
}

// A press is of one form, so that two forms of a page never pass for each other.
type press struct {
	person     accounts.PersonID
	path, mark string
}

// A pressed is held while a press is served, so that the second of two waits and
// finds where the first led.
type pressed struct {
	turn sync.Mutex
	next string // empty where it was refused: then it may be pressed again
}

// once does what a form asks for unless the same press did it before, and returns
// where to go on.
func (p *presses) once(c echo.Context, do func() (string, error)) (next string, err error) {
	mark := c.FormValue(pressField)
	if mark == "" || len(mark) > 64 {
		return do()
	}
	one := p.of(press{who(c), c.Request().URL.Path, mark})
	one.turn.Lock()
	defer one.turn.Unlock()
	if one.next == "" {
		one.next, err = do()
	}
	return one.next, err
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

// newPress is the mark of a form that is shown.
func newPress() option { return option{ID: pressField, Name: rand.Text()} }

// send serves the POST of a form: it does what the form asks and leads on. What a
// person can mend is said by again, on the page that the form stands on.
func (h *Handler) send(c echo.Context, do func() (string, error), again func(*problem.Error) error) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	next, err := h.presses.once(c, do)
	if err == nil {
		return c.Redirect(http.StatusSeeOther, next)
	}
	p := problem.Of(err)
	switch p.Kind {
	case problem.Invalid, problem.Conflict, problem.Stale:
		c.Response().Header().Set("Cache-Control", "no-store")
		return again(p)
	default:
		return err
	}
}
