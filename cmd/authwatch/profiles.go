package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"authwatch/classify"
	"authwatch/classify/profile"

	"go.yaml.in/yaml/v3"
)

// profileFlag adds profiles of the user's own to the built-in ones.
type profileFlag struct {
	Profile []string `placeholder:"FILE" sep:"none" help:"Provider profile to use before the built-in ones; may be repeated."`
}

func (f profileFlag) profiles() (classify.Profiles, error) {
	all, _, err := f.load()
	return all, err
}

// load returns the profiles in force, and the names of the files that some of them were read from, by their ids.
func (f profileFlag) load() (all classify.Profiles, files map[string]string, err error) {
	builtIn, err := profile.BuiltIn()
	if err != nil {
		return nil, nil, fmt.Errorf("read the built-in profiles: %w", err)
	}
	own, files := make([]*classify.Profile, 0, len(f.Profile)), map[string]string{}
	for _, path := range f.Profile {
		p, err := profile.Load(path)
		if err != nil {
			return nil, nil, &exitError{Status: exitUsage, Err: err}
		}
		own = append(own, p)
		files[p.ID] = filepath.Base(path) // of two with one id the later counts, here as in profile.With
	}
	return profile.With(builtIn, own...), files, nil
}

// classifier judges by these profiles and by all documented texts.
func (f profileFlag) classifier() (*classify.Classifier, error) {
	profiles, err := f.profiles()
	if err != nil {
		return nil, err
	}
	return classify.New(profiles, classify.NewKnowledge(classify.DocumentedTexts())), nil
}

type profilesCommand struct {
	List     profilesListCommand     `cmd:"" help:"List the built-in profiles."`
	Show     profilesShowCommand     `cmd:"" help:"Print a profile as YAML, to start one's own from."`
	Validate profilesValidateCommand `cmd:"" help:"Check a profile file."`
}

type profilesListCommand struct{ profileFlag }

// Help shows the example.
func (profilesListCommand) Help() string { return "    authwatch profiles list" }

// Run lists the profiles in force.
func (c *profilesListCommand) Run(p *program) error {
	all, err := c.profiles()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PROVIDER\tENVIRONMENTS\tTITLE")
	for _, one := range all {
		names := make([]string, len(one.Environments))
		for i, e := range one.Environments {
			names[i] = e.Name
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", printable(one.ID), printable(strings.Join(names, ", ")), printable(one.Title))
	}
	return w.Flush()
}

type profilesShowCommand struct {
	profileFlag
	ID string `arg:"" help:"The profile's id, as authwatch profiles list shows it."`
}

// Help shows the example.
func (profilesShowCommand) Help() string {
	return "    authwatch profiles show polymarket > mine.yaml"
}

// Run prints the profile.
func (c *profilesShowCommand) Run(p *program) error {
	all, err := c.profiles()
	if err != nil {
		return err
	}
	for _, one := range all {
		if one.ID != c.ID {
			continue
		}
		var text bytes.Buffer
		enc := yaml.NewEncoder(&text)
		enc.SetIndent(2)
		if err := enc.Encode(one); err != nil {
			return fmt.Errorf("print profile %s: %w", c.ID, err)
		}
		_, err := p.stdout.Write(text.Bytes())
		return err
	}
	return usageError("there is no profile %q; authwatch profiles list names them", c.ID)
}

type profilesValidateCommand struct {
	File []string `arg:"" help:"Profile files."`
}

// Help shows the example.
func (profilesValidateCommand) Help() string { return "    authwatch profiles validate mine.yaml" }

// Run checks every file and says what is wrong with each.
func (c *profilesValidateCommand) Run(p *program) error {
	bad := false
	for _, path := range c.File {
		one, err := profile.Load(path)
		if err != nil {
			fmt.Fprintln(p.stderr, printable(err.Error()))
			bad = true
			continue
		}
		fmt.Fprintf(p.stdout, "%s: profile %s is valid\n", printable(path), printable(one.ID))
	}
	if bad {
		return &exitError{Status: exitNotOK}
	}
	return nil
}
