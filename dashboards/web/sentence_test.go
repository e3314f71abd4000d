package web_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// mostWords is how many words a sentence of a page has at most: more are hard to
// read for many.
const mostWords = 15

var (
	sentenceEnd = regexp.MustCompile(`[.!?…](?:\s+|$)`)
	aWord       = regexp.MustCompile(`[\p{L}\p{N}%]`)
)

// longSentence returns a sentence of too many words, or "".
func longSentence(text string) string {
	for _, sentence := range sentenceEnd.Split(text, -1) {
		words := 0
		for word := range strings.FieldsSeq(sentence) {
			if aWord.MatchString(word) { // not a sign alone
				words++
			}
		}
		if words > mostWords {
			return sentence
		}
	}
	return ""
}

// TestFrenchSentencesFit: no French sentence of any page is too long.
func TestFrenchSentencesFit(t *testing.T) {
	if longSentence("Un deux trois. "+strings.Repeat("mot ", mostWords)+".") != "" || longSentence(strings.Repeat("mot ", mostWords+1)) == "" {
		t.Fatal("sentences are miscounted")
	}
	files, err := filepath.Glob("language/fr/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var texts map[string]string
		if err := yaml.Unmarshal(text, &texts); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for key, text := range texts {
			told++
			if long := longSentence(text); long != "" {
				t.Errorf("%s: %s has more than %d words in %q: make two of it", file, key, mostWords, long)
			}
		}
	}
	if told < 500 {
		t.Errorf("%d texts", told)
	}
}
