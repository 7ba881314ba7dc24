// Steps says how the samples of a profile of the whole server divide among the steps of a record, each sample counted for the
// innermost step in its stack; one column for each server that ran:
//
//	go build -o /tmp/authwatch ./cmd/authwatch
//	perf record -o /tmp/perf.data -a -e cpu-clock -F 499 -g -- go run ./bench -product /tmp/authwatch -parts ingest -percent 2 -records 500000 -rounds 1
//	perf script -i /tmp/perf.data -F comm,pid,ip,sym | go run ./tools/steps
//
// The columns are of the server at full speed and of the one at half of that rate. C code has no frame of Go below it, so
// that a stack without any is SQLite's, and the kernel's for it.
package main
