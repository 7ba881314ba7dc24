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
	templateMemory  = 24 << 20 // bytes of the texts that are remembered to read failures; when it is full, all are forgotten
	templateText    = 32 << 10 // longer ones are not worth it
	templateDay     = 24 * 60 * 60 * 1000
)

// errNoTemplate says that a failure names a template which is not there.
var errNoTemplate = errors.New("template is missing")

// templates are those of the database as far as they are remembered. When there are many, a text's template is
// written once the text has come a second time, so that what comes once only leaves nothing behind.
type templates struct {
	printer printer

	mu     sync.RWMutex
	known  map[textPrint]*template
	once   map[textPrint]struct{} // of texts that came once
	wanted map[string]int64       // texts that wait to be written
	texts  map[int64]string       // by id: those of failures that were read
	bytes  int                    // of texts

	packers sync.Pool
}

// A template is one that is in the database. Retention removes it only when it was not used for longer than failures are
// kept, so a failure may name it as long as its row is marked as used on this day or the day before.
type template struct {
	id  int64
	day int64 // in which its row was last marked as used, numbered from 1970
}

func newTemplates() *templates {
	t := &templates{
		printer: newPrinter(),
		known:   map[textPrint]*template{}, once: map[textPrint]struct{}{}, wanted: map[string]int64{}, texts: map[int64]string{},
	}
	t.packers.New = func() any { return newPacker() }
	return t
}

// find returns the template of that text if a failure of today may name it. It takes note of a text that it does not know,
// and asks for one to be written that came before.
func (t *templates) find(text []byte, today int64) *template {
	if len(text) > templateText {
		return nil
	}
	print := t.printer.print(text)
	t.mu.RLock()
	found := t.known[print]
	t.mu.RUnlock()
	if found != nil && found.day >= today {
		return found
	}
	t.want(print, text, found != nil, today)
	if found == nil || found.day < today-1 {
		return nil
	}
	return found
}

func (t *templates) want(print textPrint, text []byte, known bool, today int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, came := t.once[print]; !came && !known && len(t.known) > templatesAtOnce {
		if len(t.once) >= maxTemplates {
			clear(t.once)
		}
		t.once[print] = struct{}{}
		return
	}
	if len(t.wanted) < maxWanted {
		t.wanted[string(text)] = today
	}
}

// take returns the texts that wait to be written, and the days on which they came.
func (t *templates) take() map[string]int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	taken := t.wanted
	t.wanted = map[string]int64{}
	return taken
}

// remember takes note of a template that is in the database.
func (t *templates) remember(text string, one *template) {
	print := t.printer.print([]byte(text))
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.known) > 2*maxTemplates { // most of them are of failures that are no longer kept
		clear(t.known)
	}
	if known := t.known[print]; known == nil || known.day < one.day {
		t.known[print] = one
	}
}

// text is that of a template, "" if it is not remembered.
func (t *templates) text(id int64) string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.texts[id]
}

func (t *templates) keepText(id int64, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bytes += len(text) + 128; t.bytes > templateMemory {
		t.texts, t.bytes = map[int64]string{}, len(text)+128
	}
	t.texts[id] = text
}

// dayOf numbers the day of a time.
func dayOf(at time.Time) int64 { return at.UnixMilli() / templateDay }

// A lesson is templates that are written with the next commit, whatever that is: a commit of their own would take as long. Until
// then their texts are kept whole.
type lesson struct {
	wanted  map[string]int64
	written map[string]*template
}

// lesson takes the texts that wait for templates; nil if there are none.
func (t *templates) lesson() *lesson {
	wanted := t.take()
	if len(wanted) == 0 {
		return nil
	}
	return &lesson{wanted: wanted}
}

func (l *lesson) write(ctx context.Context, tx *Tx) error {
	l.written = make(map[string]*template, len(l.wanted))
	for _, text := range sortedKeys(l.wanted) {
		id, err := tx.putTemplate(ctx, text, l.wanted[text])
		if err != nil {
			return fmt.Errorf("write template: %w", err)
		}
		if id != 0 {
			l.written[text] = &template{id: id, day: l.wanted[text]}
		}
	}
	return nil
}

// learn remembers the templates of a lesson that is committed.
func (t *templates) learn(l *lesson) {
	for text, one := range l.written {
		t.remember(text, one)
	}
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

// load returns the text of the template of that id.
func (t *templates) load(ctx context.Context, from querier, id int64) (string, error) {
	if text := t.text(id); text != "" {
		return text, nil
	}
	var packed []byte
	err := from.QueryRowContext(ctx, `select text from template where id = $1`, id).Scan(&packed)
	if errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("%w: %d", errNoTemplate, id)
	}
	if err != nil {
		return "", fmt.Errorf("load template %d: %w", id, err)
	}
	unpacked, err := s2.Decode(nil, packed)
	if err != nil {
		return "", fmt.Errorf("read template %d: %w", id, err)
	}
	text := string(unpacked)
	t.keepText(id, text)
	return text, nil
}
