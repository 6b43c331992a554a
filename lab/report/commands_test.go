package report

import (
	"testing"

	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/scenarios"
)

func TestCommandsToRunAgain(t *testing.T) {
	axes := []matrix.Axis{{Name: "vcpus", Values: []string{"1"}}, {Name: "env.X", Values: []string{"a b", "c"}}}
	for name, c := range map[string]struct {
		change    func(*journal.Run)
		all, cell string
	}{
		"run": {
			func(*journal.Run) {},
			"lab run m.yaml --set vcpus=1 --seed 1 --trials 7 --engine parallel --isolation fork --go 1.21.6 --cpu cortex-a57 --memory 512 --kernel 5.15",
			"lab run m.yaml --set vcpus=1 --only 'env.X=a b' --seed 1 --trials 7 --engine parallel --isolation fork --go 1.21.6 --cpu cortex-a57 --memory 512 --kernel 5.15",
		},
		"try": {
			func(r *journal.Run) {
				r.Matrix = ""
				r.Own = &scenarios.Program{Dir: "/my src", Package: "./queue", Tests: true, Race: true, CC: "cc", Args: []string{"-test.v=true", "-test.run=A|B", "-n", "3"}}
			},
			"cd '/my src' && lab try ./queue -run 'A|B' -race --axis vcpus=1 --env 'X=a b,c' --seed 1 --trials 7 --engine parallel --isolation fork --go 1.21.6 --cpu cortex-a57 --memory 512 --kernel 5.15 -- -n 3",
			"cd '/my src' && lab try ./queue -run 'A|B' -race --axis vcpus=1 --env 'X=a b' --seed 1 --trials 7 --engine parallel --isolation fork --go 1.21.6 --cpu cortex-a57 --memory 512 --kernel 5.15 -- -n 3",
		},
		"hunt": {
			func(r *journal.Run) { r.Matrix, r.Search = "", matrix.Hunt },
			"lab hunt ghost-map --set vcpus=1 --set 'env.X=a b,c' --seed 1 --go 1.21.6 --cpu cortex-a57 --memory 512 --kernel 5.15",
			"lab hunt ghost-map --set vcpus=1 --set 'env.X=a b' --seed 1 --go 1.21.6 --cpu cortex-a57 --memory 512 --kernel 5.15",
		},
	} {
		run := plan(7, axes...)
		c.change(&run)
		s, err := Read(made(t, run, func(func(journal.Trial, string)) {}))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.command(nil); got != c.all {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.all)
		}
		if got := s.command(&s.Cells[0]); got != c.cell {
			t.Errorf("a cell of %s:\n%s\nwant\n%s", name, got, c.cell)
		}
	}
}
