package sqldb_test

import (
	"context"
	"errors"
	"testing"

	"github.com/xnetroseraie/xnet/api/sqldb"
)

type numberAsked struct{ of string }
type otherAsked struct{ of string }

func TestRememberedAsksOncePerRequest(t *testing.T) {
	asked := 0
	ask := func(ctx context.Context, question any) int {
		t.Helper()
		got, err := sqldb.Remembered(ctx, question, func() (int, error) { asked++; return asked, nil })
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	request, next := sqldb.WithMemory(t.Context()), sqldb.WithMemory(t.Context())
	for _, tt := range []struct {
		name     string
		ctx      context.Context
		question any
		want     int
	}{
		{"first", request, numberAsked{"a"}, 1},
		{"again", request, numberAsked{"a"}, 1},
		{"of another", request, numberAsked{"b"}, 2},
		{"another question of the same", request, otherAsked{"a"}, 3},
		{"the next request", next, numberAsked{"a"}, 4},
		{"no request", t.Context(), numberAsked{"a"}, 5},
		{"no request again", t.Context(), numberAsked{"a"}, 6},
	} {
		if got := ask(tt.ctx, tt.question); got != tt.want {
			t.Errorf("%s: answer %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestRememberedKeepsNoError(t *testing.T) {
	ctx, why := sqldb.WithMemory(t.Context()), errors.New("away")
	if _, err := sqldb.Remembered(ctx, numberAsked{}, func() (int, error) { return 1, why }); !errors.Is(err, why) {
		t.Errorf("error = %v, want %v", err, why)
	}
	if got, err := sqldb.Remembered(ctx, numberAsked{}, func() (int, error) { return 2, nil }); err != nil || got != 2 {
		t.Errorf("after an error: %d, %v; want 2", got, err)
	}
}
