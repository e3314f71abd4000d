package tenant

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

// A text that people agreed to stays as they read it: whoever changes one adds
// the next version, and its line to testdata/consent-texts.
func TestAgreedTextsStay(t *testing.T) {
	var got strings.Builder
	for _, p := range consent.Purposes {
		text, ok := textOf(p)
		if !ok || len(text.versions) != p.TextVersion() {
			t.Errorf("%s: %d texts, the version of today is %d", p, len(text.versions), p.TextVersion())
		}
		for i, key := range text.versions {
			for _, code := range []string{"fr", "en"} {
				l, ok := web.ParseLanguage(code)
				if !ok || l.T(key) == key {
					t.Errorf("%s has no text %d in %s", p, i+1, code)
				}
				sum := sha256.Sum256([]byte(l.T(key)))
				fmt.Fprintln(&got, p, i+1, code, hex.EncodeToString(sum[:8]))
			}
		}
	}
	want, err := os.ReadFile("testdata/consent-texts")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("texts that were agreed to (-kept +now):\n%s", diff)
	}
}

// What the store may say has its text.
func TestMyDataTextsAreWhole(t *testing.T) {
	l := web.French()
	for _, keys := range []map[string]string{
		texts(endingTexts, consent.Withdrawn, consent.Expired, consent.Left),
		texts(erasedTexts, consent.Fine, consent.Daily, consent.All),
		texts(whyTexts, consent.ByWithdrawal, consent.ByRequest, consent.ByMove, consent.ByRetention),
	} {
		for name, key := range keys {
			if key == "" || l.T(key) == key {
				t.Errorf("%s has no text", name)
			}
		}
	}
}

func texts[T ~string](keys map[T]string, all ...T) map[string]string {
	found := map[string]string{}
	for _, one := range all {
		found[string(one)] = keys[one]
	}
	return found
}
