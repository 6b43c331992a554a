package journal

import (
	"fmt"
	"path/filepath"

	"ghostlab/lab/matrix"
)

// valid says what is wrong with a run.json that no lab has written. Run folders
// travel between hosts: the rest of lab relies on what is checked here.
func (r *Run) valid() error {
	for _, name := range []string{r.ID, r.Scenario} { // they become names of folders
		if name != "" && (!filepath.IsLocal(name) || filepath.Base(name) != name || name == ".") {
			return fmt.Errorf("id, scenario: want a folder's name without its path, got %q", name)
		}
	}
	switch cells := len(r.Cells); {
	case r.Trials < 0 || r.Trials > matrix.Limit/max(cells, 1):
		return fmt.Errorf("trials: want 0 to %d in all cells together, got %d in each of %d", matrix.Limit, r.Trials, cells)
	case len(r.Commands) != cells:
		return fmt.Errorf("commands: want one for each of %d cells, got %d", cells, len(r.Commands))
	case cells > 0 && len(r.Kernels) == 0:
		return fmt.Errorf("kernels: want at least one")
	case !r.Shard.Whole() && (r.Shard.Index < 1 || r.Shard.Index > r.Shard.Of):
		return fmt.Errorf("shard: want part 1 to %d, got %d", r.Shard.Of, r.Shard.Index)
	case r.Shift < 0 || r.Shift > matrix.MaxShift:
		return fmt.Errorf("shift: want 0 to %d, got %d", matrix.MaxShift, r.Shift)
	}
	for i, c := range r.Cells {
		if c.Index != i {
			return fmt.Errorf("cells: want index %d, got %d", i, c.Index)
		}
	}
	return nil
}

// check says what is wrong with a trial that is none of the run's.
func (r *Run) check(t Trial) error {
	switch most := r.Trials * len(r.Cells); {
	case t.Cell < 0 || t.Cell >= len(r.Cells):
		return fmt.Errorf("cell %d of %d", t.Cell, len(r.Cells))
	case t.N < 1 || t.N > most:
		return fmt.Errorf("trial %d of %d", t.N, most)
	case t.Outcome == "":
		return fmt.Errorf("trial %d has no outcome", t.N)
	case t.VM < 0:
		return fmt.Errorf("trial %d: guest %d", t.N, t.VM)
	case t.Schedule.Shift > matrix.MaxShift:
		return fmt.Errorf("trial %d: shift %d of %d", t.N, t.Schedule.Shift, matrix.MaxShift)
	}
	return nil
}
