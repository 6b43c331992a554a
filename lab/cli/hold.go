package cli

import (
	"fmt"

	"ghostlab/gdb/ends"
	"ghostlab/lab/matrix"
	"ghostlab/lab/progress"
	"ghostlab/lab/runner"
)

const holdOnCrash = "crash"

// held is how many guests are to be held at once.
func (f *runFlags) held() int {
	if f.holdOn == "" {
		return 0
	}
	return f.holds
}

// hold makes the job keep guests at their crash, and cores where its matrix wants
// them. Its folder is read when a guest is held.
func hold(job *runner.Job, guests int, out *progress.Output) error {
	if guests == 0 && !job.Matrix.Collect.Keeps(matrix.Core) {
		return nil
	}
	job.Holds, job.Hold = guests, map[string]*ends.Place{}
	for name, img := range job.Image {
		place, err := ends.Find(img.Kernel.Vmlinux())
		if err != nil {
			return err
		}
		job.Hold[name] = place
	}
	job.Held = func(trial int) {
		name := fmt.Sprintf("%s/%d", job.Folder.Run().ID, trial)
		out.Printf("trial %d is held at its crash: `lab attach %s`, `lab dump %s`; it goes on when gdb leaves, Ctrl-C ends the run", trial, name, name)
	}
	return nil
}
