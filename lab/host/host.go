// Package host says what this host is and has: its processor and its free memory.
package host

import (
	"bufio"
	"io"
	"strings"
)

// fields are the first values of a file of "name: value" lines, as in /proc.
func fields(r io.Reader) map[string]string {
	all := map[string]string{}
	for sc := bufio.NewScanner(r); sc.Scan(); {
		name, value, ok := strings.Cut(sc.Text(), ":")
		if name = strings.TrimSpace(name); ok && all[name] == "" {
			all[name] = strings.TrimSpace(value)
		}
	}
	return all
}

// model is the processor in /proc/cpuinfo. On arm64 the kernel has no names, but the
// numbers of the register MIDR_EL1 (Linux, arch/arm64/kernel/cpuinfo.c).
func model(cpuinfo map[string]string) string {
	if name := cpuinfo["model name"]; name != "" {
		return name
	}
	var words []string
	for _, part := range []string{"implementer", "part", "variant", "revision"} {
		if value := cpuinfo["CPU "+part]; value != "" {
			words = append(words, part+" "+value)
		}
	}
	return strings.Join(words, " ")
}
