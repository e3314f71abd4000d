package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/xnetroseraie/xnet/deploy/bench"
)

// replay runs the program that measures the replay of an outage, where it is
// there, and takes its row over.
func (c *commands) replay(ctx context.Context) ([]bench.Row, error) {
	dir := filepath.Join("deploy", "bench", "replay")
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		c.say("  %s is not there: left out", dir)
		return nil, nil
	}
	command := exec.CommandContext(ctx, "go", "run", "./"+filepath.ToSlash(dir))
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, c.stderr
	failed := command.Run()
	rows := rowsIn(out.Bytes())
	if len(rows) == 0 {
		return nil, errors.Join(failed, fmt.Errorf("%s printed no row", dir))
	}
	return rows, nil // a goal that is not met shows in the row
}

// rowsIn returns the rows among lines of output.
func rowsIn(out []byte) []bench.Row {
	var rows []bench.Row
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		var r bench.Row
		if err := json.Unmarshal(lines.Bytes(), &r); err == nil && r.Bench != "" {
			rows = append(rows, r)
		}
	}
	return rows
}
