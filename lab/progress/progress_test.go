package progress_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ghostlab/lab/labtest"
	"ghostlab/lab/progress"
)

func TestBarsLeaveTheScreen(t *testing.T) {
	for range 4 {
		for _, last := range []string{"", "the last line\n"} {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				barsLeave(t, last)
			})
		}
	}
}

// barsLeave has a screen so narrow that a bar takes a whole line.
func barsLeave(t *testing.T, last string) {
	s := labtest.NewScreen(t, 50, 24)
	out := progress.New(s.TTY)
	out.Printf("the first line")
	var tasks []*progress.Task
	for i := range 3 {
		tasks = append(tasks, out.Steps(fmt.Sprint("cell ", i), 10))
	}
	tasks = append(tasks, out.Steps("unpack", 0))
	tasks[0].Set(10)
	tasks[1].Set(4)
	tasks[2].Note("2 failed")
	s.Await(t, "bars", func(text string) bool {
		return strings.Contains(text, "100 % 10/10") && strings.Contains(text, " 40 % 4/10") && strings.Contains(text, "2 failed") &&
			strings.Contains(text, "\nunpack ") && !strings.Contains(text, "0/0")
	})
	// Echoed as ^C where the cursor is, until the next frame takes it away.
	s.Type(t, "\x03")
	time.Sleep(50 * time.Millisecond)
	for _, task := range tasks {
		task.End()
	}
	if last != "" {
		out.Printf("%s", strings.TrimSpace(last))
	}
	out.Close()
	out.Close()
	out.Printf("after the end")
	fmt.Fprintln(s.TTY, "the table")
	if got, want := s.Last(), "the first line\n"+last+"after the end\nthe table"; got != want {
		t.Errorf("on the screen:\n%s\nwant:\n%s", got, want)
	}
}

// On a terminal that gets another size, what follows is whole, and no line is
// there twice.
func TestResize(t *testing.T) {
	s := labtest.NewScreen(t, 80, 24)
	out := progress.New(s.TTY)
	end := out.Show(func(width, height int) []string {
		lines := make([]string, 0, 100)
		for i := range 100 {
			lines = append(lines, fmt.Sprintf("line %d of %d columns %s", i, width, strings.Repeat("x", 200)))
		}
		return lines
	})
	for _, size := range [][2]int{{80, 24}, {40, 24}, {40, 8}, {120, 30}, {30, 10}} {
		cols, rows := size[0], size[1]
		s.Resize(t, cols, rows)
		s.Await(t, fmt.Sprintf("frame of %d × %d", cols, rows), func(text string) bool {
			lines := strings.Split(text, "\n")
			first := len(lines) - (rows - 1)
			if first < 0 || !strings.HasPrefix(lines[first], fmt.Sprintf("line 0 of %d columns", cols-1)) {
				return false
			}
			return strings.HasPrefix(lines[len(lines)-1], fmt.Sprintf("line %d of ", rows-2)) && strings.Count(text, "line 0 ") == 1
		})
	}
	end()
	out.Close()
	if got := s.Last(); got != "" {
		t.Errorf("left on the screen:\n%s", got)
	}
}

// After ^Z and fg the lines are below what the shell has said meanwhile.
func TestStoppedAndResumed(t *testing.T) {
	s := labtest.NewScreen(t, 60, 24)
	out := progress.New(s.TTY)
	out.Show(func(int, int) []string { return []string{"a bar", "another"} })
	s.Await(t, "bar", func(text string) bool { return strings.HasSuffix(text, "another") })
	fmt.Fprint(s.TTY, "^Z\n[1]+  Stopped\n$ fg\n")
	if err := syscall.Kill(os.Getpid(), syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	s.Await(t, "second bar", func(text string) bool { return strings.Count(text, "another") == 2 })
	out.Close()
	if got, want := s.Last(), "a bar\nanother\n^Z\n[1]+  Stopped\n$ fg"; got != want {
		t.Errorf("on the screen:\n%s\nwant:\n%s", got, want)
	}
}

// A guest's words cannot act on the terminal.

// Where there is no terminal a task says its name, and how far it is twice a
// minute.
func TestPlainLines(t *testing.T) {
	type step struct {
		after time.Duration
		done  int64
	}
	for name, c := range map[string]struct {
		begin func(*progress.Output) *progress.Task
		steps []step
		want  string
	}{
		"steps": {
			func(o *progress.Output) *progress.Task { return o.Steps("trials", 100) },
			[]step{{29 * time.Second, 10}, {time.Second, 25}, {time.Second, 26}, {29 * time.Second, 50}, {30 * time.Second, 100}},
			"trials ...\ntrials: 25 %, 1m30s left\ntrials: 50 %, 1m0s left\ntrials: 100 %\n",
		},
		"a beginning": {
			func(o *progress.Output) *progress.Task { return o.Steps("trials", 100) },
			[]step{{time.Minute, 0}},
			"trials ...\ntrials: 0 %\n",
		},
		"an unknown total": {
			func(o *progress.Output) *progress.Task { return o.Steps("unpack", 0) },
			[]step{{time.Minute, 7}},
			"unpack ...\nunpack: 7\n",
		},
		"bytes": {
			func(o *progress.Output) *progress.Task { return o.Bytes("download", 8<<20) },
			[]step{{time.Minute, 2 << 20}, {time.Minute, 8 << 20}},
			"download ...\ndownload: 25 %, 3m0s left\ndownload: 100 %\n",
		},
		"bytes of an unknown total": {
			func(o *progress.Output) *progress.Task { return o.Bytes("download", 0) },
			[]step{{time.Minute, 3<<20 + 5}},
			"download ...\ndownload: 3 MiB\n",
		},
		"an estimate that is too low": {
			func(o *progress.Output) *progress.Task { return o.Estimate("compile", 100) },
			[]step{{98 * time.Second, 49}, {102 * time.Second, 100}, {206 * time.Second, 206}},
			"compile ...\ncompile: 49 %, 1m42s left\ncompile: 100\ncompile: 206\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b bytes.Buffer
				out := progress.New(&b)
				task := c.begin(out)
				for _, s := range c.steps {
					time.Sleep(s.after)
					task.Set(s.done)
				}
				task.End()
				out.Close()
				if b.String() != c.want {
					t.Errorf("got\n%s\nwant\n%s", b.String(), c.want)
				}
			})
		})
	}
}

func TestNotesAreInTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		task := progress.New(&b).Steps("trials", 100)
		task.Note("1 failed")
		time.Sleep(40 * time.Second)
		task.Add(10)
		task.Add(10) // too soon for a line
		time.Sleep(40 * time.Second)
		task.Add(20)
		want := "trials ...\ntrials: 10 %, 1 failed  6m0s left\ntrials: 40 %, 1 failed  2m0s left\n"
		if b.String() != want {
			t.Errorf("got\n%s\nwant\n%s", b.String(), want)
		}
	})
}

// A nil Output is for callers that want no progress.
func TestNoOutput(t *testing.T) {
	var out *progress.Output
	out.Printf("x")
	task := out.Bytes("x", 1)
	task.Add(1)
	task.Note("x")
	task.End()
	out.Close()
	if out.Terminal() {
		t.Error("nothing is a terminal")
	}
}
