package shippers

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"
)

// A state is what the REST API shows of a service, without what it makes up itself: its ids, and when it received what.
type state struct {
	Failures  map[string][]object // by request id; more than one of a request id is a record stored twice
	Incidents []object
	Clients   []object
}

// state asks the REST API for everything.
func (s *service) state(ctx context.Context) (state, error) {
	out := state{Failures: map[string][]object{}}
	failures, err := s.list(ctx, "/api/v1/failures", "id", "incident_id", "received_at", "links")
	if err != nil {
		return state{}, err
	}
	for _, f := range failures {
		id, _ := f["request_id"].(string)
		out.Failures[id] = append(out.Failures[id], f)
	}
	if out.Incidents, err = s.list(ctx, "/api/v1/incidents", "id", "links", "version", "updated_at"); err != nil {
		return state{}, err
	}
	for _, in := range out.Incidents {
		for _, name := range []string{"last_success_before", "first_success_after"} {
			in[name] = toMinute(in[name])
		}
	}
	if out.Clients, err = s.list(ctx, "/api/v1/clients", "links"); err != nil {
		return state{}, err
	}
	return out, nil
}

// toMinute cuts a time of success: which of one minute is nearest to an incident is known only of those that arrive in order.
func toMinute(v any) any {
	text, _ := v.(string)
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return v
	}
	return at.Truncate(time.Minute).Format(time.RFC3339)
}

// list follows the pages of a list and leaves members out of its items.
func (s *service) list(ctx context.Context, path string, without ...string) ([]object, error) {
	var items []object
	for cursor := ""; ; {
		var page struct {
			Data []object
			Next string
		}
		if err := s.get(ctx, path+"?limit=200&cursor="+url.QueryEscape(cursor), &page); err != nil {
			return nil, err
		}
		for _, item := range page.Data {
			for _, name := range without {
				delete(item, name)
			}
			items = append(items, item)
		}
		if cursor = page.Next; cursor == "" {
			return items, nil
		}
	}
}

func text(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v) // never: it came from JSON
	}
	return string(out)
}
