package scenarios

import (
	"path"
	"time"
)

// Program is a Go package and how it is built and run. Its zero value beside Dir
// is the main package in that folder, in a module of its own.
type Program struct {
	// Dir is the folder that the go command works in, absolute.
	Dir string `json:"dir"`
	// Package is a pattern there that matches one package; empty means ".".
	Package string `json:"package,omitempty"`
	// ImportPath is the package's. Where it is set the package is built and run
	// in place, as the go command in the researcher's hands would: with the
	// workspace and the GOFLAGS that hold in Dir, and in the package's own
	// folder with the files in it.
	ImportPath string `json:"import_path,omitempty"`
	// Tests are run in the place of a main function.
	Tests bool `json:"tests,omitempty"`
	// Race adds the race detector. Tags are build tags, with commas between
	// them.
	Race bool   `json:"race,omitempty"`
	Tags string `json:"tags,omitempty"`
	// Cgo compiles it with a C compiler for arm64, which cgo and the race detector
	// need.
	Cgo bool `json:"cgo,omitempty"`
	// CC is that compiler. It is a setting of the host's, no part of what a program
	// is, so no run remembers it.
	CC string `json:"-"`
	// NoOptimize compiles it for a debugger: all variables, another timing.
	NoOptimize bool `json:"no_optimize,omitempty"`
	// Args are arguments of the program, before those of parameters.
	Args []string `json:"args,omitempty"`
}

// InPlace says whether the package is built and run where it is.
func (p Program) InPlace() bool { return p.ImportPath != "" }

// WorkDir is the folder in the guest in which the program runs, named after the
// import path: where the host has the package must not reach the guest. It is
// empty for a program that does not care.
func (p Program) WorkDir() string {
	if !p.InPlace() {
		return ""
	}
	return path.Join("/src", p.ImportPath)
}

// Of is a scenario of a program alone. Its one parameter is gomaxprocs, which
// every Go program has.
func Of(p Program, timeout time.Duration) *Scenario {
	return &Scenario{
		Name: path.Base(p.ImportPath), Timeout: timeout, Own: &p,
		Params: map[string]Param{"gomaxprocs": {Kind: Int(1, 1<<20), Env: "GOMAXPROCS", Optional: true}},
	}
}

// Program is what the scenario runs.
func (s *Scenario) Program() Program {
	if s.Own != nil {
		return *s.Own
	}
	return Program{Dir: s.ReproDir()}
}
