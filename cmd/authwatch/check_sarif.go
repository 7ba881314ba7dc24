package main

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// The parts of SARIF 2.1.0 (OASIS) that code scanning reads: https://docs.oasis-open.org/sarif/sarif/v2.1.0/.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID              string            `json:"ruleId"`
		RuleIndex           int               `json:"ruleIndex"`
		Level               string            `json:"level"`
		Message             sarifText         `json:"message"`
		Locations           []sarifLocation   `json:"locations"`
		PartialFingerprints map[string]string `json:"partialFingerprints"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
)

// sarif writes failing checks as errors and warnings as warnings. What passes or could not be checked is no result: code scanning
// would show it as an alert.
func (r *checkReport) sarif(p *program) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "authwatch", Rules: []sarifRule{}}}, Results: []sarifResult{}}
	for _, check := range r.Checks {
		if failed(check) {
			run.add(check.Check, "error", r.message(check), r.location(check.Path), r.place())
		}
	}
	for _, w := range r.Warnings {
		run.add(w.Code, "warning", w.Detail, r.location(w.Path), r.place())
	}
	return writeJSON(p.stdout, sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

// add adds a result, and its rule when it is the first of it.
func (run *sarifRun) add(rule, level, message string, at sarifLocation, place string) {
	driver := &run.Tool.Driver
	index := slices.IndexFunc(driver.Rules, func(r sarifRule) bool { return r.ID == rule })
	if index < 0 {
		index = len(driver.Rules)
		driver.Rules = append(driver.Rules, sarifRule{ID: rule, ShortDescription: sarifText{"Client assertion: " + strings.ReplaceAll(rule, "_", " ")}})
	}
	run.Results = append(run.Results, sarifResult{
		RuleID: rule, RuleIndex: index, Level: level, Message: sarifText{place + ": " + message}, Locations: []sarifLocation{at},
		PartialFingerprints: map[string]string{"authwatchCheck/v1": place + " " + rule + " " + at.Logical[0].FullyQualifiedName}, // the values change with each run
	})
}

// location is the source file, if one is known, and the value.
func (r *checkReport) location(path string) sarifLocation {
	if path == "" {
		path = "client_assertion"
	}
	l := sarifLocation{Logical: []sarifLogical{{FullyQualifiedName: path, Kind: "member"}}}
	if r.Source != "" {
		l.Physical = &sarifPhysical{Artifact: sarifArtifact{(&url.URL{Path: filepath.ToSlash(r.Source)}).String()}, Region: sarifRegion{StartLine: 1}}
	}
	return l
}
