//go:build ignore

package main

// Logs reads all that the servers under test have logged into a folder, and exits
// with status 1 where a line tells a name, an address, a code or a secret, or where
// nothing was logged at all.

import (
	"fmt"
	"os"

	"github.com/xnetroseraie/xnet/internal/testkit"
)

func main() {
	told, err := testkit.ReadLogs(os.Args[1])
	if err != nil {
		fmt.Println("logs:", err)
		os.Exit(1)
	}
	for _, line := range told.Found {
		fmt.Print("logs: ", line)
	}
	fmt.Printf("logs: %d lines in %d files, searched for %d names of persons and for addresses, codes and secrets: %d told\n",
		told.Lines, told.Files, told.Names, len(told.Found))
	if len(told.Found) > 0 || told.Lines == 0 {
		os.Exit(1)
	}
}
