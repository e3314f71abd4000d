package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"os"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/config"
)

type signKeyCommand struct {
	File string `arg:"" help:"File of the private key; the public one is FILE.pub." type:"path" name:"FILE"`
}

// Run makes a pair of keys. It overwrites nothing: gateways that know the old
// public key would refuse everything from then on.
func (s signKeyCommand) Run(p program) error {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	if err := writeNew(s.File, private.Seed(), 0o600); err != nil {
		return err
	}
	if err := writeNew(s.File+".pub", public, 0o644); err != nil {
		return errors.Join(err, os.Remove(s.File))
	}
	fmt.Fprintf(p.stdout, "%s signs: name it in signing_key_file of the API, and keep it from everybody else\n", s.File)
	fmt.Fprintf(p.stdout, "%s.pub verifies: copy it to every gateway and name it in config_key_file there\n", s.File)
	return nil
}

// writeNew writes a key in base64 to a file that must not exist.
func writeNew(path string, key []byte, mode os.FileMode) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("key: %w: name a file that does not exist, in a folder that can be written", err)
	}
	_, err = file.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	return errors.Join(err, file.Sync(), file.Close())
}

// signingKey reads the key, or returns nil where none is named.
func (c Config) signingKey() (ed25519.PrivateKey, error) {
	if c.SigningKeyFile == "" {
		return nil, nil //nolint:nilnil // no key is no fault: nothing is published then
	}
	text, err := config.Secret(c.SigningKeyFile)
	if err != nil {
		return nil, fmt.Errorf("signing_key_file: %w", err)
	}
	key, err := firmwareconfig.ParsePrivateKey(text)
	if err != nil {
		return nil, fmt.Errorf("signing_key_file: %w: api sign-key makes one", err)
	}
	return key, nil
}
