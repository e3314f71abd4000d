package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/xnetroseraie/xnet/dashboards/web/webtest/sound"
	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/pages/tour"
)

// runAxe asks axe-core for all that breaks WCAG 2.2, levels A and AA.
const runAxe = `axe.run(document, {resultTypes: ["violations"], runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}).then(r =>
	JSON.stringify(r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.target.join(" ") + " " + n.html.slice(0, 160)))))`

// judged is what came of judging pages.
type judged struct {
	pages  int
	axe    int // violations by axe-core
	ours   int // by our own checks
	told   []string
	noAxe  error
	script string
}

func (j *judged) faults() int { return j.axe + j.ours }

// accessibility judges every page of every role in both languages.
func (c *commands) accessibility(ctx context.Context) ([]bench.Row, error) {
	if err := c.open(ctx); err != nil {
		return nil, err
	}
	j := &judged{}
	if j.script, j.noAxe = axe(ctx, c.Axe); j.noAxe != nil && !errors.Is(j.noAxe, errNoAxe) {
		return nil, j.noAxe
	}
	for _, v := range c.demo.Visitors {
		for _, language := range []string{"fr", "en"} {
			if err := c.browser.Become(v, c.demo.URL, language); err != nil {
				return nil, err
			}
			if err := c.judgeAll(ctx, j, v, language); err != nil {
				return nil, err
			}
		}
		c.say("  %s: judged; %d faults on %d pages so far", v.About, j.faults(), j.pages)
	}
	return []bench.Row{j.row()}, ctx.Err()
}

func (c *commands) judgeAll(ctx context.Context, j *judged, v tour.Visitor, language string) error {
	for _, page := range v.Pages {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := c.browser.Show(c.demo.URL+page, 1280); err != nil {
			return err
		}
		found, err := c.judge(j)
		if err != nil {
			return fmt.Errorf("judge %s: %w", page, err)
		}
		for _, one := range found {
			if !slices.Contains(j.told, one) {
				j.told = append(j.told, one)
				c.say("  %s, %s, %s: %s", v.Role, page, language, one)
			}
		}
	}
	return nil
}

const unfold = `document.querySelectorAll("details").forEach(e => e.open = true), ""`

// judge returns the faults of the page that is shown, everything unfolded.
func (c *commands) judge(j *judged) ([]string, error) {
	if _, err := c.browser.Ask(unfold); err != nil {
		return nil, err
	}
	text, err := c.browser.Ask(sound.Script)
	if err != nil {
		return nil, err
	}
	found := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
	j.pages++
	j.ours += len(found)
	if j.noAxe != nil {
		return found, nil
	}
	if text, err = c.browser.Ask(j.script + ";" + runAxe); err != nil {
		return nil, fmt.Errorf("axe-core: %w", err)
	}
	var violations []string
	if err := json.Unmarshal([]byte(text), &violations); err != nil {
		return nil, fmt.Errorf("axe-core said %.100q: %w", text, err)
	}
	j.axe += len(violations)
	return append(found, violations...), nil
}

func (j *judged) row() bench.Row {
	by := fmt.Sprintf("axe-core %s: %d", axeVersion, j.axe)
	if j.noAxe != nil {
		by = "axe-core: NOT RUN, " + j.noAxe.Error()
	}
	row := bench.Row{Bench: "accessibility", Ours: float64(j.faults()), Unit: "violations", Note: fmt.Sprintf("%d pages in two languages; %s; our own checks: %d", j.pages, by, j.ours)}
	return bench.New(row, bench.All("0 violations", func(r bench.Row) bool { return r.Ours == 0 && j.pages > 0 && j.noAxe == nil }))
}
