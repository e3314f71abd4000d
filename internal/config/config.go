// Package config reads a program's configuration: defaults, then a YAML file,
// then the environment, then the program's own validation. Secrets stand in
// files of their own.
package config

import (
	"encoding"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// A Validator joins every fault of a configuration, each with its remedy.
type Validator interface{ Validate() error }

// Load fills cfg, which holds the defaults, from the YAML file at path (none
// where path is empty) and from the environment, and validates it. An unknown
// key is an error that shows its line. The variable PREFIX_A_B overrides the
// key b below a; it reaches texts, numbers, booleans and durations, not lists.
func Load(cfg Validator, path, prefix string, getenv func(string) string) error {
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("configuration: %w", err)
		}
		if err := Decode(text, cfg); err != nil {
			return fmt.Errorf("configuration %s: %w", path, err)
		}
	}
	if err := override(reflect.ValueOf(cfg).Elem(), prefix, getenv); err != nil {
		return err
	}
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("configuration %s:\n%w", path, err)
	}
	return nil
}

// Decode reads YAML into v strictly: an unknown or repeated key is an error that
// shows the place. Empty text leaves v as it is.
func Decode(text []byte, v any) error {
	if strings.TrimSpace(string(text)) == "" {
		return nil
	}
	if err := yaml.UnmarshalWithOptions(text, v, yaml.Strict()); err != nil {
		return errors.New(yaml.FormatError(err, false, true))
	}
	return nil
}

// Secret returns the text of the file at path without the line end; "" where
// path is empty.
func Secret(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("secret: %w", err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

func override(v reflect.Value, name string, getenv func(string) string) error {
	if v.Kind() == reflect.Struct {
		return overrideFields(v, name, getenv)
	}
	text := getenv(name)
	if text == "" {
		return nil
	}
	if err := set(v, text); err != nil {
		return fmt.Errorf("environment variable %s=%q: %w", name, text, err)
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
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
		return nil
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		v.SetBool(b)
		return err
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		v.SetInt(n)
		return err
	default:
		return fmt.Errorf("a %s cannot be set from the environment: use the file", v.Type())
	}
}
