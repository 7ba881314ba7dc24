package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"authwatch/classify"
	"authwatch/classify/profile"
	"authwatch/ingest"
)

// Assertion is a list only so that a second argument is refused here: the parser's own message would repeat it, and it may be a token.
type checkCommand struct {
	Profile     string    `required:"" placeholder:"NAME|FILE" help:"The provider: a built-in profile or a profile file."`
	Environment string    `placeholder:"ENV" help:"Environment of the profile; needed when it has several."`
	Exec        string    `placeholder:"CMD" help:"Shell command that prints an assertion; it is run twice, to see that jti and iat move."`
	At          time.Time `placeholder:"TIME" help:"Judge at this time (RFC 3339) instead of now."`
	Source      string    `placeholder:"FILE" help:"Source file that makes the assertion, as the place of findings in sarif and junit (default: the assertion's file)."`
	Output      string    `default:"human" enum:"human,json,sarif,junit" help:"Form of the result: ${enum} (default: ${default})."`
	Assertion   []string  `arg:"" optional:"" help:"A raw JWT, {\"header\",\"claims\"} or the claims alone, or a file that holds one; - or nothing is standard input."`
}

// Help shows the examples and the exit statuses.
func (checkCommand) Help() string {
	return `Runs the checks that authwatch runs on failures, now: nothing is sent anywhere, no private key is needed, and the token is never printed. The signature is checked when the profile names a jwks_file.

    authwatch check --profile polymarket --environment preprod assertion.jwt
    authwatch check --profile mine.yaml --environment prod --exec 'bin/make-assertion'
    make-assertion | authwatch check --profile mine.yaml --environment prod --output sarif > authwatch.sarif

With --exec the command runs twice, a second apart and for at most 30 s each: a jti or iat that does not move is an assertion that is kept and will be refused.

Exit status: 0 it would pass, 1 it would not, 2 the command line or the assertion could not be read.`
}

// Run judges one assertion, or the two that a command prints.
func (c *checkCommand) Run(ctx context.Context, p *program) error {
	if err := c.validate(); err != nil {
		return err
	}
	place, err := c.place()
	if err != nil {
		return err
	}
	samples, err := c.samples(ctx, p)
	if err != nil {
		return err
	}
	report, err := place.examine(samples)
	if err != nil {
		return err
	}
	report.Source = c.source()
	write := map[string]func(*checkReport, *program) error{
		"human": (*checkReport).human, "json": (*checkReport).json, "sarif": (*checkReport).sarif, "junit": (*checkReport).junit,
	}[c.Output]
	if err := write(report, p); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	if !report.WouldPass {
		return &exitError{Status: exitNotOK}
	}
	return nil
}

func (c *checkCommand) validate() error {
	switch {
	case len(c.Assertion) > 1:
		return usageError("one assertion at a time")
	case c.Exec != "" && len(c.Assertion) > 0:
		return usageError("--exec prints the assertion: do not give another one")
	case c.Exec != "" && !c.At.IsZero():
		return usageError("--exec makes the assertion now: --at does not go with it")
	}
	return nil
}

// An assertionSample is one assertion as it was given, and when.
type assertionSample struct {
	text string
	at   time.Time
}

// samples reads the assertion, or runs the command that prints it twice.
func (c *checkCommand) samples(ctx context.Context, p *program) ([]assertionSample, error) {
	if c.Exec != "" {
		maker := assertionMaker{command: c.Exec, timeout: 30 * time.Second, pause: 1100 * time.Millisecond, now: p.now}
		return maker.twice(ctx)
	}
	text, err := c.text(p.stdin)
	if err != nil {
		return nil, err
	}
	at := c.At
	if at.IsZero() {
		at = p.now()
	}
	return []assertionSample{{text: text, at: at}}, nil
}

// maxAssertion is far above any assertion, in bytes.
const maxAssertion = 64 << 10

