// Package doctor says what a host lacks for the lab, and the command that
// mends it. It changes nothing.
package doctor

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
)

// Manager is a package manager.
type Manager string

const (
	Apt    Manager = "apt"
	Dnf    Manager = "dnf"
	Pacman Manager = "pacman"
	Brew   Manager = "brew"
)

// install is the command of each manager, without the packages.
var install = map[Manager]string{
	Apt:    "apt-get install -y",
	Dnf:    "dnf install -y",
	Pacman: "pacman -S --needed --noconfirm",
	Brew:   "brew install",
}

// Detect returns this host's package manager, or "" for none that is known.
func Detect() Manager {
	for _, m := range []struct {
		name Manager
		tool string
	}{{Apt, "apt-get"}, {Dnf, "dnf"}, {Pacman, "pacman"}, {Brew, "brew"}} {
		if _, err := exec.LookPath(m.tool); err == nil {
			return m.name
		}
	}
	return ""
}

// Command is what installs the packages: with sudo for a user who is not root.
func (m Manager) Command(packages []string) string {
	if m == "" || len(packages) == 0 {
		return ""
	}
	cmd := install[m] + " " + strings.Join(packages, " ")
	if m != Brew && os.Geteuid() != 0 {
		cmd = "sudo " + cmd
	}
	return cmd
}

// Tool is something the lab needs on the host.
type Tool struct {
	// Name is what is looked for: a program's name, or a word for a check.
	Name string
	// For says what it is needed for.
	For string
	// Optional tools are not needed by `lab run`.
	Optional bool
	// Packages are what provides it, by manager.
	Packages map[Manager][]string
	// probe returns the version found, or an error.
	probe func(ctx context.Context) (string, error)
}

// Finding is a tool and what was found of it.
type Finding struct {
	Tool
	Version string
	Err     error
}

// Examine looks for each tool.
func Examine(ctx context.Context, tools []Tool) []Finding {
	found := make([]Finding, len(tools))
	for i, t := range tools {
		v, err := t.probe(ctx)
		found[i] = Finding{t, v, err}
	}
	return found
}

var versionNumber = regexp.MustCompile(`[0-9]+\.[0-9][0-9A-Za-z.+~-]*`)

// says runs a program that prints its version.
func says(name string, args ...string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		cmd := exec.CommandContext(ctx, name, args...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return "", err
		}
		line, _, _ := bytes.Cut(out, []byte("\n"))
		if v := versionNumber.Find(line); v != nil {
			return string(v), nil
		}
		return "present", nil
	}
}
