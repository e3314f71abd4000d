package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/xnetroseraie/xnet/deploy/bench/pages/tour"
)

type commands struct {
	Out       string   `help:"Folder of the pictures." default:"var/screenshots" type:"path"`
	Dir       string   `help:"Folder of the demo; a new one that is thrown away unless given." type:"path"`
	Months    int      `help:"How many months of history the demo has." default:"13"`
	OfEach    int      `help:"How many pages of each kind, as one meter's and another's." default:"1"`
	Roles     []string `help:"Only people of these roles, as tenant,manager; everybody unless given." sep:","`
	Languages []string `help:"Languages of the pages." default:"fr,en" enum:"fr,en" sep:","`
	Widths    []int64  `help:"Widths of the window in pixels." default:"1280,360" sep:","`
}

// Validate says what is wrong with the numbers.
func (c *commands) Validate() error {
	if c.Months < 1 || c.Months > 36 || c.OfEach < 1 || c.OfEach > 20 {
		return errors.New("--months must be from 1 to 36, --of-each from 1 to 20")
	}
	for _, width := range c.Widths {
		if width < 240 || width > 4000 {
			return fmt.Errorf("--widths has %d: each must be from 240 to 4000 pixels", width)
		}
	}
	return nil
}

// Run takes the pictures and says how many there are.
func (c *commands) Run(ctx context.Context, stdout io.Writer) error {
	if c.Dir == "" {
		folder, err := os.MkdirTemp("", "xnet-screenshots-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		c.Dir = folder
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return err
	}
	browser, err := tour.OpenBrowser(ctx)
	if err != nil {
		return err
	}
	defer browser.Close()
	demo, err := tour.StartDemo(ctx, c.Dir, c.Months, stdout)
	if err != nil {
		return err
	}
	defer demo.Stop()
	camera := camera{commands: c, browser: browser, site: demo.URL, out: stdout}
	for _, v := range append(demo.Visitors, tour.Stranger()) {
		if len(c.Roles) > 0 && !slices.Contains(c.Roles, v.Role) {
			continue
		}
		if err := camera.visit(ctx, v); err != nil {
			return err
		}
	}
	fmt.Fprintf(stdout, "%d pictures are in %s\n", camera.taken, c.Out)
	return nil
}

// A camera takes pictures of what a browser shows.
type camera struct {
	*commands
	browser *tour.Browser
	site    string
	out     io.Writer
	people  int
	taken   int
}

// visit takes pictures of all that a visitor finds.
func (c *camera) visit(ctx context.Context, v tour.Visitor) error {
	if err := v.Enter(ctx, c.site, c.OfEach); err != nil {
		return err
	}
	c.people++
	fmt.Fprintf(c.out, "  %s: %d pages\n", v.About, len(v.Pages))
	for _, language := range c.Languages {
		if err := c.browser.Become(v, c.site, language); err != nil {
			return err
		}
		for _, page := range v.Pages {
			for _, width := range c.Widths {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err := c.take(page, width, filepath.Join(c.Out, c.name(v, page, language, width))); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (c *camera) take(page string, width int64, file string) error {
	if err := c.browser.Show(c.site+page, width); err != nil {
		return err
	}
	picture, err := c.browser.Picture()
	if err != nil {
		return fmt.Errorf("picture of %s: %w", page, err)
	}
	c.taken++
	return os.WriteFile(file, picture, 0o600)
}

var unfit = regexp.MustCompile(`[^A-Za-z0-9]+`)

// name is a picture's: the role, who of them, the page, the language, the width.
func (c *camera) name(v tour.Visitor, page, language string, width int64) string {
	what := strings.Trim(unfit.ReplaceAllString(page, "-"), "-")
	if what == "" {
		what = "accueil"
	}
	return fmt.Sprintf("%s-%02d-%.80s-%s-%d.png", v.Role, c.people, what, language, width)
}
