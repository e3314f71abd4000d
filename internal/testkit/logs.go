package testkit

import (
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// LogsVariable names the folder that keeps all that the servers under test say, at
// the finest level, for [ReadLogs]. Where it is empty nothing is kept.
const LogsVariable = "XNET_TEST_LOGS"

// Kept files of the folder: what was logged, and whom the tests made up.
const logFiles, nameFiles = "said-*.log", "names-*.txt"

// Logger returns a logger of debug level that writes to the test's log where the
// tests run with -v, to the folder of [LogsVariable], and to whom else the test
// wants to hear it.
func Logger(t testing.TB, also ...io.Writer) *slog.Logger {
	t.Helper()
	if testing.Verbose() {
		also = append(also, t.Output())
	}
	if file := keep(t, logFiles); file != nil {
		also = append(also, file)
	}
	if len(also) == 0 {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(io.MultiWriter(also...), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// LogFile makes a file for what a program under test says, in the folder of
// [LogsVariable] or else in one of the test's own.
func LogFile(t testing.TB) *os.File {
	t.Helper()
	if file := keep(t, logFiles); file != nil {
		return file
	}
	file, err := os.CreateTemp(t.TempDir(), logFiles)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return file
}

// keep makes a file in the folder of [LogsVariable]; nil where there is none.
func keep(t testing.TB, pattern string) *os.File {
	t.Helper()
	folder := os.Getenv(LogsVariable)
	if folder == "" {
		return nil
	}
	file, err := os.CreateTemp(folder, pattern)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return file
}

// Seeded tells [ReadLogs] the names of persons whom a test made up.
func Seeded(t testing.TB, names ...string) {
	t.Helper()
	if file := keep(t, nameFiles); file != nil && len(names) > 0 {
		if _, err := file.WriteString(strings.Join(names, "\n") + "\n"); err != nil {
			t.Error(err)
		}
	}
}

// Told is what was found in logs.
type Told struct {
	Files, Lines int
	Names        int      // that were looked for
	Found        []string // lines that tell what they must not, at most 20 of them
}

// ReadLogs reads all logs of a folder for what may stand in none, whosever it is,
// and for the names that were [Seeded] or are given.
func ReadLogs(folder string, names ...string) (Told, error) {
	seeded, err := readSeeded(folder)
	if err != nil {
		return Told{}, err
	}
	people := namesOf(append(seeded, names...))
	told := Told{Names: len(people)}
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if fits, _ := filepath.Match(logFiles, entry.Name()); err != nil || entry.IsDir() || !fits {
			return err
		}
		text, err := os.ReadFile(path)
		told.Files++
		for line := range strings.Lines(string(text)) {
			told.read(line, people)
		}
		return err
	})
	return told, err
}

func (told *Told) read(line string, people map[string]bool) {
	told.Lines++
	secret := Untold(line)
	if secret == "" {
		secret = nameIn(line, people)
	}
	if secret != "" && len(told.Found) < 20 {
		told.Found = append(told.Found, fmt.Sprintf("%q in %.300s", secret, line))
	}
}

func readSeeded(folder string) (names []string, err error) {
	files, err := filepath.Glob(filepath.Join(folder, nameFiles))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		names = append(names, strings.Split(string(text), "\n")...)
	}
	return names, nil
}

// What may stand in no log, whosever it is: e-mail addresses, French telephone
// numbers, the codes of letters, tokens of programs, hashes of secrets, secrets in
// addresses of pages, and the doors of the homes that the tests make up.
var untold = regexp.MustCompile(`[A-Za-z0-9._-]+@[A-Za-z0-9-]+\.[a-z]{2,}` +
	`|\b0[1-9]([ .]?[0-9]{2}){4}\b` +
	`|\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b` +
	`|xnet_[A-Za-z0-9_-]{38}` +
	`|\$argon2id\$` +
	`|[?&](code|jeton|mot-de-passe|password|token)=` +
	`|Porte-[A-Z][0-9]+`)

// Untold returns what a line of a log tells and must not: an address, a number, a
// code or a secret. It is empty for nothing.
func Untold(line string) string { return untold.FindString(id.ReplaceAllString(line, "")) }

// id is a UUID, which may look like the code of a letter in its middle.
var id = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

var word = regexp.MustCompile(`\pL[\pL'’-]*`)

// rare is from how many letters on a family name is taken for one where it stands
// alone.
const rare = 7

// namesOf are the first two words of each name, and its last where it is written
// large and long enough not to be an ordinary word. A name of one word is nobody's.
func namesOf(names []string) map[string]bool {
	people := map[string]bool{}
	for _, name := range names {
		words := word.FindAllString(name, -1)
		if len(words) < 2 {
			continue
		}
		people[words[0]+" "+words[1]] = true
		if last := []rune(words[len(words)-1]); len(last) >= rare && unicode.IsUpper(last[0]) {
			people[string(last)] = true
		}
	}
	return people
}

// nameIn is the first of the names in a line; empty for none.
func nameIn(line string, people map[string]bool) string {
	before := ""
	for _, w := range word.FindAllString(line, -1) {
		if people[w] {
			return w
		}
		if people[before+" "+w] {
			return before + " " + w
		}
		before = w
	}
	return ""
}
