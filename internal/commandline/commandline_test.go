package commandline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/internal/commandline"
)

type commands struct {
	Name  string  `default:"you"`
	Greet greet   `cmd:"" help:"Say hello."`
	Fail  failing `cmd:"" help:"Fail."`
}

type greet struct{}

func (greet) Run(ctx context.Context, stdout io.Writer, name string) error {
	_, err := fmt.Fprintf(stdout, "hello %s", name)
	return errors.Join(err, ctx.Err())
}

type failing struct{}

var errFailed = errors.New("failed")

func (failing) Run() error { return errFailed }

func TestRun(t *testing.T) {
	for _, tt := range []struct{ name, args, prints, fails string }{
		{"command", "greet", "hello you", ""},
		{"flag", "greet --name=me", "hello me", ""},
		{"help", "--help", "Say hello.", ""},
		{"unknown command", "sing", "", "(see test --help)"},
		{"no command", "", "", "(see test --help)"},
		{"unknown flag", "greet --loud", "", "(see test --help)"},
		{"the command fails", "fail", "", "failed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c commands
			var out bytes.Buffer
			err := commandline.Program{Name: "test", About: "Greets.", Commands: &c, Given: func() any { return c.Name }}.
				Run(t.Context(), strings.Fields(tt.args), &out, &out)
			if !strings.Contains(out.String(), tt.prints) || tt.prints == "" && out.Len() > 0 {
				t.Errorf("prints %q, want %q", out.String(), tt.prints)
			}
			if (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
				t.Errorf("fails with %v, want %q", err, tt.fails)
			}
		})
	}
}
