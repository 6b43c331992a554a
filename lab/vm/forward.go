package vm

import (
	"fmt"
	"regexp"
)

// forwarded matches the line of QEMU's "info usernet" that has the port, as in
// "TCP[HOST_FORWARD] 13 127.0.0.1 40213 10.0.2.15 4040 0 0".
var forwarded = regexp.MustCompile(`HOST_FORWARD\]\s+\S+\s+(127\.0\.0\.1)\s+([0-9]+)`)

// Forwarded is the host's address that leads to the guest's port Config.Forward.
func (g *Guest) Forwarded() (string, error) {
	said := g.monitor("info usernet")
	m := forwarded.FindStringSubmatch(said)
	if m == nil {
		return "", &InfraError{What: fmt.Sprintf("the guest's port is not forwarded: QEMU says %q", said)}
	}
	return m[1] + ":" + m[2], nil
}

// monitor runs a command of QEMU's monitor for people and returns what it says.
func (g *Guest) monitor(line string) string {
	var said string
	if err := g.command("human-monitor-command", map[string]any{"command-line": line}, &said); err != nil {
		return err.Error()
	}
	return said
}
