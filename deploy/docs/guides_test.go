// Package docs_test holds the guides to the product: what they name exists, what
// they command is run, and who follows them word for word gets there.
package docs_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/dashboards/web"
)

// How long a guide and the index of guides may be, in lines, and a picture of a
// guide, in bytes.
const (
	mostLines      = 150
	mostIndexLines = 60
	mostPicture    = 60_000
)

// root is the repository's, from here.
const root = "../.."

// A guide is a page for people.
type guide struct{ file, text string }

// French reports whether the guide is for people who work with the pages.
func (g guide) French() bool {
	return strings.HasPrefix(g.text, "# Guide de l") || strings.HasPrefix(g.text, "# Guide du")
}

func guides(t *testing.T) []guide {
	t.Helper()
	files, err := filepath.Glob("*.md")
	if err != nil || len(files) < 8 {
		t.Fatalf("guides %v, %v", files, err)
	}
	var all []guide
	for _, file := range files {
		all = append(all, guide{file, read(t, file)})
	}
	return all
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A block is what stands between fences: its language, the file that it is to be,
// if any, and the text.
type block struct{ language, file, text string }

var fenced = regexp.MustCompile("(?ms)^```([a-z]*)(?: (\\S+))?\n(.*?)^```$")

func (g guide) blocks() (all []block) {
	for _, m := range fenced.FindAllStringSubmatch(g.text, -1) {
		all = append(all, block{m[1], m[2], m[3]})
	}
	return all
}

// prose is the guide without its blocks.
func (g guide) prose() string { return fenced.ReplaceAllString(g.text, "") }

// Each guide says first who it is for, and is short enough to be read.
func TestGuidesSayWhoTheyAreFor(t *testing.T) {
	for _, g := range guides(t) {
		most, lines := mostLines, strings.Count(g.text, "\n")
		if g.file == "README.md" {
			most = mostIndexLines
		}
		if lines > most {
			t.Errorf("%s has %d lines, want %d at most", g.file, lines, most)
		}
		paragraphs := strings.Split(g.text, "\n\n")
		for _, word := range []string{"For ", "Pour "} {
			if g.French() == (word == "Pour ") && g.file != "README.md" && !strings.HasPrefix(paragraphs[1], word) {
				t.Errorf("%s begins %q, want who it is for: %q", g.file, paragraphs[1], word)
			}
		}
	}
}

var link = regexp.MustCompile(`(!?)\[([^\]]*)\]\(([^)#]*)[^)]*\)`)

// Links lead to files that are there, pictures have words for who cannot see them,
// and the index names every guide.
func TestLinksLeadSomewhere(t *testing.T) {
	shown := map[string]bool{}
	for _, g := range guides(t) {
		for _, m := range link.FindAllStringSubmatch(g.prose(), -1) {
			picture, words, to := m[1] == "!", m[2], m[3]
			stat, err := os.Stat(filepath.Join(filepath.Dir(g.file), to))
			if err != nil && !strings.Contains(to, "://") {
				t.Errorf("%s: %v", g.file, err)
			}
			if picture && err == nil && (stat.Size() > mostPicture || words == "") {
				t.Errorf("%s: the picture %s has %d bytes and the words %q, want at most %d and some words", g.file, to, stat.Size(), words, mostPicture)
			}
			shown[to] = true
		}
	}
	for _, g := range guides(t) {
		if g.file != "README.md" && !strings.Contains(read(t, "README.md"), "]("+g.file+")") {
			t.Errorf("README.md does not name %s", g.file)
		}
	}
	for _, taken := range []string{"installer", "landlord", "advisor", "workshop"} {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(shown)), func(to string) bool { return strings.HasPrefix(to, "pictures/"+taken) }) {
			t.Errorf("no guide shows a picture of the pages of %s", taken)
		}
	}
}

var (
	label = regexp.MustCompile(`«([^»]*)»`)
	verb  = regexp.MustCompile(`%%|%\d*[a-z]`)
	space = regexp.MustCompile(`[\s\x{a0}\x{202f}]+`)
)

