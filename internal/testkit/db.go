package testkit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/xnetroseraie/xnet/internal/influxd"
)

// DB runs the test with the data source name of an empty SQLite file, and again
// with that of an empty database on a real PostgreSQL. The test process has one
// PostgreSQL, which ends with it.
func DB(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "xnet.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t)) })
}

// Postgres makes an empty database on the process's PostgreSQL and returns its
// data source name.
func Postgres(t testing.TB) string {
	t.Helper()
	server, err := startPostgres()
	if err != nil {
		Unavailable(t, "no PostgreSQL: %v", err)
	}
	name := fmt.Sprintf("test_%d", server.databases.Add(1))
	conn, err := pgx.Connect(t.Context(), server.dsn("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(t.Context(), "CREATE DATABASE "+name)
	if err := errors.Join(err, conn.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	return server.dsn(name)
}

type postgresServer struct {
	addr      string
	stdin     io.Writer // held open: the server ends when the process does
	databases atomic.Int64
}

func (s *postgresServer) dsn(database string) string {
	return "postgres://postgres@" + s.addr + "/" + database + "?sslmode=disable"
}

// untilStdinEnds runs the server until the test process closes the pipe, which
// the kernel does however the process ends, and then clears up.
const untilStdinEnds = `"$0" -D "$1" -p "$2" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
  -c fsync=off -c synchronous_commit=off -c full_page_writes=off >"$1/log" 2>&1 &
read -r _
kill -QUIT $!
wait
rm -rf "$1"`

var startPostgres = sync.OnceValues(func() (*postgresServer, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	owner, err := postgresOwner()
	if err != nil {
		return nil, err
	}
	folder, err := initPostgres(bin, owner)
	if err != nil {
		return nil, err
	}
	addr, err := influxd.FreeAddr()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	command := exec.Command("sh", "-c", untilStdinEnds, filepath.Join(bin, "postgres"), folder, port)
	command.SysProcAttr = &syscall.SysProcAttr{Credential: owner, Setpgid: true}
	command.Dir = folder
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	s := &postgresServer{addr: addr, stdin: stdin}
	return s, s.waitReady(30 * time.Second)
})

func (s *postgresServer) waitReady(within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.dsn("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("postgres at %s did not answer: %w", s.addr, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func postgresBin() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("install Debian's package postgresql")
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// postgresOwner is who runs the server: nil for the user itself; PostgreSQL
// refuses root, which lends itself to another.
func postgresOwner() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil //nolint:nilnil // no credential means the user itself
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("postgres refuses root, and there is no user postgres or nobody")
}

func initPostgres(bin string, owner *syscall.Credential) (string, error) {
	folder, err := os.MkdirTemp("", "xnet-postgres-")
	if err != nil {
		return "", fmt.Errorf("init postgres: %w", err)
	}
	if owner != nil {
		if err := os.Chown(folder, int(owner.Uid), int(owner.Gid)); err != nil {
			return "", fmt.Errorf("init postgres: %w", err)
		}
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", folder, "-U", "postgres",
		"--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	initdb.Dir = folder
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
	if said, err := initdb.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("init postgres: %w: %s", err, strings.TrimSpace(string(said))), os.RemoveAll(folder))
	}
	return folder, nil
}
