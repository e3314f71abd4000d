package sqldb

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate applies what is new, in the order of the numbers. What is new may have a
// smaller number than what was applied: each area counts its own. On PostgreSQL a
// lock of the session keeps two programs that start together apart; SQLite has
// its own. It fails with [ErrNewer].
func migrate(ctx context.Context, db *sql.DB, dialect Dialect) error {
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true), goose.WithTableName("schema_version"), goose.WithAllowOutofOrder(true)}
	var name database.Dialect = goose.DialectSQLite3
	other := ".postgres.sql"
	if dialect == Postgres {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		options = append(options, goose.WithSessionLocker(locker))
		name, other = goose.DialectPostgres, ".sqlite.sql"
	}
	texts, foreign, err := split(other)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	provider, err := goose.NewProvider(name, db, texts, append(options, goose.WithExcludeNames(foreign))...)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	is, err := schemaOf(ctx, db)
	if err == nil && len(is.Unknown) > 0 {
		err = fmt.Errorf("its schema has versions %d: %w", is.Unknown, ErrNewer)
	}
	return err
}

// split returns the migrations and the names of those with the other suffix.
func split(other string) (texts fs.FS, foreign []string, err error) {
	texts, err = fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, nil, err
	}
	entries, err := fs.ReadDir(texts, ".")
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), other) {
			foreign = append(foreign, e.Name())
		}
	}
	return texts, foreign, err
}
