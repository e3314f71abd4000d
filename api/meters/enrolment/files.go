package enrolment

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/durable"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// Files is the folder from which the broker reads who may connect. In it are
//
//	acl                 who may say and hear what
//	passwords           hashes of all users' passwords
//	api.password        of this program, readable by its owner alone
//	collector.password  the same of the collector
//
// The first two are readable by the owner's group, which the broker belongs to,
// and change only where their content does: the broker reads them anew at SIGHUP.
type Files struct {
	Dir string // empty: the broker is set up in another way
}

// The names of the files that the broker reads.
const (
	accessFile   = "acl"
	passwordFile = "passwords"
)

// PasswordFile is where a program's own password stands.
func (f Files) PasswordFile(user string) string { return filepath.Join(f.Dir, user+".password") }

func (f Files) write(members []member) error {
	sources := make([]wire.Source, 0, len(members))
	for _, m := range members {
		sources = append(sources, m.source)
	}
	passwords, err := f.passwords(members)
	if err != nil {
		return err
	}
	// A password without its rights is worth nothing; rights without a password
	// would be there for nobody. So the rights go first.
	return errors.Join(f.put(accessFile, accessList(sources)), f.put(passwordFile, passwords))
}

// put writes a file unless it says the same already.
func (f Files) put(name string, text []byte) error {
	path := filepath.Join(f.Dir, name)
	if there, err := os.ReadFile(path); err == nil && bytes.Equal(there, text) {
		return nil
	}
	if err := durable.WriteMode(path, text, 0o640); err != nil {
		return fmt.Errorf("%w: let this program write to %s", err, f.Dir)
	}
	return nil
}

// passwords returns the broker's password file. The lines of the two programs stay
// as they are while their passwords do.
func (f Files) passwords(members []member) ([]byte, error) {
	known, err := f.known()
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	for _, program := range []string{APIUser, CollectorUser} {
		hashed, err := f.program(program, known[program])
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&text, "%s:%s\n", program, hashed)
	}
	for _, m := range members {
		fmt.Fprintf(&text, "%s:%s\n", m.source, m.hash)
	}
	return []byte(text.String()), nil
}

// known reads the hashes that the file has now.
func (f Files) known() (map[string]string, error) {
	text, err := os.ReadFile(filepath.Join(f.Dir, passwordFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	known := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, hashed, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			known[name] = hashed
		}
	}
	return known, nil
}

// program returns the hash of a program's password, which it makes where there is
// none yet.
func (f Files) program(name, known string) (string, error) {
	path := f.PasswordFile(name)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if err := durable.Write(path, []byte(rand.Text()+"\n")); err != nil {
			return "", fmt.Errorf("%w: let this program write to %s", err, f.Dir)
		}
	}
	password, err := config.Secret(path)
	if err != nil {
		return "", err
	}
	if matches(known, password) {
		return known, nil
	}
	return hash(password)
}
