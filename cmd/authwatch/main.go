// Command authwatch classifies auth failures in HTTP logs: as a service that log shippers post to, and as a filter for files.
package main

import (
	"context"
	"os"
	_ "time/tzdata" // a reader's time zone must be known where the system has no database of them, such as in a container
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}
