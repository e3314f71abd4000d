package webtest

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A Way is how somebody uses pages. The zero Way is a mouse before a wide screen.
type Way struct {
	Name     string
	Width    int64   // of the window in CSS pixels; 1280 for 0
	Scale    float64 // of the screen, which a zoom of 200 % doubles
	Keyboard bool    // nothing is clicked on: Tab, arrows, space bar and Enter alone
	NoScript bool    // the browser runs no JavaScript
}

// Ways are those in which every task must be possible: WCAG 2.2, 2.1.1 (keyboard),
// 1.4.4 (200 % of 1280 pixels leave 640) and 1.4.10 (320 pixels), and without
// JavaScript.
func Ways() []Way {
	return []Way{{Name: "keyboard", Keyboard: true}, {Name: "no JavaScript", NoScript: true}, {Name: "zoom of 200 %", Width: 640, Scale: 2}, {Name: "320 pixels", Width: 320}}
}

// Uses lets the sitter use pages in a way from now on.
func (p *Sitter) Uses(w Way) {
	p.T.Helper()
	if w.Width == 0 {
		w.Width = 1280
	}
	p.way = w
	err := chromedp.Do(p.Context, chromedp.EmulateViewport(w.Width, 900, chromedp.EmulateScale(max(1, w.Scale))))
	if err == nil {
		_, err = chromedp.Call(p.Context, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: w.NoScript})
	}
	if err == nil { // a window without a screen never has the keyboard of its own accord
		_, err = chromedp.Call(p.Context, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	}
	if err != nil {
		p.T.Fatalf("%s: %v", w.Name, err)
	}
}

// Fits fails the test where the page is wider than its window: nobody should have
// to push a page to and fro to read a line.
func (p *Sitter) Fits() {
	p.T.Helper()
	if wide := p.Ask(tooWide); wide != "" {
		p.T.Errorf("%s at %d pixels", wide, p.way.Width)
	}
}

// sheetWidth is what A4 leaves between margins of 14 mm, in CSS pixels: 96 an inch.
const sheetWidth = 688

// Prints fails the test where paper would lack one of the words, or cut the page:
// A4, however wide the window is.
func (p *Sitter) Prints(words ...string) {
	p.T.Helper()
	media := func(of string, width int64, scale float64) {
		err := chromedp.Do(p.Context, chromedp.EmulateViewport(width, 900, chromedp.EmulateScale(max(1, scale))))
		if err == nil {
			_, err = chromedp.Call(p.Context, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: of})
		}
		if err != nil {
			p.T.Fatal(err)
		}
	}
	media("print", sheetWidth, 1)
	defer media("", cmp.Or(p.way.Width, 1280), p.way.Scale)
	p.Reads(words...)
	if wide := p.Ask(tooWide); wide != "" {
		p.T.Errorf("on paper %s; A4 has %d pixels", wide, sheetWidth)
	}
}

// tooWide says how wide a page is that is wider than its window.
const tooWide = `document.documentElement.scrollWidth > innerWidth ? document.title + " is " + document.documentElement.scrollWidth + " wide" : ""`

// keyboardAt says where the keyboard is: "there" at what is wanted, "choices" at
// another choice of its question, else what else.
const keyboardAt = `(wanted => {
	const at = document.activeElement
	if (!wanted) return "nothing"
	if (at === wanted || wanted.control && at === wanted.control) {
		const box = (at.matches("[type=radio], [type=checkbox]") && at.closest("label") || at).getBoundingClientRect(), style = getComputedStyle(at)
		const ring = [at, at.closest("label")].some(e => e && (getComputedStyle(e).outlineStyle !== "none" || getComputedStyle(e).boxShadow !== "none"))
		return box.width > 0 && ring ? "there" : "unseen " + style.outlineStyle
	}
	return at.type === "radio" && wanted.control && wanted.control.name === at.name && wanted.control.form === at.form ? "choices" : "elsewhere"
})`

// mostStops is how many Tabs somebody takes before they give up.
const mostStops = 300

// reach brings the keyboard to what a script finds.
func (p *Sitter) reach(element, told string) error {
	script := keyboardAt + "(" + element + ")"
	for range mostStops {
		switch at := p.Ask(script); {
		case at == "there":
			return nil
		case at == "nothing":
			return fmt.Errorf("nothing says %s", told)
		case strings.HasPrefix(at, "unseen"):
			return fmt.Errorf("the keyboard is at %s, and it cannot be seen: %s", told, at)
		case at == "choices":
			p.Types(kb.ArrowDown)
		default:
			p.Types("\t")
		}
	}
	return errors.New("the keyboard does not reach " + told)
}

// pressByKeyboard reaches what a script finds and presses it.
func (p *Sitter) pressByKeyboard(element, told string) {
	p.T.Helper()
	p.eventually(func() error { return p.reach(element, told) })
	switch p.Ask(`document.activeElement.tagName + " " + document.activeElement.type`) {
	case "INPUT checkbox":
		p.Types(" ")
	case "INPUT radio": // reached is chosen, but for one that stands alone
		if p.Ask(`document.activeElement.checked ? "yes" : ""`) == "" {
			p.Types(" ")
		}
	case "A ", "BUTTON submit", "SUMMARY undefined", "BUTTON button":
		p.Types("\n")
	}
}

// uncovered is a script that says what hides something, "" for nothing.
const uncovered = `(e => {
	if (!e || e.control) return ""
	e.scrollIntoView({block: "center"})
	const box = e.getClientRects()[0], x = box.left + Math.min(box.width / 2, 40), y = box.top + box.height / 2
	const top = document.elementFromPoint(x, y)
	return top && (e.contains(top) || top.contains(e)) ? "" : "hidden by " + (top ? top.outerHTML.slice(0, 80) : "the window's edge")
})`

// As is the same person, seen by a part of the test.
func (p *Sitter) As(t *testing.T) *Sitter {
	again := *p
	again.T = t
	return &again
}