// said matches what a page says: the texts of the catalogue, in which names and
// numbers may stand.
func said(t *testing.T) func(string) bool {
	t.Helper()
	french, ok := web.ParseLanguage("fr")
	if !ok {
		t.Fatal("no French")
	}
	exact, open := map[string]bool{}, []*regexp.Regexp{}
	for _, key := range french.Keys() {
		text := space.ReplaceAllString(french.T(key), " ")
		exact[text] = true
		fixed := verb.ReplaceAllString(text, "")
		if fixed == text || len(strings.TrimSpace(fixed)) < 8 { // a pattern of verbs alone says nothing
			continue
		}
		var pattern strings.Builder
		pattern.WriteString("^")
		for i, part := range verb.Split(text, -1) {
			if i > 0 {
				pattern.WriteString(".+")
			}
			pattern.WriteString(regexp.QuoteMeta(part))
		}
		open = append(open, regexp.MustCompile(pattern.String()+"$"))
	}
	return func(words string) bool {
		words = strings.TrimSpace(space.ReplaceAllString(words, " "))
		return exact[words] || slices.ContainsFunc(open, func(p *regexp.Regexp) bool { return p.MatchString(words) })
	}
}

// A guide never names a button that does not exist.
func TestLabelsAreThoseOfThePages(t *testing.T) {
	isSaid, named := said(t), 0
	for _, invented := range []string{"Tout lancer", "Enregistré, sous", ""} {
		if isSaid(invented) {
			t.Fatalf("%q counts as a label", invented)
		}
	}
	for _, g := range guides(t) {
		if !g.French() {
			continue
		}
		for _, m := range label.FindAllStringSubmatch(g.prose(), -1) {
			named++
			if !isSaid(m[1]) {
				t.Errorf("%s names «%s», which no page says", g.file, m[1])
			}
		}
	}
	if named < 100 {
		t.Errorf("%d labels, want the guides to name what people press", named)
	}
}

// mostWords is how many words a French sentence has at most, as on the pages.
const mostWords = 15

var (
	sentenceEnd = regexp.MustCompile(`[.!?…](?:[\s\x{a0}»]|$)|\n\n|\n[-|\d]|\|`)
	unspoken    = regexp.MustCompile("`[^`]*`|!?\\[[^\\]]*\\]\\([^)]*\\)|\\*\\*")
	aWord       = regexp.MustCompile(`[\p{L}\p{N}%]`)
)

// sentences are those of a page, without code, links and what is not read aloud.
func (g guide) sentences() []string {
	return sentenceEnd.Split(unspoken.ReplaceAllString(g.prose(), "x"), -1)
}

func TestFrenchSentencesAreShort(t *testing.T) {
	count := 0
	for _, g := range guides(t) {
		if !g.French() {
			continue
		}
		for _, sentence := range g.sentences() {
			words := slices.DeleteFunc(strings.Fields(sentence), func(w string) bool { return !aWord.MatchString(w) })
			if count++; len(words) > mostWords {
				t.Errorf("%s: %d words in %q: make two sentences of it", g.file, len(words), strings.TrimSpace(sentence))
			}
		}
	}
	if count < 300 {
		t.Errorf("%d sentences were counted", count)
	}
}

// Folders and files that the English guides name are in the tree.
func TestNamedFilesAreThere(t *testing.T) {
	path := regexp.MustCompile("`((?:api|collector|dashboards|deploy|firmware-config|gateway|internal)/[A-Za-z0-9_./-]*)`")
	made := map[string]bool{}
	for _, g := range guides(t) {
		for _, b := range g.blocks() {
			made[b.file] = true
		}
	}
	for _, g := range guides(t) {
		for _, m := range path.FindAllStringSubmatch(g.prose(), -1) {
			if _, err := fs.Stat(os.DirFS(root), strings.TrimSuffix(m[1], "/")); err != nil && !made[m[1]] {
				t.Errorf("%s names %s: %v", g.file, m[1], err)
			}
		}
	}
}
