// Command api serves the tenants' pages and JSON, knows the residences, and
// publishes which meters exist.
package main

import (
	"context"
	"io"
	"os"

	"github.com/xnetroseraie/xnet/internal/commandline"
)

// commands is what the program can be told to do.
type commands struct {
	Run         runCommand         `cmd:"" help:"Serve pages and JSON until interrupted."`
	CheckConfig checkCommand       `cmd:"" name:"check-config" help:"Read the configuration, name every fault with its remedy, and change nothing."`
	Load        loadCommand        `cmd:"" help:"Make the database say what a residence's file says: dwellings, households, meters. All of it or nothing; doing it again changes nothing."`
	Admin       adminCommand       `cmd:"" help:"Make the first administrator and print the code to sign in with."`
	Invite      inviteCommand      `cmd:"" help:"Print a new sign-in code for each person, for a letter. The person's code before it stops working."`
	ImportStock importStockCommand `cmd:"" name:"import-stock" help:"Import a file of dwellings, CSV or XLSX. All of it or nothing; doing it again changes nothing."`
	SignKey     signKeyCommand     `cmd:"" name:"sign-key" help:"Make the pair of keys that signs gateways' configurations: FILE is for the API, FILE.pub for the gateways. Files that exist are left alone."`
	Backup      backupCommand      `cmd:"" help:"Copy the SQLite database to a new file, while the API may run."`
	Restore     restoreCommand     `cmd:"" help:"Put a back-up in the database's place, and erase again what was erased since. The API must not run."`
	Replay      replayCommand      `cmd:"" name:"replay-erasures" help:"Erase again what the ledger of erasures says and the database does not: after pg_restore, or a restore of InfluxDB."`
	Retention   retentionCommand   `cmd:"" help:"Drop what is older than it may be kept, and look at InfluxDB's retention. The API does it each day."`
}

// program is what commands are given besides their own arguments.
type program struct {
	getenv func(string) string
	stdout io.Writer
}

func main() {
	commandline.Main("api", func(ctx context.Context) error { return run(ctx, os.Args[1:], os.Getenv, os.Stdout) })
}

// run does what args say and returns when it is done or ctx ends.
func run(ctx context.Context, args []string, getenv func(string) string, stdout io.Writer) error {
	return commandline.Program{
		Name:     "api",
		About:    "The XnetRoseraie API: tenants' pages, JSON, and the registry of meters.",
		Commands: &commands{},
		Given:    func() any { return program{getenv, stdout} },
	}.Run(ctx, args, stdout, os.Stderr)
}
