package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/klauspost/compress/s2"
)

const (
	maxTemplates    = 20_000   // in the database: beyond that texts are kept whole
	templatesAtOnce = 5_000    // remembered: as long as there are fewer, one is written when its text comes for the first time
	maxWanted       = 500      // that wait to be written
	templateMemory  = 24 << 20 // bytes of templates that are remembered; when it is full, all are forgotten
	templateText    = 32 << 10 // longer ones are not worth it
	templateDay     = 24 * 60 * 60 * 1000
)

// errNoTemplate says that a failure names a template which is not there.
var errNoTemplate = errors.New("template is missing")

// templates are those of the database as far as they are remembered. When there are many, a text's template is
// written once the text has come a second time, so that what comes once only leaves nothing behind.
type templates struct {
	mu     sync.RWMutex
	byText map[string]*template
	byID   map[int64]*template
	once   map[[8]byte]struct{} // digests of texts that came once
	wanted map[string]int64     // texts that wait to be written
	ask    chan struct{}        // wakes who writes them; holds one

	stopped  chan struct{}
	stopOnce sync.Once

	bytes   int
	packers sync.Pool
}

// A template is one that is in the database. Retention removes it only when it was not used for longer than failures are
// kept, so a failure may name it as long as its row is marked as used on this day or the day before.
type template struct {
	id   int64
	text string
	day  int64 // in which its row was last marked as used, numbered from 1970
}

func newTemplates() *templates {
	t := &templates{ask: make(chan struct{}, 1), stopped: make(chan struct{})}
	t.forget()
	t.packers.New = func() any { return newPacker() }
	return t
}

// forget empties the memory.
func (t *templates) forget() {
	t.byText, t.byID, t.bytes = map[string]*template{}, map[int64]*template{}, 0
	t.once, t.wanted = map[[8]byte]struct{}{}, map[string]int64{}
}

// find returns the template of that text if a failure of today may name it. It takes note of a text that it does not know,
// and asks for one to be written that came before.
func (t *templates) find(text []byte, today int64) *template {
	t.mu.RLock()
	found := t.byText[string(text)]
	t.mu.RUnlock()
	if found != nil && found.day >= today || len(text) > templateText {
		return found
	}
	t.want(text, found != nil, today)
	if found == nil || found.day < today-1 {
		return nil
	}
	return found
}

func (t *templates) want(text []byte, known bool, today int64) {
	sum := sha256.Sum256(text)
	print := [8]byte(sum[:])
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, came := t.once[print]; !came && !known && len(t.byText) > templatesAtOnce {
		if len(t.once) >= maxTemplates {
			clear(t.once)
		}
		t.once[print] = struct{}{}
		return
	}
	if len(t.wanted) < maxWanted {
		t.wanted[string(text)] = today
	}
	select {
	case t.ask <- struct{}{}:
	default: // the writer of templates is awake already
	}
}

// asked waits until texts wait to be written. It reports false once stop was called.
func (t *templates) asked() bool {
	select {
	case <-t.ask:
		return true
	case <-t.stopped:
		return false
	}
}

func (t *templates) stop() { t.stopOnce.Do(func() { close(t.stopped) }) }

// take returns the texts that wait to be written, and the days on which they came.
func (t *templates) take() map[string]int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	taken := t.wanted
	t.wanted = map[string]int64{}
	return taken
}

func (t *templates) remember(one *template) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.byID[one.id]; known != nil && known.day >= one.day {
		return
	}
	if t.bytes += len(one.text) + 128; t.bytes > templateMemory {
		t.forget()
	}
	t.byText[one.text], t.byID[one.id] = one, one
}

func (t *templates) get(id int64) *template {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byID[id]
}

// dayOf numbers the day of a time.
func dayOf(at time.Time) int64 { return at.UnixMilli() / templateDay }

// writeTemplates writes the templates of texts that wait for them, until the store is closed. Until one is written, its
// texts are kept whole.
func (s *Store) writeTemplates() {
	for s.templates.asked() {
		_ = s.learnTemplates(context.Background()) // what was not written is asked for again
	}
}

func (s *Store) learnTemplates(ctx context.Context) error {
	wanted := s.templates.take()
	written := make([]template, 0, len(wanted))
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		written = written[:0]
		for _, text := range sortedKeys(wanted) {
			id, err := tx.putTemplate(ctx, text, wanted[text])
			if err != nil {
				return fmt.Errorf("write template: %w", err)
			}
			if id != 0 {
				written = append(written, template{id: id, text: text, day: wanted[text]})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range written {
		s.templates.remember(&written[i])
	}
	return nil
}

// putTemplate returns the id of the template with that text; 0 when there are too many.
func (t *Tx) putTemplate(ctx context.Context, text string, day int64) (id int64, err error) {
	sum := sha256.Sum256([]byte(text))
	print := sum[:16]
	find := func() error {
		return t.queryRow(ctx, `update template set used_on = case when used_on < $1 then $1 else used_on end where print = $2 returning id`, day, print).Scan(&id)
	}
	if err := find(); !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	var last int64
	if err := t.queryRow(ctx, `select coalesce(max(id), 0) from template`).Scan(&last); err != nil {
		return 0, err
	}
	if t.room == 0 || t.roomOn != day {
		var count int
		if err := t.queryRow(ctx, `select count(*) from template where id > $1`, last-maxTemplates).Scan(&count); err != nil {
			return 0, err
		}
		t.room, t.roomOn = maxTemplates-count, day
	}
	if t.room <= 0 {
		t.room = -1 // full, for today
		return 0, nil
	}
	t.room--
	packed := s2.Encode(nil, []byte(text))
	if err := t.exec(ctx, `insert into template (id, print, text, used_on) values ($1, $2, $3, $4) on conflict do nothing`, last+1, print, packed, day); err != nil {
		return 0, err
	}
	if err := find(); errors.Is(err, sql.ErrNoRows) {
		return 0, nil // another replica took the number
	} else if err != nil {
		return 0, err
	}
	return id, nil
}

// load returns the template of that id.
func (t *templates) load(ctx context.Context, from querier, id int64) (*template, error) {
	if one := t.get(id); one != nil {
		return one, nil
	}
	var packed []byte
	one := &template{id: id}
	err := from.QueryRowContext(ctx, `select text, used_on from template where id = $1`, id).Scan(&packed, &one.day)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%w: %d", errNoTemplate, id)
	}
	if err != nil {
		return nil, fmt.Errorf("load template %d: %w", id, err)
	}
	text, err := s2.Decode(nil, packed)
	if err != nil {
		return nil, fmt.Errorf("read template %d: %w", id, err)
	}
	one.text = string(text)
	t.remember(one)
	return one, nil
}
