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
	Run            runCommand                `cmd:"" help:"Serve pages and JSON until interrupted."`
	CheckConfig    checkCommand              `cmd:"" name:"check-config" help:"Read the configuration, name every fault with its remedy, and change nothing."`
	Load           loadCommand               `cmd:"" help:"Make the database say what a residence's file says: dwellings, households, meters. All of it or nothing; doing it again changes nothing."`
	Admin          adminCommand              `cmd:"" help:"Make the first administrator and print the code to sign in with."`
	Invite         inviteCommand             `cmd:"" help:"Print a new sign-in code for each person, for a letter. The person's code before it stops working."`
	ImportStock    importStockCommand        `cmd:"" name:"import-stock" help:"Import a file of dwellings, CSV or XLSX. All of it or nothing; doing it again changes nothing."`
	Access         accessCommand             `cmd:"" name:"broker-access" help:"Write the files by which the broker knows its users, and make the passwords of API and collector where there are none. The API does it at each enrolment of a gateway."`
	Temperatures   importTemperaturesCommand `cmd:"" name:"import-temperatures" help:"Keep the outdoor temperatures of a residence's days, from a CSV, so that heating can be compared. All of it or nothing; doing it again changes nothing."`
	ImportMachines importMachinesCommand     `cmd:"" name:"import-machines" help:"Take in a file of computers, CSV, for the workshop of a residence. All of it or nothing."`
	Remind         remindCommand             `cmd:"" help:"Remind who has a place in a training 7 days and 1 day before: e-mails, letters to print, calls to make. Each once; the API does it each hour."`
	SignKey        signKeyCommand            `cmd:"" name:"sign-key" help:"Make the pair of keys that signs gateways' configurations: FILE is for the API, FILE.pub for the gateways. Files that exist are left alone."`
	Backup         backupCommand             `cmd:"" help:"Copy the SQLite database to a new file, while the API may run."`
	Restore        restoreCommand            `cmd:"" help:"Put a back-up in the database's place, and erase again what was erased since. The API must not run."`
	BackupAll      backupAllCommand          `cmd:"" name:"backup-all" help:"Back up everything, SQL and InfluxDB, into one new folder, while the programs may run."`
	RestoreAll     restoreAllCommand         `cmd:"" name:"restore-all" help:"Put a back-up of backup-all in place, and erase again what was erased since. The API must not run."`
	Replay         replayCommand             `cmd:"" name:"replay-erasures" help:"Erase again what the ledger of erasures says and the database does not: after pg_restore, or a restore of InfluxDB."`
	Nightly        nightlyCommand            `cmd:"" help:"Judge the nights: leaks, cold flats, silent meters, and what to advise each home. The API does it each morning; doing it again changes nothing."`
	Doctor         doctorCommand             `cmd:"" help:"Look at the whole chain and say of each part that it is well, or what is wrong and what to do. Changes nothing; exit status 1 where something is wrong."`
	Retention      retentionCommand          `cmd:"" help:"Drop what is older than it may be kept, and look at InfluxDB's retention. The API does it each day."`
	LoadCase       loadCaseCommand           `cmd:"" name:"load-case" help:"Load the years 2006 to 2009 of the project that the product comes from, as a residence of its own. Doing it again changes nothing."`
	Indicators     exportIndicatorsCommand   `cmd:"" name:"export-indicators" help:"Write the indicators of the programme as CSV, XLSX or PDF."`
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
