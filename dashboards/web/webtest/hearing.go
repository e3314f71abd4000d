package webtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"

	"github.com/xnetroseraie/xnet/dashboards/web/webtest/sound"
)

// spoken are the roles of what a screen reader says as it goes through a page.
var spoken = []string{"heading", "link", "button", "StaticText", "image", "checkbox", "radio", "textbox", "searchbox", "spinbutton", "combobox", "DisclosureTriangle", "img"}

// Hears fails the test unless the browser's accessibility tree, read in its order,
// says the words one after the other: what a screen reader tells of the page.
func (p *Sitter) Hears(words ...string) {
	p.T.Helper()
	p.eventually(func() error {
		said, err := p.said()
		if err != nil {
			return err
		}
		rest := said
		for _, one := range words {
			_, after, told := strings.Cut(rest, one)
			if !told {
				return fmt.Errorf("read aloud, the page does not say %q in its place; it says %.4000s", one, said)
			}
			rest = after
		}
		return nil
	})
}

// said is the page as it is read aloud, with plain spaces.
func (p *Sitter) said() (string, error) {
	tree, err := chromedp.Call(p.Context, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		return "", fmt.Errorf("accessibility tree: %w", err)
	}
	byID := map[accessibility.NodeID]*accessibility.Node{}
	for _, n := range tree.Nodes {
		byID[n.NodeID] = n
	}
	var all []string
	var read func(n *accessibility.Node)
	read = func(n *accessibility.Node) {
		role := textOf(n.Role)
		named := !n.Ignored && slices.Contains(spoken, role)
		if named {
			all = append(all, textOf(n.Name))
		}
		for _, id := range n.ChildIDs {
			if child := byID[id]; child != nil && (!named || role == "StaticText") {
				read(child)
			}
		}
	}
	if len(tree.Nodes) > 0 {
		read(tree.Nodes[0])
	}
	return strings.Join(strings.Fields(strings.Join(all, " ")), " "), nil
}

func textOf(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	var text string
	if err := json.Unmarshal([]byte(v.Value), &text); err != nil {
		return ""
	}
	return text
}

// Sound fails the test where the page that is shown, everything unfolded, breaks a
// rule of [sound.Script]. The name tells which page.
func (p *Sitter) Sound(name string) {
	p.T.Helper()
	faults, err := chromedp.Run(p.Context, chromedp.Evaluate[string](unfold+`, `+sound.Script))
	if err != nil {
		p.T.Fatalf("%s: %v", name, err)
	}
	for fault := range strings.Lines(faults) {
		p.T.Errorf("%s: %s", name, strings.TrimSpace(fault))
	}
}
