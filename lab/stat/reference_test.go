package stat

import (
	"bufio"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// testdata/reference.txt is what R says; its first line names the version.
func TestAgreesWithR(t *testing.T) {
	file, err := os.Open("testdata/reference.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	seen := map[string]int{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), " ")
		var want []float64
		for _, f := range strings.Fields(rest) {
			x, err := strconv.ParseFloat(f, 64)
			if err != nil && name != "#" {
				t.Fatal(err)
			}
			want = append(want, x)
		}
		seen[name]++
		var got []float64
		switch name {
		case "clopper", "wilson":
			interval := map[string]func(k, n int, level float64) Interval{"clopper": ClopperPearson, "wilson": Wilson}[name]
			i := interval(int(want[0]), int(want[1]), want[2])
			got, want = []float64{i.Low, i.High}, want[3:]
		case "fisher":
			got, want = []float64{Fisher(tables(want[1:])[0])}, want[:1]
		case "stratified":
			got, want = []float64{Stratified(tables(want[1:]))}, want[:1]
		case "holm":
			got, want = Holm(want[:len(want)/2]), want[len(want)/2:]
		}
		for i := range got {
			// R's own sums are good to about 1e-9, and below 1e-280 they underflow.
			if !(math.Abs(got[i]-want[i]) <= 1e-8*want[i]+1e-280) {
				t.Errorf("%s: got %v", lines.Text(), got)
				break
			}
		}
	}
	for _, name := range []string{"clopper", "wilson", "fisher", "stratified", "holm"} {
		if seen[name] < 6 {
			t.Errorf("%d references of %s", seen[name], name)
		}
	}
}

// tables reads k and n of both conditions of each table.
func tables(x []float64) (all []Table) {
	for ; len(x) >= 4; x = x[4:] {
		all = append(all, Table{Count{int(x[0]), int(x[1])}, Count{int(x[2]), int(x[3])}})
	}
	return all
}
