// Package web is what all pages share: the frame around them, their language,
// formats, charts, style sheet and security headers. Pages need no JavaScript.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
)

//go:embed layout.html chart.html error.html style.css icon.svg language/*/*.yaml
var files embed.FS

// An Advisor is the human whom every page names.
type Advisor struct {
	Name      string `yaml:"name"`
	Telephone string `yaml:"telephone"`
}

// Dial is the telephone number as a link writes it.
func (a Advisor) Dial() string {
	return strings.Map(func(r rune) rune {
		if r == '+' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, a.Telephone)
}

// A Site is the frame of all pages.
type Site struct {
	advisor Advisor
	secure  bool // cookies travel by HTTPS only
	style   asset
	icon    asset

	keepForm func(echo.Context) bool // of [Site.KeepForms]; nil keeps none
}

// NewSite returns the frame with the advisor's name and telephone.
func NewSite(a Advisor, secure bool) (*Site, error) {
	style, err := newAsset("style.css", "text/css; charset=utf-8")
	if err != nil {
		return nil, err
	}
	icon, err := newAsset("icon.svg", "image/svg+xml")
	return &Site{advisor: a, secure: secure, style: style, icon: icon}, err
}

// An asset has its hash in its name, so that browsers may keep it for ever.
type asset struct {
	path, mediaType string
	text            []byte
}

func newAsset(name, mediaType string) (asset, error) {
	text, err := files.ReadFile(name)
	if err != nil {
		return asset{}, fmt.Errorf("asset %s: %w", name, err)
	}
	sum := sha256.Sum256(text)
	base, ending, _ := strings.Cut(name, ".")
	return asset{"/assets/" + base + "." + hex.EncodeToString(sum[:6]) + "." + ending, mediaType, text}, nil
}

func (a asset) serve(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	return c.Blob(http.StatusOK, a.mediaType, a.text)
}

// Register adds the routes of assets and of the switches of language and contrast.
func (s *Site) Register(e *echo.Echo) {
	e.GET(s.style.path, s.style.serve)
	e.GET(s.icon.path, s.icon.serve)
	e.GET("/langue/:language", s.switchLanguage)
	e.GET("/contraste/:contrast", s.switchContrast)
}

// A Chrome is what the frame shows on a page. Every view embeds one.
type Chrome struct {
	Language
	Title     string
	Brand     string // of the pages: a tenant's home, or where the staff work
	Style     string // address of the style sheet
	Icon      string
	Advisor   Advisor
	Answers   bool   // the reader is of those who answer households: told of no one to call
	Person    string // name of who is signed in; empty where nobody is
	FormToken string
	Others    []Switch
	Contrast  bool   // black on white, without shades
	Opposite  Switch // to the other contrast
	Menu      []Link // pages the reader may open; none where nobody is signed in
}

// A Switch is a link to the same page in another language.
type Switch struct{ Code, Name, Link string }

// Chrome returns the frame's view for the sender, with a title from the
// catalogue.
func (s *Site) Chrome(c echo.Context, title string, args ...any) Chrome {
	language := LanguageOf(c)
	ch := Chrome{Language: language, Title: language.T(title, args...), Brand: language.T("site.name"), Style: s.style.path, Icon: s.icon.path, Advisor: s.advisor}
	if session, ok := accounts.Who(c); ok {
		ch.Person, ch.FormToken = session.Person.Name, session.FormToken
		if !atHome(session) {
			ch.Brand, ch.Answers = language.T("site.office"), session.Has(accounts.Advisor)
		}
	}
	ch.Menu = menuFor(c, language)
	ch.Contrast, ch.Opposite = contrastOf(c, language)
	for _, other := range languages {
		if other.code != language.code {
			link := "/langue/" + other.code + "?retour=" + url.QueryEscape(here(c))
			ch.Others = append(ch.Others, Switch{other.code, other.T("language.name"), link})
		}
	}
	return ch
}

// here is the page to come back to: a form that was refused has none of its own.
func here(c echo.Context) string {
	if c.Request().Method != http.MethodGet {
		return c.Request().URL.Path
	}
	return c.Request().URL.RequestURI()
}

const languageCookie = "xnet_langue"

// switchLanguage serves GET /langue/en?retour=/…: back to a page of this site.
func (s *Site) switchLanguage(c echo.Context) error {
	language, ok := ParseLanguage(c.Param("language"))
	if !ok {
		return &problem.Error{Kind: problem.NotFound, Message: "error.not_found"}
	}
	c.SetCookie(&http.Cookie{Name: languageCookie, Value: language.code, Path: "/", MaxAge: 365 * 24 * 3600,
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode})
	return c.Redirect(http.StatusSeeOther, local(c.QueryParam("retour")))
}

// local returns path where it is a page of this site, else the first page: a
// link must not lead a reader elsewhere.
func local(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Opaque != "" ||
		!strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}

// Page is a template together with the type V of the view it shows.
type Page[V any] struct {
	Template *template.Template // exported for the test that checks it against V

	rooms *sync.Pool // of *bytes.Buffer, for pages that are being written
}

// MustPage parses the page of these files within the frame; one of them defines
// "content". It panics on a template that does not parse; call it when the
// program starts.
func MustPage[V any](pages fs.FS, names ...string) Page[V] {
	frame := template.Must(template.New("layout").ParseFS(files, "layout.html", "chart.html"))
	return Page[V]{Template: template.Must(frame.ParseFS(pages, names...)), rooms: &sync.Pool{New: func() any { return new(bytes.Buffer) }}}
}

// Render answers with the page. Nothing is sent where the view does not fit.
func (p Page[V]) Render(c echo.Context, status int, view V) error {
	text := p.rooms.Get().(*bytes.Buffer)
	defer p.rooms.Put(text)
	text.Reset()
	if err := p.Template.ExecuteTemplate(text, "layout", view); err != nil {
		return fmt.Errorf("render: %w", err)
	}
	return c.HTMLBlob(status, text.Bytes())
}

// Secure is middleware that sets the headers which keep others out of a page.
func Secure(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", "default-src 'self'; script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		return next(c)
	}
}
