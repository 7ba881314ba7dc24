package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
)

// SQLite appends commits to the WAL, and a checkpoint copies them into the file: twice the writing, and by default the
// writer's. Here it is done beside the writer, from a certain size on, so that pages which many commits change are
// copied once. The WAL begins anew only when all of it was copied; under load the writer therefore copies the little that is
// left itself when the WAL has become long.

const (
	checkpointPages = 4_000  // not copied yet, from which a checkpoint is worth it: 16 MiB
	walPages        = 16_000 // from which the writer helps, so that the WAL begins anew: 64 MiB
	// walMost is where writes are refused: a reader that does not end keeps the WAL from beginning anew, and must not fill the disk.
	walMost = 1_000_000 // 4 GiB
)

// A checkpointer is nil where the engine does this by itself.
type checkpointer struct {
	db      *sql.DB
	wake    chan struct{} // holds one
	running sync.WaitGroup
	once    sync.Once
	copying sync.Mutex // held by one that copies beside the writer

	most int64 // pages of the WAL
	full bool  // it has them; of the writer's goroutine
}

func newCheckpointer(readers *sql.DB) *checkpointer {
	c := &checkpointer{db: readers, wake: make(chan struct{}, 1), most: walMost}
	c.running.Go(func() {
		for range c.wake {
			c.copy(context.Background())
		}
	})
	return c
}

// copy copies what was committed. What fails is tried again after the next commit.
func (c *checkpointer) copy(ctx context.Context) {
	conn, err := c.db.Conn(ctx)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }() // hands it back
	c.copying.Lock()
	defer c.copying.Unlock()
	var tables int64 // before its first read a connection does not know of the WAL
	if conn.QueryRowContext(ctx, `select count(*) from sqlite_master`).Scan(&tables) == nil {
		_, _, _ = checkpoint(ctx, conn, `passive`)
	}
}

// checkpoint copies the WAL, or with noop only says how many pages it has and how many of them are copied.
func checkpoint(ctx context.Context, conn *sql.Conn, mode string) (pages, copied int64, err error) {
	var busy int64
	err = conn.QueryRowContext(ctx, `pragma wal_checkpoint(`+mode+`)`).Scan(&busy, &pages, &copied)
	return pages, copied, err
}

// committed is called by the writer between its transactions.
func (c *checkpointer) committed(ctx context.Context, conn *sql.Conn) {
	if c == nil || conn == nil {
		return
	}
	pages, copied, err := checkpoint(ctx, conn, `noop`)
	if err != nil || pages-copied < checkpointPages && pages < walPages {
		return
	}
	c.full = pages >= c.most
	if pages >= walPages {
		// Nothing but that one is in hand can be wrong with it. If it has copied all, another would only be in the way of beginning anew.
		if all, copied, err := checkpoint(ctx, conn, `passive`); err == nil && all == copied {
			return
		}
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// refuse is an ErrBusy as long as the WAL is full and a reader needs it.
func (c *checkpointer) refuse(ctx context.Context, conn *sql.Conn) error {
	if c == nil || conn == nil || !c.full {
		return nil
	}
	c.copying.Lock() // two cannot copy at once, and the second is not told whether a reader is in the way
	defer c.copying.Unlock()
	pages, copied, err := checkpoint(ctx, conn, `passive`)
	if err == nil && pages > copied {
		return fmt.Errorf("%w: the log of writes has %d pages, which a reader that does not end still needs", ErrBusy, pages)
	}
	c.full = false // what is wrong otherwise the write itself will tell
	return nil
}

// stop waits for a checkpoint in hand. It is called after the writer has ended.
func (c *checkpointer) stop() {
	if c != nil {
		c.once.Do(func() { close(c.wake) })
		c.running.Wait()
	}
}
