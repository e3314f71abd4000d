package accounts

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// A Cost is what one guess of a code costs with argon2id (RFC 9106).
type Cost struct {
	Passes    uint32 // over the memory
	MemoryKiB uint32
}

// DefaultCost takes more than 50 ms on one core of a server and 64 MiB. A guess
// has one lane, so that many sign-ins at once share the cores fairly.
func DefaultCost() Cost { return Cost{Passes: 3, MemoryKiB: 64 * 1024} }

const (
	saltLength = 16
	keyLength  = 32
)

var errHash = errors.New("not an argon2id hash")

// hash returns the secret's hash in the PHC string format, which bears the cost
// it was made with.
func (c Cost) hash(secret string) (string, error) {
	salt := make([]byte, saltLength)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("draw a salt: %w", err)
	}
	return c.written(salt, argon2.IDKey([]byte(secret), salt, c.Passes, c.MemoryKiB, 1, keyLength)), nil
}

// decoy returns the hash of a secret that nobody knows: a key that is drawn instead of
// made.
func (c Cost) decoy() (string, error) {
	drawn := make([]byte, saltLength+keyLength)
	if _, err := rand.Read(drawn); err != nil {
		return "", fmt.Errorf("draw a decoy: %w", err)
	}
	return c.written(drawn[:saltLength], drawn[saltLength:]), nil
}

func (c Cost) written(salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, c.MemoryKiB, c.Passes,
		b64.EncodeToString(salt), b64.EncodeToString(key))
}

// matches reports whether hash was made of secret, in time that does not tell.
func matches(hash, secret string) (bool, error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, errHash
	}
	var version int
	var c Cost
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return false, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=1", &c.MemoryKiB, &c.Passes); err != nil || c.Passes == 0 {
		return false, errHash
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	want, keyErr := base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || keyErr != nil || len(want) != keyLength {
		return false, errHash
	}
	got := argon2.IDKey([]byte(secret), salt, c.Passes, c.MemoryKiB, 1, keyLength)
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}
