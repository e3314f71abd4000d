package firmwareconfig

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// Reasons why a configuration from afar does not count. Test with errors.Is.
var (
	ErrVersion   = errors.New("want a version of digits alone, without leading zeros, as 1 or 20261123")
	ErrSignature = errors.New("the signature is not by the key of config_key_file, or what it covers was changed")
)

// A Document is the part of a gateway's configuration that may come from afar:
// which meters are read, and how. The broker, the spool, the clock and the files
// of the board are nobody's business but the board's. In YAML its keys are those
// of [Gateway].
//
// Site and Gateway name whom it is for. They are required, so that what was
// signed for one gateway does not count on another.
type Document struct {
	Site     metering.SiteID    `yaml:"site"`
	Gateway  metering.GatewayID `yaml:"gateway"`
	Buses    []Bus              `yaml:"buses,omitempty"`
	Imported []Meter            `yaml:"imported,omitempty"`
}

// With returns the configuration g with the meters of a document's YAML in place
// of its own, validated. A key that is not one of a [Document] is a fault, as is
// a document for another gateway. Faults name line and column of the document and
// the remedy. g stays as it is.
//
// A resolution finer than what the law allows without consent counts as that
// default: only the site's registry, which knows of consents, may say more.
func (g *Gateway) With(document []byte) (*Gateway, error) {
	var d Document
	if err := config.Decode(document, &d); err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	if d.Site != g.Site || d.Gateway != g.Gateway {
		return nil, fmt.Errorf("document: it is for gateway %q of site %q, this is %q of %q: say site and gateway in it", d.Gateway, d.Site, g.Gateway, g.Site)
	}
	next := *g
	next.Buses, next.Imported = d.Buses, d.Imported
	if err := next.Validate(); err != nil {
		return nil, fmt.Errorf("document:\n%w", config.Place(err, document))
	}
	for i := range next.Buses {
		for j := range next.Buses[i].Devices {
			capResolutions(next.Buses[i].Devices[j].Meters)
		}
	}
	capResolutions(next.Imported)
	return &next, nil
}

func capResolutions(meters []Meter) {
	for i := range meters {
		if lawful := metering.DefaultResolution(meters[i].Kind); meters[i].Resolution.Allows(lawful) {
			meters[i].Resolution = lawful
		}
	}
}

// ParseVersion reads the version of a configuration from afar. Of two the greater
// one is the newer. The error is [ErrVersion].
func ParseVersion(text string) (uint64, error) {
	version, err := strconv.ParseUint(text, 10, 64)
	if err != nil || strconv.FormatUint(version, 10) != text {
		return 0, fmt.Errorf("version %.40q: %w", text, ErrVersion)
	}
	return version, nil
}

// Sign returns the payload of a gateway's config topic: the YAML of a [Document]
// under a version that [ParseVersion] reads, signed. [Verify] refuses another
// version.
func Sign(key ed25519.PrivateKey, version string, document []byte) wire.SignedConfig {
	return wire.SignedConfig{Version: version, Document: document, Signature: ed25519.Sign(key, signedText(version, document))}
}

// Verify reports whether the owner of key signed version and document as they
// are: nil, or an error that is [ErrVersion] or [ErrSignature]. It says nothing of
// what stands in the document.
func Verify(key ed25519.PublicKey, c wire.SignedConfig) error {
	if _, err := ParseVersion(c.Version); err != nil {
		return err
	}
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, signedText(c.Version, c.Document), c.Signature) {
		return fmt.Errorf("version %s: %w", c.Version, ErrSignature)
	}
	return nil
}

// signedText is what a signature covers. A version has no line feed, so no two
// pairs of version and document make the same text.
func signedText(version string, document []byte) []byte {
	return append([]byte(version+"\n"), document...)
}

// ParsePublicKey reads the text of a file that holds the 32 bytes of a public
// ed25519 key in base64. Errors do not show the text.
func ParsePublicKey(text string) (ed25519.PublicKey, error) {
	key, err := decodeKey(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("public key: %w", err)
	case len(key) == ed25519.PrivateKeySize:
		return nil, errors.New("public key: this is a private one: name the file of the public key, and keep the private one where configurations are signed")
	case len(key) != ed25519.PublicKeySize:
		return nil, fmt.Errorf("public key: %d bytes: want %d, in base64", len(key), ed25519.PublicKeySize)
	}
	return key, nil
}

// ParsePrivateKey reads the text of a file that holds a private ed25519 key in
// base64: the 32 bytes of its seed, or these and the public key. Errors do not
// show the text.
func ParsePrivateKey(text string) (ed25519.PrivateKey, error) {
	bytes, err := decodeKey(text)
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	if len(bytes) != ed25519.SeedSize && len(bytes) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("private key: %d bytes: want a seed of %d, or %d with the public key, in base64", len(bytes), ed25519.SeedSize, ed25519.PrivateKeySize)
	}
	key := ed25519.NewKeyFromSeed(bytes[:ed25519.SeedSize])
	if len(bytes) == ed25519.PrivateKeySize && !key.Equal(ed25519.PrivateKey(bytes)) {
		return nil, errors.New("private key: its two halves do not belong together: take the file anew")
	}
	return key, nil
}

func decodeKey(text string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return nil, errors.New("want base64, of one line")
	}
	return key, nil
}
