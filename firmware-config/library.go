package firmwareconfig

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

//go:embed profiles/*.yaml
var shipped embed.FS

const suffix = ".yaml"

// A Library is the profiles that a gateway knows: those that ship with it, each
// read once when it is first asked for, and those that a site made. Make it with
// [OpenLibrary]. Its methods may be called from several goroutines; the profiles
// share their slices and are not to be changed.
type Library struct {
	own   map[string]Profile
	files map[string]string // of the site's own

	mu   sync.Mutex
	read map[string]Profile // shipped ones
}

// OpenLibrary reads, where dir is not empty, every file *.yaml of dir, whose
// name is the profile's. It joins every fault. A file of the site that bears
// the name of a profile that ships is a fault: one of the two would be read
// where the other is meant.
func OpenLibrary(dir string) (*Library, error) {
	l := &Library{own: map[string]Profile{}, files: map[string]string{}, read: map[string]Profile{}}
	if dir == "" {
		return l, nil
	}
	if err := l.addOwn(dir); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *Library) addOwn(dir string) error {
	if _, err := os.ReadDir(dir); err != nil {
		return fmt.Errorf("profiles_dir: %w: make the folder, or leave the setting out", err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil {
		return fmt.Errorf("profiles_dir %s: %w", dir, err)
	}
	var errs []error
	for _, file := range files {
		if err := l.addFile(file); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", file, err))
		}
	}
	return errors.Join(errs...)
}

func (l *Library) addFile(file string) error {
	name := strings.TrimSuffix(filepath.Base(file), suffix)
	if slices.Contains(Profiles(), name) {
		return fmt.Errorf("a profile %s ships with the gateway: give yours a name of its own", name)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	p, err := ParseProfile(name, text)
	if err != nil {
		return err
	}
	l.own[name], l.files[name] = p, file
	return nil
}

// Names returns the names of all profiles, sorted.
func (l *Library) Names() []string {
	names := slices.AppendSeq(Profiles(), maps.Keys(l.own))
	slices.Sort(names)
	return names
}

// All returns every profile, sorted by name.
func (l *Library) All() ([]Profile, error) {
	var all []Profile
	for _, name := range l.Names() {
		p, err := l.ByName(name)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// ByName returns a profile, or an error that lists the names there are.
func (l *Library) ByName(name string) (Profile, error) {
	if p, ok := l.own[name]; ok {
		return p, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if p, ok := l.read[name]; ok {
		return p, nil
	}
	if !slices.Contains(Profiles(), name) {
		return Profile{}, unknown(name, l.Names())
	}
	p, err := LoadProfile(name)
	if err == nil {
		l.read[name] = p
	}
	return p, err
}

// File returns the file that a profile of the site's own was read from, ""
// where it ships with the gateway.
func (l *Library) File(name string) string { return l.files[name] }

func unknown(name string, known []string) error {
	return fmt.Errorf("profile %q is not known, known are %s", name, strings.Join(known, ", "))
}

// Profiles returns the names of the profiles that ship, sorted.
func Profiles() []string {
	entries, err := fs.ReadDir(shipped, "profiles")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), suffix)
	}
	return names
}

// LoadProfile returns the shipped profile of that name, or an error that lists
// the names there are. A site's own are in its [Library].
func LoadProfile(name string) (Profile, error) {
	text, err := shipped.ReadFile(path.Join("profiles", name+suffix))
	if err != nil {
		return Profile{}, unknown(name, Profiles())
	}
	return ParseProfile(name, text)
}
