package webtest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// A Screen is a page as a person sees it.
type Screen struct {
	Name    string // of its picture
	Address string
	Width   int64 // pixels
	Unfold  bool  // everything that can be unfolded is
}

// Widths are those of the pictures, or only the narrowest, which decides, where
// XNET_SCREENSHOTS names no folder for pictures.
func Widths() []int64 {
	if os.Getenv("XNET_SCREENSHOTS") == "" {
		return []int64{320}
	}
	return []int64{1280, 360, 320}
}

const unfold = `document.querySelectorAll("details").forEach(e => e.open = true)`

// finger is the least side of what is touched, in CSS pixels, half a pixel less
// for rounding: of a finger in a glove, or one that trembles (WCAG 2.2, success
// criterion 2.5.5). A link within a line of text is as high as the line.
const finger = `[...document.querySelectorAll("a[href], button, summary, select, input:not([type=hidden], [hidden])")].map(e => {
	const target = e.matches("[type=checkbox], [type=radio]") && e.closest("label") || e
	const box = target.getBoundingClientRect()
	if (box.width === 0 || box.right < 0 || box.width >= 43.5 && box.height >= 43.5) return ""
	return e.tagName + " " + (e.name || e.textContent).trim() + " " + Math.round(box.width) + "x" + Math.round(box.height)
}).filter(Boolean).join("; ")`

// Look opens a page in the browser of ctx. It fails the test where the page is
// wider than its window, where something to be touched is smaller than a finger
// needs, or where the page shows nothing; and it writes a picture into the folder
// that XNET_SCREENSHOTS names, if it names one.
func Look(ctx context.Context, t *testing.T, s Screen) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(s.Width, 900), chromedp.Navigate(s.Address)); err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	if s.Unfold {
		s.ask(ctx, t, unfold+`, ""`)
	}
	if wide := s.ask(ctx, t, `document.documentElement.scrollWidth > innerWidth ? "is " + document.documentElement.scrollWidth + " wide" : ""`); wide != "" {
		t.Errorf("%s at %d pixels %s", s.Name, s.Width, wide)
	}
	if small := s.ask(ctx, t, finger); small != "" {
		t.Errorf("%s at %d pixels has what a finger misses: %s", s.Name, s.Width, small)
	}
	if strings.TrimSpace(s.ask(ctx, t, `document.querySelector("main").innerText`)) == "" {
		t.Errorf("%s shows nothing", s.Name)
	}
	s.keep(ctx, t)
}

func (s Screen) ask(ctx context.Context, t *testing.T, script string) string {
	t.Helper()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](script))
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	return text
}

func (s Screen) keep(ctx context.Context, t *testing.T) {
	t.Helper()
	folder := os.Getenv("XNET_SCREENSHOTS")
	if folder == "" {
		return
	}
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	if err := os.WriteFile(filepath.Join(folder, s.Name+".png"), picture, 0o600); err != nil {
		t.Fatal(err)
	}
}
