package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// bulkInsert is the limit that SQLite sets: the failure rows of a database that the product has filled, put into an
// empty one with the same table and indexes by one prepared INSERT, 1,000 rows a transaction, synchronous=FULL, and
// nothing else. It returns rows per second; reading the rows is not timed.
func bulkInsert(ctx context.Context, from, dir string) (float64, error) {
	source, err := sql.Open("sqlite3", "file:"+from+"?mode=ro")
	if err != nil {
		return 0, err
	}
	defer source.Close()
	path := filepath.Join(dir, "bulk.db")
	defer os.Remove(path)
	target, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate")
	if err != nil {
		return 0, err
	}
	defer target.Close()
	target.SetMaxOpenConns(1)
	if err := copySchema(ctx, source, target); err != nil {
		return 0, err
	}
	// The product keeps the list of an incident's failures beside them, many commits together. Here it is an index.
	if _, err := target.ExecContext(ctx, `create index incident_failure on failure (incident_id)`); err != nil {
		return 0, fmt.Errorf("make index: %w", err)
	}
	rows, err := source.QueryContext(ctx, `select * from failure order by rowid`)
	if err != nil {
		return 0, fmt.Errorf("read failures: %w", err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return 0, err
	}
	insert, err := target.PrepareContext(ctx, `insert into failure values (?`+strings.Repeat(", ?", len(columns)-1)+`)`)
	if err != nil {
		return 0, fmt.Errorf("prepare insert: %w", err)
	}
	defer insert.Close()
	total, elapsed := 0, time.Duration(0)
	for {
		some, err := readRows(rows, len(columns), 1000)
		if err != nil {
			return 0, fmt.Errorf("read failures: %w", err)
		}
		if len(some) == 0 {
			break
		}
		start := time.Now()
		if err := insertRows(ctx, target, insert, some); err != nil {
			return 0, fmt.Errorf("insert failures: %w", err)
		}
		elapsed += time.Since(start)
		total += len(some)
	}
	if total == 0 {
		return 0, errors.New("the database holds no failures")
	}
	return float64(total) / elapsed.Seconds(), nil
}

// copySchema gives target the failure table and its indexes.
func copySchema(ctx context.Context, source, target *sql.DB) error {
	rows, err := source.QueryContext(ctx, `select sql from sqlite_master where tbl_name = 'failure' and sql is not null
		order by type = 'table' desc, name`)
	if err != nil {
		return fmt.Errorf("read schema: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var statement string
		if err := rows.Scan(&statement); err != nil {
			return fmt.Errorf("read schema: %w", err)
		}
		if _, err := target.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("copy schema: %w", err)
		}
	}
	return rows.Err()
}

func readRows(rows *sql.Rows, columns, limit int) ([][]any, error) {
	var out [][]any
	for len(out) < limit && rows.Next() {
		row, into := make([]any, columns), make([]any, columns)
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

func insertRows(ctx context.Context, db *sql.DB, insert *sql.Stmt, rows [][]any) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	statement := tx.StmtContext(ctx, insert)
	for _, row := range rows {
		if _, err := statement.ExecContext(ctx, row...); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}
