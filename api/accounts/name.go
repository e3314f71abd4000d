package accounts

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// A sign-in name is a word of the person's own name and some digits, as in
// "amina4827": easy to keep in mind, and not to be guessed by a neighbour who
// knows the person.
const (
	longestWord  = 12
	shortestWord = 3
	wordless     = "acces" // for names without a word in Latin letters
)

// fewestDigits keep a sign-in name short enough to be typed from a letter.
const fewestDigits = 4

// NewSignInName draws a sign-in name for a person of that name: a word of it and
// four digits.
func NewSignInName(personal string) (string, error) { return drawName(personal, fewestDigits) }

func drawName(personal string, digits int) (string, error) {
	first := int64(math.Pow10(digits - 1)) // no zero in front, which is forgotten
	number, err := rand.Int(rand.Reader, big.NewInt(9*first))
	if err != nil {
		return "", fmt.Errorf("draw a sign-in name: %w", err)
	}
	return word(personal) + strconv.FormatInt(first+number.Int64(), 10), nil
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

// drawsPerLength is after how many names that are taken one digit more is drawn:
// there are 9,000 of four digits, and a large landlord has more of some first names.
const drawsPerLength = 5

// freeName draws a sign-in name that nobody has.
func freeName(ctx context.Context, tx *sql.Tx, personal string) (string, error) {
	for n := range mostDraws {
		name, err := drawName(personal, fewestDigits+n/drawsPerLength)
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
