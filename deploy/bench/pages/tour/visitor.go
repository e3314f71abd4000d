package tour

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
)

// Roles of visitors that are no staff; those of staff are written as the demo
// introduces them.
const (
	Tenant = "tenant"
	Nobody = "nobody"
)

// A Visitor is somebody whom the demo introduces.
type Visitor struct {
	Code  string // of the letter; empty for nobody
	Role  string
	About string

	Cookies []*http.Cookie // once signed in
	Pages   []string       // paths, once they were found
}

// patience is how long a page may take.
const patience = time.Minute

// Stranger is somebody who does not sign in.
func Stranger() Visitor { return Visitor{Role: Nobody, About: "nobody is signed in"} }

// Enter signs the visitor in and finds pages by their links, of each kind so many:
// kinds differ in more than numbers. Nothing is changed on the way.
func (v *Visitor) Enter(ctx context.Context, site string, ofEach int) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	root, err := url.Parse(site)
	if err != nil {
		return fmt.Errorf("address %s: %w", site, err)
	}
	w := &walk{client: &http.Client{Jar: jar, Timeout: patience}, site: site, root: root, ofEach: ofEach, seen: map[string]int{}}
	first := []string{"/connexion", "/connexion/lettre", "/connexion/mot-de-passe", "/connexion?fini=1"}
	if v.Code != "" {
		if err := w.signIn(ctx, v.Code); err != nil {
			return fmt.Errorf("sign in as %s: %w", v.About, err)
		}
		first = []string{"/", "/nulle-part"}
	}
	v.Pages, err = w.from(ctx, first...)
	v.Cookies = jar.Cookies(root)
	return err
}

// walk goes from page to page.
type walk struct {
	client *http.Client
	site   string
	root   *url.URL
	ofEach int
	seen   map[string]int // by kind of page
	found  []string
}

func (w *walk) signIn(ctx context.Context, code string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.site+"/connexion", strings.NewReader(url.Values{"code": {code}}.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := w.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if len(w.client.Jar.Cookies(w.root)) == 0 {
		return errors.New("the code opens no visit: start the demo anew")
	}
	return nil
}

var (
	links = regexp.MustCompile(`<a [^>]*href="(/[^"#]*)`)
	// variable is what tells one flat, meter, month or machine from another.
	variable = regexp.MustCompile(`[^/=&?]*[0-9][^/=&?]*`)
	// leaving are links that change what the browser keeps.
	leaving = []string{"/langue/", "/contraste/", "/deconnexion"}
)

var (
	// period is a year, a month, a week or a day: the page of a day, with its hours,
	// is of another kind than that of a month.
	period = regexp.MustCompile(`^[0-9]{4}(-W?[0-9]{2})?(-[0-9]{2})?$`)
	digit  = regexp.MustCompile(`[0-9]`)
)

// kindOf is a path without what differs between pages of a kind. What a query adds
// to a page is looked at once, whichever the period.
func kindOf(path string) string {
	path = html.UnescapeString(path)
	asks := strings.Contains(path, "?")
	return variable.ReplaceAllStringFunc(path, func(part string) string {
		if !asks && period.MatchString(part) {
			return digit.ReplaceAllString(part, "0")
		}
		return "*"
	})
}

// from follows the links of the pages, breadth first.
func (w *walk) from(ctx context.Context, todo ...string) ([]string, error) {
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		if w.seen[kindOf(path)]++; w.seen[kindOf(path)] > w.ofEach || slices.ContainsFunc(leaving, func(p string) bool { return strings.HasPrefix(path, p) }) {
			continue
		}
		page, err := w.page(ctx, path)
		if err != nil {
			return nil, fmt.Errorf("page %s: %w", path, err)
		}
		if page == "" {
			continue
		}
		w.found = append(w.found, path)
		for _, one := range links.FindAllStringSubmatch(page, -1) {
			todo = append(todo, html.UnescapeString(one[1]))
		}
	}
	return w.found, nil
}

// page returns a page's text; empty for files and for pages that lead elsewhere. On
// a busy machine a server may be away for a moment.
func (w *walk) page(ctx context.Context, path string) (text string, err error) {
	err = bench.Within(ctx, patience, func() error { text, err = w.ask(ctx, path); return err })
	return text, err
}

func (w *walk) ask(ctx context.Context, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.site+path, nil)
	if err != nil {
		return "", err
	}
	answer, err := w.client.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	isPage := strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html")
	if !isPage || path != "/" && answer.Request.URL.Path != request.URL.Path {
		return "", nil
	}
	text, err := io.ReadAll(answer.Body)
	if answer.StatusCode >= http.StatusInternalServerError {
		return "", fmt.Errorf("status %d", answer.StatusCode)
	}
	return string(text), err
}
