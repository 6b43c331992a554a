package qemu

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// Models returns the names of the CPU models that the emulator has.
func Models(ctx context.Context, binary string) ([]string, error) {
	cmd, done := ask(ctx, binary, "-machine", "virt", "-cpu", "help")
	defer done()
	out, err := cmd.Output()
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

// CheckModel asks the emulator whether it can make a machine with a CPU model,
// such as "max,pauth=off", that runs arm64 code. The error is why not, in the
// emulator's words where they are clear. A model that passes may still lack what
// a kernel needs.
func CheckModel(ctx context.Context, binary, model string) error {
	board := Machine{CPU: model + ",aarch64=on", VCPUs: 1, Memory: 128}
	cmd, done := ask(ctx, binary, append(board.Args(), "-S", "-monitor", "stdio")...)
	defer done()
	cmd.Stdin = strings.NewReader("quit\n")
	var said bytes.Buffer
	cmd.Stderr = &said
	err := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	words := strings.TrimSpace(said.String())
	if strings.Contains(words, ".aarch64' not found") {
		return errors.New("it is a 32-bit processor")
	}
	_, why, ok := strings.Cut(words, ": ") // the program's name comes first
	if !ok {
		why = words
	}
	return errors.New(why)
}
