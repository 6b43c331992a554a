package qemu

import (
	"bufio"
	"bytes"
	"fmt"
	"os/exec"
	"strings"
)

// Models returns the names of the CPU models that the emulator has. Not all boot
// an arm64 kernel: some are 32-bit processors, and some lack what the virt board
// needs.
func Models(binary string) ([]string, error) {
	out, err := exec.Command(binary, "-machine", "virt", "-cpu", "help").Output()
	if err != nil {
		return nil, fmt.Errorf("%s -cpu help: %w", binary, err)
	}
	var names []string
	for sc := bufio.NewScanner(bytes.NewReader(out)); sc.Scan(); {
		if name, ok := strings.CutPrefix(sc.Text(), "  "); ok {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names, nil
}