// text reads the assertion. What is neither a token nor JSON is a file's name; it is not repeated in errors, for it may be a broken token.
func (c *checkCommand) text(stdin io.Reader) (string, error) {
	in := stdin
	if len(c.Assertion) == 1 && c.Assertion[0] != "-" {
		if given := strings.TrimSpace(c.Assertion[0]); strings.HasPrefix(given, "{") || strings.HasPrefix(given, "eyJ") {
			in = strings.NewReader(given)
		} else {
			file, err := os.Open(c.Assertion[0])
			if err != nil {
				return "", usageError("the argument is neither an assertion nor a file that can be read")
			}
			defer file.Close()
			in = file
		}
	}
	text, err := io.ReadAll(io.LimitReader(in, maxAssertion+1))
	if err != nil {
		return "", usageError("the assertion cannot be read")
	}
	return cleanAssertion(text)
}

func cleanAssertion(text []byte) (string, error) {
	if len(text) > maxAssertion {
		return "", usageError("the assertion is longer than %d KiB", maxAssertion>>10)
	}
	clean := strings.TrimSpace(string(text))
	if clean == "" {
		return "", usageError("there is no assertion: a raw JWT, {\"header\",\"claims\"} or the claims are expected")
	}
	if words := strings.Fields(clean); !strings.HasPrefix(clean, "{") && len(words) > 1 && !strings.Contains(words[0], ".") {
		return "", usageError("the assertion alone is expected; there is text before it, such as Bearer")
	}
	return clean, nil
}

// source is the file that a finding is shown at.
func (c *checkCommand) source() string {
	if c.Source != "" {
		return c.Source
	}
	if len(c.Assertion) == 1 {
		if _, err := os.Stat(c.Assertion[0]); err == nil {
			return c.Assertion[0]
		}
	}
	return ""
}

// place finds the profile and its environment, and reads the key set that the profile names.
func (c *checkCommand) place() (*checkPlace, error) {
	one, err := c.profile()
	if err != nil {
		return nil, err
	}
	env, err := environmentOf(one, c.Environment)
	if err != nil {
		return nil, err
	}
	redactor, err := ingest.NewRedactor(randomKey())
	if err != nil {
		return nil, fmt.Errorf("prepare redaction: %w", err)
	}
	profiles := classify.Profiles{preferring(one, env.Name)}
	if redactor, err = redactor.WithProfiles(profiles); err != nil {
		return nil, usageError("%w", err)
	}
	return &checkPlace{profiles: profiles, profile: one, environment: env, redactor: redactor}, nil
}

func (c *checkCommand) profile() (*classify.Profile, error) {
	builtIn, err := profile.BuiltIn()
	if err != nil {
		return nil, fmt.Errorf("read the built-in profiles: %w", err)
	}
	if i := slices.IndexFunc(builtIn, func(p *classify.Profile) bool { return p.ID == c.Profile }); i >= 0 {
		return builtIn[i], nil
	}
	there, err := fileExists(c.Profile)
	if err != nil || !there {
		return nil, usageError("--profile is neither a built-in profile (authwatch profiles list names them) nor a file")
	}
	one, err := profile.Load(c.Profile)
	if err != nil {
		return nil, &exitError{Status: exitUsage, Err: err}
	}
	return one, nil
}

// preferring is the profile with one environment first: of several that share a token endpoint it is the one that was asked about.
func preferring(p *classify.Profile, environment string) *classify.Profile {
	copied := *p
	copied.Environments = slices.Clone(p.Environments)
	if i := slices.IndexFunc(copied.Environments, func(e classify.Environment) bool { return e.Name == environment }); i > 0 {
		copied.Environments[0], copied.Environments[i] = copied.Environments[i], copied.Environments[0]
	}
	return &copied
}

// environmentOf finds the environment by its name. A profile without environments can be checked in part: its own rules hold everywhere.
func environmentOf(p *classify.Profile, name string) (classify.Environment, error) {
	names := make([]string, len(p.Environments))
	for i, e := range p.Environments {
		names[i] = e.Name
		if e.Name == name {
			return e, nil
		}
	}
	switch {
	case len(names) == 0:
		return classify.Environment{Name: name}, nil
	case name == "" && len(names) == 1:
		return p.Environments[0], nil
	case name == "":
		return classify.Environment{}, usageError("--environment is missing; profile %s has %s", p.ID, strings.Join(names, ", "))
	}
	return classify.Environment{}, usageError("--environment is none of profile %s: it has %s", p.ID, strings.Join(names, ", "))
}
