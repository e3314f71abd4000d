// Package accounts knows persons and how they sign in: with a code from a
// letter, which opens a session that the server keeps.
package accounts

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// A PersonID names a person, as the landlord's file does: 1 to 64 characters.
type PersonID string

// A Person is someone who may sign in.
type Person struct {
	ID       PersonID
	Name     string // as written on the letter; personal, never logged
	Language string // two or three letters, "fr" or "en"; others are shown French
}

// Reasons for which a sign-in or a session is refused. Test with errors.Is.
var (
	ErrCodeMalformed = errors.New("code is not twelve characters of the alphabet")
	ErrCodeWrong     = errors.New("code is unknown, wrong or expired")
	ErrNoSession     = errors.New("session is unknown or expired")
	ErrNoPerson      = errors.New("no such person")
)

// alphabet has no two characters that look alike on paper: no O (0), I and L
// (1), B (8), S (5), Z (2), U (V), Q (0). Its 28 characters give the secret
// 38 bits, which the throttle and the cost of a hash guard.
const alphabet = "0123456789ACDEFGHJKMNPRTVWXY"

const (
	selectorLength = 4
	codeLength     = 12
	groupLength    = 4
)

// lookAlikes maps what a reader may see for a character of the alphabet.
var lookAlikes = strings.NewReplacer("O", "0", "Q", "0", "I", "1", "L", "1",
	"B", "8", "S", "5", "Z", "2", "U", "V", " ", "", "-", "", "\u00a0", "", "\u202f", "", ".", "", "–", "", "\t", "")

// A Code is what a letter tells its reader: twelve characters, of which the
// first four are public and find the row. The zero value is no code.
type Code struct{ text string }

// NewCode draws a code.
func NewCode() (Code, error) {
	text := make([]byte, codeLength)
	for i := range text {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return Code{}, fmt.Errorf("draw a code: %w", err)
		}
		text[i] = alphabet[n.Int64()]
	}
	return Code{string(text)}, nil
}

// ParseCode reads a code as a person types it: in any case, with or without
// spaces and hyphens, O for 0 and I for 1. The error is [ErrCodeMalformed].
func ParseCode(typed string) (Code, error) {
	if len(typed) > 100 {
		return Code{}, ErrCodeMalformed
	}
	text := lookAlikes.Replace(strings.ToUpper(typed))
	if len(text) != codeLength || strings.Trim(text, alphabet) != "" {
		return Code{}, ErrCodeMalformed
	}
	for _, r := range text {
		if !strings.ContainsRune(alphabet, r) {
			return Code{}, ErrCodeMalformed
		}
	}
	return Code{text}, nil
}

// String writes the code in groups of four, as a letter prints it.
func (c Code) String() string {
	var groups []string
	for at := 0; at+groupLength <= len(c.text); at += groupLength {
		groups = append(groups, c.text[at:at+groupLength])
	}
	return strings.Join(groups, "-")
}

func (c Code) selector() string { return c.text[:selectorLength] }
func (c Code) secret() string   { return c.text[selectorLength:] }

// A Session is a signed-in browser or program.
type Session struct {
	Person    Person
	FormToken string    // stands in every form that changes something
	Expires   time.Time // UTC
}

// A Token is the secret that a browser keeps in its cookie. The store knows
// only its hash.
type Token string

func newToken() (Token, error) {
	var random [32]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", fmt.Errorf("draw a token: %w", err)
	}
	return Token(base64.RawURLEncoding.EncodeToString(random[:])), nil
}

func (t Token) hash() string {
	sum := sha256.Sum256([]byte(t))
	return hex.EncodeToString(sum[:])
}
