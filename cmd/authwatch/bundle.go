package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"authwatch/api"
	"authwatch/bundle"
	"authwatch/classify"
	"authwatch/ingest"
	"authwatch/store"
)

type bundleCommand struct {
	databaseFlag
	profileFlag
	Pseudonyms bool   `help:"Replace clients, keys, hosts, addresses and ids by made-up names, the same ones everywhere."`
	Output     string `default:"markdown" enum:"markdown,json" help:"Form: ${enum} (default: ${default})."`
	Incident   string `arg:"" help:"Id of the incident; it begins with inc_."`
}

// Help shows the examples.
func (bundleCommand) Help() string {
	return `What a provider's support asks for: environment, client id, error messages, decoded claims, verdict and time line, without a token, a signature, a secret or a key. Works beside a running server.

    authwatch bundle inc_0dk0v4q8p0000 > bundle.md
    authwatch bundle --output json --pseudonyms inc_0dk0v4q8p0000 > bundle.json
    authwatch classify bundle.json     # anywhere: the same verdict`
}

// Run prints the bundle of an incident.
func (c *bundleCommand) Run(ctx context.Context, p *program) error {
	profiles, err := c.profiles()
	if err != nil {
		return err
	}
	db, err := c.openExisting(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	maker := api.BundleMaker{Store: db, Profiles: profiles, Knowledge: classify.NewKnowledge(classify.DocumentedTexts()), Version: version()}
	b, err := maker.Make(ctx, c.Incident, c.Pseudonyms, p.now())
	if errors.Is(err, store.ErrNotFound) {
		return usageError("there is no incident %s in this database", printable(c.Incident))
	}
	if err != nil {
		return fmt.Errorf("make bundle: %w", err)
	}
	if c.Output == "markdown" {
		_, err = fmt.Fprint(p.stdout, b.Markdown())
		return err
	}
	encoder := json.NewEncoder(p.stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(b)
}

// bundle judges the cases of a support bundle by what it holds.
func (j *judge) bundle(text []byte, list []told) ([]told, error) {
	b, err := bundle.Read(text, func(record []byte) (classify.Record, error) {
		records, bad := ingest.Decode(record, j.redactor)
		if len(records) != 1 || len(bad) > 0 {
			return classify.Record{}, errors.New("not one readable record")
		}
		return records[0].Record, nil
	})
	if err != nil {
		return list, err
	}
	j.records += len(b.Cases)
	for _, v := range b.Verdicts(j.documented) {
		j.count(&v)
		list = append(list, told{verdict: v})
	}
	return list, nil
}
