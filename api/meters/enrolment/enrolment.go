// Package enrolment gives a gateway its access to the broker: a code that works
// once, a password of its own, and the two files by which Mosquitto lets it speak
// on its own topics only.
package enrolment

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/internal/wire"
)

// ErrCode says that a code is unknown, was used, or is too old. Which of these it
// is nobody is told. Test with errors.Is.
var ErrCode = errors.New("the code is unknown, was used or is too old")

// Works is how long a code works: a day at the building.
const Works = 24 * time.Hour

// A Code is what an installer types on the board: 16 letters and digits, 80 bits,
// in groups of four.
type Code string

// An Offer is a code, told once, and the instant until which it works.
type Offer struct {
	Code  Code
	Until time.Time
}

// codeSigns is how many signs a code has without its dashes.
const codeSigns = 16

// newCode returns a random code.
func newCode() Code {
	signs := rand.Text()[:codeSigns] // A to Z and 2 to 7
	var groups []string
	for ; signs != ""; signs = signs[4:] {
		groups = append(groups, signs[:4])
	}
	return Code(strings.Join(groups, "-"))
}

// alike folds what people type: small letters, other dashes, 0 for O, 1 for I.
var alike = strings.NewReplacer("-", "", " ", "", "0", "O", "1", "I", "8", "B")

// digest is what the database keeps of a code.
func (c Code) digest() string {
	sum := sha256.Sum256([]byte(alike.Replace(strings.ToUpper(string(c)))))
	return hex.EncodeToString(sum[:])
}

// An Access is what a gateway needs to speak to the broker. The password is told
// here and nowhere else.
type Access struct {
	Source   wire.Source
	Zone     string // of the residence, as in "Europe/Paris"
	Username string
	Password string
}
