package kernels

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ghostlab/lab/child"
)

// maker runs the kernel's build system in one tree, with an environment that
// leaves no trace of the folder, the user, the host or the date in the result.
type maker struct {
	dir   string
	cross string // CROSS_COMPILE, such as "aarch64-linux-gnu-"
	jobs  int
	log   io.Writer
}

// buildRoot is what debug information calls the source folder.
const buildRoot = "/linux"

func (m *maker) environ() []string {
	prefix := "-ffile-prefix-map=" + m.dir + "=" + buildRoot
	env := []string{
		"ARCH=arm64", "CROSS_COMPILE=" + m.cross,
		"LC_ALL=C", "TZ=UTC",
		// Documentation/kbuild/reproducible-builds.rst
		"KBUILD_BUILD_TIMESTAMP=Thu Jan  1 00:00:00 UTC 1970",
		"KBUILD_BUILD_USER=lab", "KBUILD_BUILD_HOST=lab", "KBUILD_BUILD_VERSION=1",
		"LOCALVERSION=", // set but empty: scripts/setlocalversion adds no "+"
		"KCFLAGS=" + prefix, "KAFLAGS=" + prefix,
	}
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

func (m *maker) make(ctx context.Context, step func(line string), args ...string) error {
	return m.run(ctx, append([]string{"make", "-j" + strconv.Itoa(m.jobs)}, args...), step)
}

// run executes a command in the tree, logs what it prints and shows each line
// to step. A failure is a *BuildError.
func (m *maker) run(ctx context.Context, argv []string, step func(line string)) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = m.dir, m.environ()
	// make's children are ended with it.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	var keep bytes.Buffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		in := bufio.NewReader(r)
		for {
			line, err := in.ReadString('\n')
			io.WriteString(m.log, line)
			keep.WriteString(line)
			if step != nil {
				step(line)
			}
			if err != nil {
				return
			}
		}
	}()
	ended, err := child.Start(cmd)
	if err == nil {
		err = <-ended
	}
	w.Close()
	<-done
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return &BuildError{Command: argv[0], Errors: err.Error()}
	case err != nil:
		return &BuildError{Command: strings.Join(argv, " "), Errors: compilerErrors(keep.String())}
	}
	return nil
}

// BuildError says what the compiler said, not what make made of it.
type BuildError struct {
	Command string
	Errors  string // the lines of the first errors
	Log     string // the file with everything
}

func (e *BuildError) Error() string {
	return fmt.Sprintf("%s:\n%s", e.Command, e.Errors)
}

// Hint says what to do about it.
func (e *BuildError) Hint() string {
	if e.Log == "" {
		return "`lab doctor` lists what a build needs"
	}
	return "the whole log is " + e.Log + "; `lab doctor` lists what a build needs"
}

var (
	errorLine = regexp.MustCompile(`(?i)(^|[ :])(fatal )?error( |:|\[)|undefined reference|not found|No such file|No space left|No rule to make`)
	makeLine  = regexp.MustCompile(`^make(\[[0-9]+\])?: `)
	stepLine  = regexp.MustCompile(`^  [A-Z][A-Z_]* +`)
)

// compilerErrors picks the first error of a build log with the lines around it
// that belong to it. make's own lines serve only where nothing else does.
func compilerErrors(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	const most = 12
	for i, line := range lines {
		if makeLine.MatchString(line) || stepLine.MatchString(line) || !errorLine.MatchString(line) {
			continue
		}
		first := i
		for first > 0 && i-first < 3 && belongs(lines[first-1]) {
			first--
		}
		var keep []string
		for _, l := range lines[first:min(len(lines), first+most)] {
			if len(keep) > i-first && (stepLine.MatchString(l) || makeLine.MatchString(l)) {
				break
			}
			keep = append(keep, "  "+l)
		}
		return strings.Join(keep, "\n")
	}
	return "  " + strings.Join(lines[max(0, len(lines)-5):], "\n  ")
}

// belongs says whether a line leads up to the compiler's error below it.
func belongs(line string) bool {
	return strings.Contains(line, "In file included from") || strings.Contains(line, ": In function") || strings.HasPrefix(line, "                 from ")
}
