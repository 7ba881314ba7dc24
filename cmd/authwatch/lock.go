package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// lockDatabase makes sure that one process serves a SQLite file: the returned file holds the lock until it is closed,
// and the kernel releases it when the process dies. The other commands do not take it, they work beside a server.
func lockDatabase(db databaseFlag) (io.Closer, error) {
	if db.postgres() {
		return io.NopCloser(nil), nil
	}
	path := db.DB + ".lock"
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the database: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := io.ReadAll(io.LimitReader(file, 64))
		file.Close()
		return nil, &exitError{Status: exitLocked, Err: fmt.Errorf("%s is served by another process (%s, by %s): stop it first, or name another database with --db",
			db.DB, strings.TrimSpace(string(holder)), path)}
	}
	if err := file.Truncate(0); err != nil {
		file.Close()
		return nil, fmt.Errorf("lock the database: %w", err)
	}
	if _, err := fmt.Fprintf(file, "process %d\n", os.Getpid()); err != nil {
		file.Close()
		return nil, fmt.Errorf("lock the database: %w", err)
	}
	return file, nil
}
