package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"authwatch/alert"
	"authwatch/api"
	"authwatch/store"
)

// receiversFlag names the operator's file of who is told of alerts.
type receiversFlag struct {
	Receivers string `placeholder:"FILE" help:"Who is told of alerts: Alertmanager, e-mail, PagerDuty, Slack-compatible services, webhooks. Without it the server connects to nothing (docs/alerts.md)."`
}

// receivers reads the file. Files that it names are looked for beside it.
func (f receiversFlag) receivers(getenv func(string) string) ([]alert.Receiver, error) {
	if f.Receivers == "" {
		return nil, nil
	}
	text, err := os.ReadFile(f.Receivers)
	if err != nil {
		return nil, usageError("--receivers: %w", err)
	}
	list, err := alert.ReadReceivers(f.Receivers, text, alert.Sources{Env: getenv, File: func(path string) ([]byte, error) {
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(f.Receivers), path)
		}
		return os.ReadFile(path)
	}})
	if err != nil {
		return nil, usageError("%w", err)
	}
	return list, nil
}

// alertsOf gives the API what it needs of the service, in the API's own words.
func alertsOf(s *alert.Service) api.Alerts {
	out := api.Alerts{
		Preview: func(ctx context.Context, rule store.AlertRule) (api.AlertPreview, error) {
			p, err := s.Preview(ctx, rule)
			shown := api.AlertPreview{From: p.From, To: p.To, Count: p.Count, AtLeast: p.AtLeast, Times: []api.AlertPreviewTime{}}
			for _, t := range p.Times {
				shown.Times = append(shown.Times, api.AlertPreviewTime{Time: t.At, About: t.About, Incident: t.Incident})
			}
			return shown, err
		},
		Test: func(ctx context.Context, receiver string) (string, error) {
			class, err := s.Test(ctx, receiver)
			if errors.Is(err, alert.ErrNoReceiver) {
				err = fmt.Errorf("%w: %w", store.ErrNotFound, err)
			}
			return class, err
		},
	}
	for _, r := range s.Receivers {
		out.Receivers = append(out.Receivers, api.AlertReceiver{Name: r.Name, Kind: r.Kind, Target: r.Target})
	}
	return out
}
