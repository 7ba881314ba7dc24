package store

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func deploymentContract() []contractTest {
	return []contractTest{{"deployments: told once, listed by place and time", testDeployments}}
}

func testDeployments(t *testing.T, s *world) {
	ctx, noon := t.Context(), noon()
	tell := func(title, environment, client, reference string, at time.Time) Deployment {
		t.Helper()
		d, _, err := s.AddDeployment(ctx, Deployment{Time: at, Kind: DeployedCode, Title: title, Environment: environment, ClientID: client, Reference: reference, By: "ci"})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	tell("orders-bot 1", "prod", "orders", "run-1", noon)
	tell("orders-bot 2", "prod", "orders", "run-2", noon.Add(time.Hour))
	tell("gateway 7", "", "", "", noon.Add(30*time.Minute))
	tell("orders-bot 3", "preprod", "orders", "run-3", noon.Add(2*time.Hour))

	again, added, err := s.AddDeployment(ctx, Deployment{Time: noon.Add(time.Minute), Kind: DeployedOther, Title: "another text", Reference: "run-1"})
	if err != nil || added || again.Title != "orders-bot 1" || !again.Time.Equal(noon) {
		t.Errorf("told twice: %+v, %v, %v", again, added, err)
	}
	if _, _, err := s.AddDeployment(ctx, Deployment{Time: noon, Kind: "party", Title: "x"}); !errors.Is(err, ErrInvalid) {
		t.Errorf("kind party: %v", err)
	}

	var titles []string
	f := DeploymentFilter{Environments: []string{"prod"}, From: noon, Page: Page{Limit: 1}}
	for {
		list, next, err := s.ListDeployments(ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			titles = append(titles, d.Title)
		}
		if f.Cursor = next; next == "" {
			break
		}
	}
	if want := []string{"orders-bot 2", "gateway 7", "orders-bot 1"}; !slices.Equal(titles, want) {
		t.Errorf("deployments of prod: %q, want %q", titles, want)
	}
	if list, _, err := s.ListDeployments(ctx, DeploymentFilter{Clients: []string{"other"}, To: noon.Add(time.Hour)}); err != nil || len(list) != 1 || list[0].Title != "gateway 7" {
		t.Errorf("of another client: %+v, %v", list, err)
	}
	if err := s.DeleteDeployment(ctx, again.ID); err != nil {
		t.Error(err)
	}
	if err := s.DeleteDeployment(ctx, again.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
}
