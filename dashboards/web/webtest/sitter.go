package webtest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/xnetroseraie/xnet/internal/testkit"
)

// A Sitter sits before a real browser and uses only what a person sees: the words
// of links, buttons and labels, headings, and the keyboard.
type Sitter struct {
	Context context.Context // of the browser
	T       *testing.T
	URL     string // of the site

	way Way // how pages are used
}

// patience is how long a person waits for what they look for.
const patience = 60 * time.Second

// Sit signs in with the code of a letter, in a browser of its own.
func Sit(t *testing.T, url, code string) *Sitter {
	t.Helper()
	p := SitAt(t, url, "/connexion")
	p.Press("Votre code")
	p.Types(code + "\n")
	return p
}

// SitAt opens a page of a site in a browser of its own; nobody is signed in.
func SitAt(t *testing.T, url, path string) *Sitter {
	t.Helper()
	return &Sitter{Context: testkit.Browser(t, url+path), T: t, URL: url}
}

// found is what can be pressed, by its words.
const found = `(words => [...document.querySelectorAll("a, button, summary, label")].find(e =>
	e.innerText.replace(/\s+/g, " ").trim().startsWith(words) && e.getClientRects().length > 0))`

// Press clicks on what bears these words, or comes to it with the keyboard; a label
// leads to its field.
func (p *Sitter) Press(words string) {
	p.T.Helper()
	p.press(fmt.Sprintf(`%s(%s)`, found, strconv.Quote(words)), strconv.Quote(words))
}

// PressUnder presses what begins with these words below a heading; of several, as
// a line that was unfolded and the button in it, the last.
func (p *Sitter) PressUnder(heading, words string) {
	p.T.Helper()
	p.press(fmt.Sprintf(`((heading, words) => {
	const says = e => e.innerText.replace(/\s+/g, " ").trim()
	const under = [...document.querySelectorAll("section")].find(s => [...s.querySelectorAll("h2, h3")].some(h => says(h).startsWith(heading)))
	const found = under ? [...under.querySelectorAll("a, button, summary, label")].filter(e => says(e).startsWith(words) && e.getClientRects().length > 0) : []
	return found[found.length - 1]
})(%s, %s)`, strconv.Quote(heading), strconv.Quote(words)), fmt.Sprintf("%q below %q", words, heading))
}

// Answer chooses an answer of the question that bears these words.
func (p *Sitter) Answer(question, answer string) {
	p.T.Helper()
	p.press(fmt.Sprintf(`((question, answer) => {
	const says = e => e.innerText.replace(/\s+/g, " ").trim()
	const set = [...document.querySelectorAll("fieldset")].find(e => says(e.querySelector("legend")) === question && e.getClientRects().length > 0)
	return set && [...set.querySelectorAll("label")].find(e => says(e).startsWith(answer))
})(%s, %s)`, strconv.Quote(question), strconv.Quote(answer)), fmt.Sprintf("%q, asked %q", answer, question))
}

// press presses what a script finds.
func (p *Sitter) press(element, told string) {
	p.T.Helper()
	if p.way.Keyboard {
		p.pressByKeyboard(element, told)
		return
	}
	script := fmt.Sprintf(`(() => { const e = %s; if (!e) return "nothing says"; const cover = %s(e); if (cover) return cover; e.click(); if (e.control && e.control.select) e.control.select(); return "" })()`, element, uncovered)
	p.eventually(func() error {
		if missing := p.Ask(script); missing != "" {
			return fmt.Errorf("%s: %s", missing, told)
		}
		return nil
	})
}

// Types writes where the keyboard is; a line's end is the Enter key.
func (p *Sitter) Types(text string) {
	p.T.Helper()
	if err := chromedp.Do(p.Context, chromedp.KeyEvent(strings.ReplaceAll(text, "\n", "\r"))); err != nil {
		p.T.Fatal(err)
	}
}

// Fill writes into the field of a label, and once more where the page was still on
// its way; a line's end at the end of the text is the Enter key.
func (p *Sitter) Fill(label, text string) {
	p.T.Helper()
	typed, entered := strings.CutSuffix(text, "\n")
	field := fmt.Sprintf(`%s(%s)`, found, strconv.Quote(label))
	p.eventually(func() error {
		if p.way.Keyboard {
			if err := p.reach(field, label); err != nil {
				return err
			}
		} else if at := p.Ask(`(() => { const e = ` + field + `; if (!e || !e.control) return ""; e.control.focus(); e.control.select(); return "there" })()`); at == "" {
			return fmt.Errorf("no field is called %q", label)
		}
		p.Types(typed)
		if got := p.Ask(`(() => { const e = ` + field + `; return e && e.control ? e.control.value : "" })()`); got != typed {
			return fmt.Errorf("%s holds %q", label, got)
		}
		return nil
	})
	if entered {
		p.Types("\n")
	}
}

// Reads waits until the page shows the words.
func (p *Sitter) Reads(words ...string) {
	p.T.Helper()
	p.eventually(func() error {
		page := p.Page()
		for _, one := range words {
			if !strings.Contains(page, one) {
				return fmt.Errorf("the page does not say %q", one)
			}
		}
		return nil
	})
}

// Misses fails the test where the page shows one of the words. It does not wait:
// read first what the page that is meant shows.
func (p *Sitter) Misses(words ...string) {
	p.T.Helper()
	page := p.Page()
	for _, one := range words {
		if strings.Contains(page, one) {
			p.T.Errorf("the page says %q", one)
		}
	}
}

// Page is all that the page shows, with plain spaces.
func (p *Sitter) Page() string {
	return strings.Join(strings.Fields(p.Ask(`document.body.innerText`)), " ")
}

// Goes opens a page of the site, as from a bookmark.
func (p *Sitter) Goes(path string) {
	p.T.Helper()
	if err := chromedp.Do(p.Context, chromedp.Navigate(p.URL+path)); err != nil {
		p.T.Fatal(err)
	}
}

// Ask runs a script that returns a text; empty while a page is on its way.
func (p *Sitter) Ask(script string) string {
	p.T.Helper()
	text, err := chromedp.Run(p.Context, chromedp.Evaluate[string](script))
	if err != nil {
		return ""
	}
	return text
}

func (p *Sitter) eventually(check func() error) {
	p.T.Helper()
	testkit.Eventually(p.T, patience, check)
}
