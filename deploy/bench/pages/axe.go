package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// axe-core judges pages by the rules of WCAG. It is MPL-2.0 and no part of this
// repository: it is had with npm when it is needed, at this version and no other.
const (
	axeVersion = "4.14.1"
	axeSum     = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c" // SHA-256 of axe.min.js
	axeInside  = "package/axe.min.js"
)

// errNoAxe says that axe-core cannot be had here.
var errNoAxe = errors.New("axe-core cannot be had: install npm, or put its axe.min.js where --axe says")

// axe returns the script of axe-core: of the file, where one is named, else kept
// from before, else from npm.
func axe(ctx context.Context, file string) (string, error) {
	if file != "" {
		return readAxe(file)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNoAxe, err)
	}
	kept := filepath.Join(cache, "xnet", "axe-core-"+axeVersion+".min.js")
	if script, err := readAxe(kept); err == nil {
		return script, nil
	}
	script, err := fetchAxe(ctx)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNoAxe, err)
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(kept), 0o755), os.WriteFile(kept, script, 0o600)); err != nil {
		return "", err
	}
	return readAxe(kept)
}

func readAxe(path string) (string, error) {
	script, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if sum := sha256.Sum256(script); hex.EncodeToString(sum[:]) != axeSum {
		return "", fmt.Errorf("%s is not axe.min.js of axe-core %s: its SHA-256 is %x", path, axeVersion, sum)
	}
	return string(script), nil
}

// fetchAxe has npm bring the package and takes the one file that is needed.
func fetchAxe(ctx context.Context) ([]byte, error) {
	folder, err := os.MkdirTemp("", "xnet-axe-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	pack := exec.CommandContext(ctx, "npm", "pack", "--silent", "--pack-destination", folder, "axe-core@"+axeVersion)
	if said, err := pack.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm pack: %w: %.300s", err, said)
	}
	packed, err := os.ReadFile(filepath.Join(folder, "axe-core-"+axeVersion+".tgz"))
	if err != nil {
		return nil, err
	}
	return unpackAxe(packed)
}

func unpackAxe(packed []byte) ([]byte, error) {
	plain, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("package: %w", err)
	}
	for files := tar.NewReader(plain); ; {
		head, err := files.Next()
		if err != nil {
			return nil, fmt.Errorf("package without %s: %w", axeInside, err)
		}
		if head.Name == axeInside {
			return io.ReadAll(files)
		}
	}
}
