package web_test

import (
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
)

// TestOnce: one press is served once, however often it comes and at once; another
// press, another person's, and one that was refused are served anew.
func TestOnce(t *testing.T) {
	var served atomic.Int64
	setting := webtest.Setting{Now: time.Now, Visit: time.Hour, Persons: []accounts.Person{{ID: "P1", Name: "Rose", Language: "fr"}, {ID: "P2", Name: "Paul", Language: "fr"}}}
	site := webtest.Open(t, setting, func(e *echo.Echo, s *webtest.Site) {
		e.POST("/enter", func(c echo.Context) error { return s.Door.Enter(c, c.FormValue("code")) })
		e.GET("/form", func(c echo.Context) error {
			session, _ := accounts.Who(c)
			return c.HTML(http.StatusOK, `<input name="jeton" value="`+session.FormToken+`">`)
		}, accounts.Anyone(accounts.NoScope))
		e.POST("/do", func(c echo.Context) error {
			n := strconv.FormatInt(served.Add(1), 10)
			if c.FormValue("wrong") != "" {
				return c.HTML(http.StatusUnprocessableEntity, n)
			}
			if c.FormValue("leads") != "" {
				return c.Redirect(http.StatusSeeOther, "/done/"+n)
			}
			return c.HTML(http.StatusOK, n)
		}, accounts.Anyone(accounts.NoScope), web.Once())
	})
	enter := func(person accounts.PersonID) func(pairs ...string) webtest.Answer {
		b := site.Browser(t)
		b.Send("/enter", url.Values{"code": {site.Invite(t, person)}})
		token := webtest.Token(t, b.Get("/form").Page)
		return func(pairs ...string) webtest.Answer {
			form := url.Values{accounts.FormField: {token}}
			for i := 0; i < len(pairs); i += 2 {
				form.Set(pairs[i], pairs[i+1])
			}
			return b.Send("/do", form)
		}
	}
	rose, paul := enter("P1"), enter("P2")
	want := func(name string, got webtest.Answer, status int, page, to string) {
		t.Helper()
		if got.Status != status || got.Page != page || got.To != to {
			t.Errorf("%s: %d %q to %q, want %d %q to %q", name, got.Status, got.Page, got.To, status, page, to)
		}
	}
	want("a press", rose(web.PressField, "a"), 200, "1", "")
	want("the same", rose(web.PressField, "a"), 200, "1", "")
	want("another", rose(web.PressField, "b"), 200, "2", "")
	want("another person's", paul(web.PressField, "a"), 200, "3", "")
	want("one that leads on", rose(web.PressField, "c", "leads", "1"), 303, "", "/done/4")
	want("the same", rose(web.PressField, "c", "leads", "1"), 303, "", "/done/4")
	want("a refused one", rose(web.PressField, "d", "wrong", "1"), 422, "5", "")
	want("mended", rose(web.PressField, "d"), 200, "6", "")
	want("without a mark", rose(), 200, "7", "")
	want("the same", rose(), 200, "8", "")
	want("with a wrong token", rose(web.PressField, "a", accounts.FormField, "x"), 200, "9", "") // the route's own check decides
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { want("at once", rose(web.PressField, "e"), 200, "10", "") })
	}
	all.Wait()
	if n := served.Load(); n != 10 {
		t.Errorf("served %d times", n)
	}
}
