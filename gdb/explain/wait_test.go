package explain

import (
	"testing"

	"ghostlab/gdb/travel"
)

// Two that wait at one line for two mutexes are the story of a deadlock; hundreds
// that wait for one are one line of it.
func TestWaitersAreAlikeWhenTheyWaitForTheSame(t *testing.T) {
	at := func(pc uint64, on string, more int) Waiter {
		w := Waiter{On: on, Alike: more}
		w.Stack = []travel.Frame{{Func: "main.move", PC: pc}}
		return w
	}
	got := alike([]Waiter{at(1, "a", 0), at(1, "b", 0), at(1, "a", 4), at(2, "a", 0)})
	if len(got) != 3 || got[0].Alike != 5 || got[1].On != "b" || got[1].Alike != 0 || got[2].Stack[0].PC != 2 {
		t.Errorf("%+v", got)
	}
}
