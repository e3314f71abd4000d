package testkit_test

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/internal/testkit"
)

// TestReadLogs: what must not be logged is found where it is, in whatever form the
// loggers write it, and nothing else is.
func TestReadLogs(t *testing.T) {
	folder := t.TempDir()
	t.Setenv(testkit.LogsVariable, folder)
	testkit.Seeded(t, "Zelmira Amandine", "Quirin de la Brunoyère", "Claire", "Nom manager")
	told := []string{
		"zelmira@amandine.example", "06 71 11 11 71", "0671111171", "ABCD-EF23-GH45", "xnet_" + strings.Repeat("aB3-", 9) + "xy",
		"$argon2id$v=19$m=64", "/entrer?code=A", "Porte-A71", "for Zelmira Amandine!", "AMANDINE is not, Amandine is", "Brunoyère", "Jean Voisin",
	}
	for _, said := range told {
		testkit.Logger(t).Debug("said", "what", said)
	}
	var heard bytes.Buffer
	quiet := testkit.Logger(t, &heard)
	quiet.Info("signed in", "person", "P-amina", "way", "code", "at", "2026-03-18T14:03:28Z", "id", "01a20840-6999-7391-9855-d4241c795c01")
	quiet.Info("Claire is an ordinary word, and so are quirin and de la", "role", "manager")
	program := testkit.LogFile(t)
	slog.New(slog.NewJSONHandler(io.MultiWriter(program, &heard), nil)).Info("for Zelmira Amandine")
	got, err := testkit.ReadLogs(folder, "Jean Voisin")
	if err != nil || got.Lines != len(told)+3 || got.Files != len(told)+2 || len(got.Found) != len(told)+1 {
		t.Errorf("%d files, %d lines, found %d, want %d lines and %d found: %v\n%s", got.Files, got.Lines, len(got.Found),
			len(told)+3, len(told)+1, err, strings.Join(got.Found, ""))
	}
	if n := strings.Count(heard.String(), "\n"); n != 3 {
		t.Errorf("who listens heard %d lines, want 3", n)
	}
}
