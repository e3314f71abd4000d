package accounts

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// A sign-in name is a word of the person's own name and four digits, as in
// "amina4827": easy to keep in mind, and not to be guessed by a neighbour who
// knows the person.
const (
	longestWord  = 12
	shortestWord = 3
	wordless     = "acces" // for names without a word in Latin letters
)

// NewSignInName draws a sign-in name for a person of that name.
func NewSignInName(personal string) (string, error) {
	digits, err := rand.Int(rand.Reader, big.NewInt(9000))
	if err != nil {
		return "", fmt.Errorf("draw a sign-in name: %w", err)
	}
	return fmt.Sprintf("%s%04d", word(personal), 1000+digits.Int64()), nil
}

// titles are no names.
var titles = map[string]bool{"monsieur": true, "madame": true, "mademoiselle": true, "mme": true, "mlle": true, "mrs": true, "miss": true}

// word is the first word of a name that is long enough to be one.
func word(personal string) string {
	for w := range strings.FieldsFuncSeq(fold(personal), func(r rune) bool { return r < 'a' || r > 'z' }) {
		if len(w) >= shortestWord && !titles[w] {
			return w[:min(len(w), longestWord)]
		}
	}
	return wordless
}

// fold writes text in small letters without accents.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(text))
}

// signInName is a name or an e-mail address as a person types it, as the store
// keeps it.
func signInName(typed string) string {
	if len(typed) > longestEmail {
		return ""
	}
	if strings.Contains(typed, "@") {
		return strings.ToLower(strings.TrimSpace(typed))
	}
	return strings.NewReplacer(" ", "", "-", "", ".", "", "\u00a0", "", "\u202f", "").Replace(fold(typed))
}

const nameTaken = `
SELECT COUNT(*)
  FROM way_in
 WHERE name = $1`

// freeName draws a sign-in name that nobody has.
func freeName(ctx context.Context, tx *sql.Tx, personal string) (string, error) {
	for range mostDraws {
		name, err := NewSignInName(personal)
		if err != nil {
			return "", err
		}
		var taken int
		err = tx.QueryRowContext(ctx, nameTaken, name).Scan(&taken)
		if err != nil || taken == 0 {
			return name, err
		}
	}
	return "", errors.New("no free sign-in name: too many persons whose names begin alike")
}
