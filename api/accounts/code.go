package accounts

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"
)

// alphabet has no two characters that look alike on paper: no O (0), I and L
// (1), B (8), S (5), Z (2), U (V), Q (0). Its 28 characters give the secret
// 38 bits, which the throttle and the cost of a hash guard.
const alphabet = "0123456789ACDEFGHJKMNPRTVWXY"

const (
	selectorLength = 4
	codeLength     = 12
	groupLength    = 4
	shortLength    = 8 // of a code by e-mail, which needs no selector
)

// lookAlikes maps what a reader may see for a character of the alphabet.
var lookAlikes = strings.NewReplacer("O", "0", "Q", "0", "I", "1", "L", "1",
	"B", "8", "S", "5", "Z", "2", "U", "V", " ", "", "-", "", "\u00a0", "", "\u202f", "", ".", "", "–", "", "\t", "")

// A Code is what a letter tells its reader: twelve characters, of which the
// first four are public and find the row. The zero value is no code.
type Code struct{ text string }

// NewCode draws a code.
func NewCode() (Code, error) {
	text, err := draw(codeLength)
	return Code{text}, err
}

func draw(length int) (string, error) {
	text := make([]byte, length)
	for i := range text {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return "", fmt.Errorf("draw a code: %w", err)
		}
		text[i] = alphabet[n.Int64()]
	}
	return string(text), nil
}

// ParseCode reads a code as a person types it: in any case, with or without
// spaces and hyphens, O for 0 and I for 1. The error is [ErrCodeMalformed].
func ParseCode(typed string) (Code, error) {
	text, err := normal(typed, codeLength)
	return Code{text}, err
}

func normal(typed string, length int) (string, error) {
	if len(typed) > 100 {
		return "", ErrCodeMalformed
	}
	text := lookAlikes.Replace(strings.ToUpper(typed))
	if len(text) != length {
		return "", ErrCodeMalformed
	}
	for _, r := range text {
		if !strings.ContainsRune(alphabet, r) {
			return "", ErrCodeMalformed
		}
	}
	return text, nil
}

// String writes the code in groups of four, as a letter prints it.
func (c Code) String() string { return grouped(c.text) }

func grouped(text string) string {
	var groups []string
	for at := 0; at+groupLength <= len(text); at += groupLength {
		groups = append(groups, text[at:at+groupLength])
	}
	return strings.Join(groups, "-")
}

func (c Code) selector() string { return c.text[:selectorLength] }
func (c Code) secret() string   { return c.text[selectorLength:] }

// A ShortCode is what an e-mail tells its reader: eight characters of the same
// alphabet. It has no public part, because the browser that asked for it is
// known by its cookie. The zero value is no code.
type ShortCode struct{ text string }

// ParseShortCode reads a code of an e-mail as [ParseCode] reads one of a letter.
// The error is [ErrCodeMalformed].
func ParseShortCode(typed string) (ShortCode, error) {
	text, err := normal(typed, shortLength)
	return ShortCode{text}, err
}

// String writes the code in groups of four.
func (c ShortCode) String() string { return grouped(c.text) }

func newShortCode() (ShortCode, error) {
	text, err := draw(shortLength)
	return ShortCode{text}, err
}
