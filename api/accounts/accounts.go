// Package accounts knows persons and how they sign in: with a code from a
// letter, a password of their own or a code by e-mail, each of which opens a
// session that the server keeps. It knows what staff do for the landlord, and
// the tokens of programs.
package accounts

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/xnetroseraie/xnet/api/problem"
)

// A PersonID names a person, as the landlord's file does: 1 to 64 characters.
type PersonID string

// NewPersonID returns an id for a person whom no file names.
func NewPersonID() PersonID { return PersonID(newID()) }

// newID returns an id that grows with time, so that new rows stand together.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// A Person is someone who may sign in.
type Person struct {
	ID       PersonID
	Name     string // as written on the letter; personal, never logged; 1 to 200 characters
	Language string // two or three letters, "fr" or "en"; others are shown French
	Version  int64  // grows with each change; 0 where it was not asked for
}

// Reasons for which a sign-in or a session is refused. Test with errors.Is.
var (
	ErrCodeMalformed = errors.New("code is not twelve characters of the alphabet")
	ErrCodeWrong     = errors.New("code or password is unknown, wrong or expired")
	ErrNoSession     = errors.New("session is unknown or expired")
)

// ErrNoPerson is what looking for a person fails with where there is none, or
// none that the sender may see. It is a problem NotFound.
var ErrNoPerson = &problem.Error{Kind: problem.NotFound, Message: "person.none"}

// A Way is how somebody signed in.
type Way string

// The ways in.
const (
	ByCode     Way = "code"     // of a letter, or of an invitation by e-mail
	ByPassword Way = "password" // of the person's choice, with the name on the letter
	ByEmail    Way = "email"    // a new code each time
)

// A SessionID names a session; it is no secret.
type SessionID string

// A Session is a signed-in browser or program.
type Session struct {
	ID        SessionID // empty for a token's
	Person    Person
	FormToken string    // stands in every form that changes something; empty for a token's
	Way       Way       // how it was opened; empty for a token's
	Opened    time.Time // UTC
	Expires   time.Time // UTC
	Roles     []Role    // the person's, each once
	Home      bool      // the person has or had a home here, or helps somebody who has
	Token     TokenID   // of a program; empty for a browser
	Scopes    []Scope   // of the token
}

// freshFor is how long after a sign-in a session may change the ways in.
const freshFor = 30 * time.Minute

// Fresh reports whether the session was opened so short a while ago that it may
// change how its person comes in. Whoever finds an open browser must not.
func (s Session) Fresh(now time.Time) bool {
	return s.Token == "" && now.Sub(s.Opened) < freshFor
}

// A TokenID names the token of a program.
type TokenID string

// A Token is the secret that a browser keeps in its cookie, or a program in its
// configuration. The store knows only its hash.
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
