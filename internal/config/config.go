// Package config reads a program's configuration: defaults, then a YAML file,
// then the environment, then the program's own validation. Secrets stand in
// files of their own.
package config

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// A Validator joins every fault of a configuration, each with its remedy, and
// where it can with its place; see [At].
type Validator interface{ Validate() error }

// Load fills cfg, which holds the defaults, from the YAML file at path (none
// where path is empty) and from the environment, and validates it. An unknown
// key is an error that shows its line. The variable PREFIX_A_B overrides the
// key b below a where it is not empty; it reaches texts, numbers, booleans,
// durations and whatever reads itself from text, not lists. Errors name the file,
// with line and column where the fault has a place there, or the variable.
func Load(cfg Validator, path, prefix string, getenv func(string) string) error {
	var text []byte
	if path != "" {
		var err error
		if text, err = os.ReadFile(path); err != nil {
			return fmt.Errorf("configuration: %w: name a file that can be read with --config", err)
		}
		if err := Decode(text, cfg); err != nil {
			return fmt.Errorf("configuration %s: %w", path, err)
		}
	}
	if err := override(reflect.ValueOf(cfg).Elem(), prefix, getenv); err != nil {
		return err
	}
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("%s:\n%w", strings.TrimSpace("configuration "+path), Place(err, text))
	}
	return nil
}

// Decode reads one YAML document into v strictly: an unknown or repeated key is
// an error that shows the place, a second document is an error too. Empty text
// leaves v as it is.
func Decode(text []byte, v any) error {
	if strings.TrimSpace(string(text)) == "" {
		return nil
	}
	var first, second any
	d := yaml.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&first); err == nil && first == nil || errors.Is(err, io.EOF) {
		return nil // comments only, which the library would take for a null that clears v
	}
	if err := d.Decode(&second); err == nil && second != nil {
		return errors.New("a second document begins after a line ---: join the two into one")
	}
	if err := yaml.UnmarshalWithOptions(text, v, yaml.Strict()); err != nil {
		return errors.New(yaml.FormatError(err, false, true))
	}
	return nil
}

// Secret returns the text of the file at path without the line end; "" where
// path is empty. A file without text is an error: it would be no secret. Errors
// name the file, never what stands in it.
func Secret(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("secret: %w", err)
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if secret == "" {
		return "", fmt.Errorf("secret: %s is empty: write the secret into it, or leave its path out of the configuration", path)
	}
	return secret, nil
}

func override(v reflect.Value, name string, getenv func(string) string) error {
	_, text := v.Addr().Interface().(encoding.TextUnmarshaler)
	if v.Kind() == reflect.Struct && !text {
		return overrideFields(v, name, getenv)
	}
	setting := getenv(name)
	if setting == "" {
		return nil
	}
	if err := set(v, setting); err != nil {
		return fmt.Errorf("environment variable %s=%q: %w", name, setting, err)
	}
	return nil
}

func overrideFields(v reflect.Value, name string, getenv func(string) string) error {
	var errs []error
	for i := range v.NumField() {
		key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if key == "" || key == "-" {
			continue
		}
		errs = append(errs, override(v.Field(i), name+"_"+strings.ToUpper(key), getenv))
	}
	return errors.Join(errs...)
}

func set(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	if v.Type() == reflect.TypeFor[time.Duration]() {
		d, err := time.ParseDuration(text)
		v.SetInt(int64(d))
		return err
	}
	switch {
	case v.Kind() == reflect.String:
		v.SetString(text)
		return nil
	case v.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(text)
		v.SetBool(b)
		return err
	case v.CanInt():
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		v.SetInt(n)
		return err
	case v.CanUint():
		n, err := strconv.ParseUint(text, 10, v.Type().Bits())
		v.SetUint(n)
		return err
	case v.CanFloat():
		x, err := strconv.ParseFloat(text, v.Type().Bits())
		v.SetFloat(x)
		return err
	default:
		return fmt.Errorf("a %s cannot be set from the environment: use the file", v.Type())
	}
}
