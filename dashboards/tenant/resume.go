package tenant

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

// Bounds of what is kept of forms that came after their visit was over.
const (
	keptFor    = 15 * time.Minute
	mostKept   = 1000
	mostOfForm = 16 << 10 // bytes
)

// resumePath is where a kept form waits for its person.
const resumePath = "/reprise"

// A keptForm is what somebody typed when their visit was over. It is kept in memory
// alone, and nobody else is shown it. One that was sent is shown no more; where it
// went is kept, so that a second press of its button goes there too.
type keptForm struct {
	path   string
	fields url.Values
	until  time.Time
	sent   bool
}

// keptForms are the forms that wait, the last of each person.
type keptForms struct {
	mu sync.Mutex
	of map[accounts.PersonID]keptForm
}

// keep keeps the form; the oldest make room.
func (k *keptForms) keep(person accounts.PersonID, f keptForm, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.of == nil {
		k.of = map[accounts.PersonID]keptForm{}
	}
	for other, old := range k.of {
		if !now.Before(old.until) {
			delete(k.of, other)
		}
	}
	if _, again := k.of[person]; again || len(k.of) < mostKept {
		k.of[person] = f
	}
}

// waiting returns the person's form that was not sent.
func (k *keptForms) waiting(person accounts.PersonID, now time.Time) (keptForm, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f, ok := k.of[person]
	return f, ok && !f.sent && now.Before(f.until)
}

// send marks the person's form as sent and returns where it goes.
func (k *keptForms) send(person accounts.PersonID, now time.Time) (path string, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f, ok := k.of[person]
	if !ok || !now.Before(f.until) {
		return "", false
	}
	k.of[person] = keptForm{path: f.path, until: f.until, sent: true}
	return f.path, true
}

// drop forgets the person's form.
func (k *keptForms) drop(person accounts.PersonID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.of, person)
}

// secrets are fields whose words are not kept, wherever they stand; pages on which
// passwords are set keep nothing at all.
var secrets = []string{"mot-de-passe", "code"}

// keepForm keeps a form that came after its visit was over, for the person whose
// visit it was. It reports whether it did.
func (h *Entrance) keepForm(c echo.Context) bool {
	r := c.Request()
	if r.Method != http.MethodPost || r.ContentLength > mostOfForm || strings.HasPrefix(r.URL.Path, web.SignInPath) || strings.Contains(r.URL.Path, "mot-de-passe") {
		return false
	}
	person, ok := h.door.Former(c)
	if !ok || r.ParseForm() != nil {
		return false
	}
	fields := url.Values{}
	for name, typed := range r.PostForm {
		if name != accounts.FormField && !slices.Contains(secrets, name) {
			fields[name] = typed
		}
	}
	h.kept.keep(person, keptForm{path: r.URL.RequestURI(), fields: fields, until: h.now().Add(keptFor)}, h.now())
	return true
}

// A keptField is one of a kept form, as it is sent again and, where somebody typed
// or chose it, as it is shown.
type keptField struct {
	Name, Text string
	Shown      bool
}

// unseen are fields that nobody sees on the form either: marks, versions, and what
// the form is about.
var unseen = []string{web.PressField, seenField, "version", "texte", "foyer", "residence", "ligne", "fuite", "personne", "mandat", "cle"}

type resumeView struct {
	web.Chrome
	Fields []keptField
}

// leaveField is the button that sends nothing.
const leaveField = "laisser"

var resumePage = web.MustPage[resumeView](templates, "templates/resume.html")

// resume serves GET /reprise: what was typed when the visit was over, to be sent
// now or left. Where nothing waits it leads to the first page.
func (h *Entrance) resume(c echo.Context) error {
	session, _ := accounts.Who(c)
	form, ok := h.kept.waiting(session.Person.ID, h.now())
	if !ok {
		return c.Redirect(http.StatusSeeOther, "/")
	}
	view := resumeView{Chrome: h.site.Chrome(c, "resume.title")}
	for name, typed := range form.fields {
		for _, text := range typed {
			view.Fields = append(view.Fields, keptField{name, text, text != "" && !slices.Contains(unseen, name)})
		}
	}
	slices.SortStableFunc(view.Fields, func(a, b keptField) int { return strings.Compare(a.Name, b.Name) })
	c.Response().Header().Set("Cache-Control", "no-store")
	return resumePage.Render(c, http.StatusOK, view)
}

// resumed serves POST /reprise: the form goes where it was on its way to, and waits
// no more; or it is left.
func (h *Entrance) resumed(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	session, _ := accounts.Who(c)
	if c.FormValue(leaveField) != "" {
		h.kept.drop(session.Person.ID)
		return c.Redirect(http.StatusSeeOther, "/")
	}
	path, ok := h.kept.send(session.Person.ID, h.now())
	if !ok {
		return c.Redirect(http.StatusSeeOther, "/")
	}
	return c.Redirect(http.StatusTemporaryRedirect, path) // the browser sends the same form there
}
