package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// A ViewPage is a page of which views are kept.
type ViewPage string

// The pages with views.
const (
	ViewOverview  ViewPage = "overview"
	ViewIncidents ViewPage = "incidents"
)

// A View is a page with filters that somebody gave a name.
type View struct {
	ID        string // "viw_" and a UUIDv7
	Page      ViewPage
	Name      string
	Query     string // of the page's URL, encoded
	Owner     string // id of the user whose own it is; "" for everybody's
	By        string // who saved it
	CreatedAt time.Time
}

const (
	maxViewName  = 100
	maxViewQuery = 2000
	// maxViews is how many views of a page one user has, and how many everybody shares.
	maxViews = 100
)

// ErrTooMany says that a bounded list is full.
var ErrTooMany = errors.New("the list is full")

// Faults lists what is wrong with a view.
func (v View) Faults() (list []AlertFault) {
	if v.Page != ViewOverview && v.Page != ViewIncidents {
		list = append(list, AlertFault{"page", "overview or incidents"})
	}
	if v.Name == "" || len(v.Name) > maxViewName {
		list = append(list, AlertFault{"name", "1 to 100 bytes"})
	}
	if _, err := url.ParseQuery(v.Query); err != nil || len(v.Query) > maxViewQuery {
		list = append(list, AlertFault{"query", "the query of a URL of that page, at most 2,000 bytes"})
	}
	return list
}

const viewColumns = `id, page, name, query, owner, created_by, created_at`

func scanView(scan func(...any) error) (v View, err error) {
	var created int64
	err = scan(&v.ID, &v.Page, &v.Name, &v.Query, &v.Owner, &v.By, &created)
	v.CreatedAt = fromMillis(created)
	return v, err
}

// SaveView keeps a view; one of the same owner, page and name is replaced and keeps its id. Errors: ErrInvalid when it
// has Faults, ErrTooMany.
func (s *Store) SaveView(ctx context.Context, v View) (saved View, err error) {
	if faults := v.Faults(); len(faults) > 0 {
		return View{}, fmt.Errorf("save view: %w: %s: %s", ErrInvalid, faults[0].Field, faults[0].Detail)
	}
	if v.ID, err = newID("viw_"); err != nil {
		return View{}, err
	}
	err = s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		saved, err = scanView(tx.queryRow(ctx, `insert into saved_view (`+viewColumns+`) values ($1, $2, $3, $4, $5, $6, $7)
			on conflict (owner, page, name) do update set query = excluded.query, created_by = excluded.created_by, created_at = excluded.created_at
			returning `+viewColumns, v.ID, string(v.Page), keyText(v.Name), v.Query, v.Owner, v.By, tx.now()).Scan)
		if err != nil {
			return err
		}
		var n int64
		if err := tx.queryRow(ctx, `select count(*) from saved_view where owner = $1 and page = $2`, v.Owner, string(v.Page)).Scan(&n); err != nil {
			return err
		}
		if n > maxViews {
			return ErrTooMany
		}
		return nil
	})
	if err != nil {
		return View{}, fmt.Errorf("save view %q: %w", v.Name, err)
	}
	return saved, nil
}

// ListViews returns everybody's views and those of one owner, by page and name.
func (s *Store) ListViews(ctx context.Context, owner string) ([]View, error) {
	rows, err := s.readers.QueryContext(ctx, `select `+viewColumns+` from saved_view where owner = '' or owner = $1 order by page, name, owner`, owner)
	if err != nil {
		return nil, fmt.Errorf("list views: %w", err)
	}
	list, err := collect(rows, scanView)
	if err != nil {
		return nil, fmt.Errorf("list views: %w", err)
	}
	return list, nil
}

// DeleteView removes a view of that owner, or with shared one of everybody's. ErrNotFound when there is none by that id.
func (s *Store) DeleteView(ctx context.Context, id, owner string, shared bool) error {
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		query := `delete from saved_view where id = $1 and owner = $2 and owner <> ''`
		if shared {
			query = `delete from saved_view where id = $1 and (owner = $2 or owner = '')`
		}
		did, err := tx.changed(ctx, query, id, owner)
		if err == nil && !did {
			err = ErrNotFound
		}
		return err
	})
	return wrapUnlessMissing(err, "delete view "+id)
}
