package travel

import (
	"slices"

	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/flow"
	"gonum.org/v1/gonum/graph/simple"
)

// Loops returns the loops of a function's body that go through the instruction at addr,
// the outermost first: of each the branches on which it depends if it is left, other than
// for a call that does not return, which are those for which final is true. Loops that
// are never left so are not among them.
func Loops(body []Insn, addr uint64, final func(call Insn) bool) (loops [][]Insn) {
	f := newFlow(body, final)
	at := f.index(addr)
	if at < 0 {
		return nil
	}
	all := slices.DeleteFunc(f.loops(), func(l loop) bool { return !l.in[at] })
	slices.SortStableFunc(all, func(a, b loop) int { return len(b.in) - len(a.in) })
	for _, l := range all {
		var exits []Insn
		for n, i := range body {
			leaves := func(way int) bool { return !l.in[way] && f.goesOn(way, l.header) }
			if l.in[n] && i.Branch() && slices.ContainsFunc(f.next(n), leaves) {
				exits = append(exits, i)
			}
		}
		if exits != nil {
			loops = append(loops, exits)
		}
	}
	return loops
}

// control is the flow of control within a function, whose instructions are numbered.
type control struct {
	body  []Insn
	final func(call Insn) bool
	graph *simple.DirectedGraph
}

func newFlow(body []Insn, final func(call Insn) bool) *control {
	f := &control{body, final, simple.NewDirectedGraph()}
	for n := range body {
		for _, to := range f.next(n) {
			if to != n {
				f.graph.SetEdge(simple.Edge{F: simple.Node(n), T: simple.Node(to)})
			}
		}
	}
	return f
}

func (f *control) index(addr uint64) int {
	return slices.IndexFunc(f.body, func(i Insn) bool { return i.Addr == addr })
}

// next are the instructions that may follow one.
func (f *control) next(n int) (ways []int) {
	i := f.body[n]
	if i.Call() && f.final(i) {
		return nil
	}
	if i.Branch() || i.op() == "B" {
		if to := f.index(i.Target()); to >= 0 {
			ways = append(ways, to)
		}
	}
	if !i.Ends() && n+1 < len(f.body) {
		ways = append(ways, n+1)
	}
	return ways
}

// loop is where its header stands, which each way into it goes through, and all that is
// in it.
type loop struct {
	header int
	in     map[int]bool
}

// loops are the natural ones: an edge back to an instruction without which its own
// beginning is not reached closes one.
func (f *control) loops() (all []loop) {
	if f.graph.Node(0) == nil {
		return nil
	}
	tree := flow.Dominators(simple.Node(0), f.graph)
	for edges := f.graph.Edges(); edges.Next(); {
		from, header := edges.Edge().From(), edges.Edge().To()
		if !dominates(tree, header, from) {
			continue
		}
		l := loop{int(header.ID()), map[int]bool{int(header.ID()): true}}
		for left := []int{int(from.ID())}; len(left) > 0; {
			n := left[len(left)-1]
			left = left[:len(left)-1]
			if l.in[n] {
				continue
			}
			l.in[n] = true
			for before := f.graph.To(int64(n)); before.Next(); {
				left = append(left, int(before.Node().ID()))
			}
		}
		all = append(all, l)
	}
	return all
}

func dominates(tree flow.DominatorTree, by, n graph.Node) bool {
	for ; n != nil; n = tree.DominatorOf(n.ID()) {
		if n.ID() == by.ID() {
			return true
		}
	}
	return false
}

// goesOn says whether the function may return after an instruction, or come back to
// another.
func (f *control) goesOn(from, back int) bool {
	seen := map[int]bool{}
	for left := []int{from}; len(left) > 0; {
		n := left[len(left)-1]
		left = left[:len(left)-1]
		if n == back || f.body[n].op() == "RET" {
			return true
		}
		if !seen[n] {
			seen[n] = true
			left = append(left, f.next(n)...)
		}
	}
	return false
}
