package main

import (
	"log/slog"
	"testing"

	"github.com/xnetroseraie/xnet/internal/testkit"
)

func logger(t testing.TB) *slog.Logger { return testkit.Logger(t) }
