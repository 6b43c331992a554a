package stat

import "math"

// estimate is a rate and the number of trials that it is worth.
type estimate struct{ rate, trials float64 }

// pair is one stratum's share in a mean difference of rates, b's less a's.
type pair struct {
	weight float64
	a, b   estimate
}

// difference returns all mean differences that some rates can explain with a
// likelihood whose logarithm is less than drop below the greatest.
//
// The rates that explain a difference best have, in each cell, the slope of the
// logarithm of the likelihood in proportion to the cell's weight: one pull for
// all, away from the estimates. The farther it pulls, the greater are the
// difference and the drop.
func difference(pairs []pair, drop float64) Interval {
	return Interval{math.Max(-1, farthest(pairs, drop, -1)), math.Min(1, farthest(pairs, drop, 1))}
}

// farthest returns the end of difference in a direction.
func farthest(pairs []pair, drop, direction float64) float64 {
	at := func(pull float64) (difference, lost float64) {
		for _, p := range pairs {
			a, b := p.a.pulled(-pull*p.weight), p.b.pulled(pull*p.weight)
			difference += p.weight * (b - a)
			lost += p.a.lost(a) + p.b.lost(b)
		}
		return difference, lost
	}
	// Beyond this pull nothing moves: nothing is lost by any rates there are.
	const endless = 1e30
	near, far := 0.0, direction
	for math.Abs(far) < endless {
		if _, lost := at(far); lost >= drop {
			break
		}
		near, far = far, 2*far
	}
	for range 40 { // to a millionth of a millionth
		middle := (near + far) / 2
		if _, lost := at(middle); lost < drop {
			near = middle
		} else {
			far = middle
		}
	}
	d, _ := at(far)
	return d
}

// pulled is the rate p at which the logarithm of the likelihood falls with the
// slope pull: n(p-rate)/(p(1-p)) = pull.
func (e estimate) pulled(pull float64) float64 {
	if pull > 0 {
		return 1 - estimate{1 - e.rate, e.trials}.pulled(-pull)
	}
	n := e.trials
	if n == 0 {
		return 0
	}
	return 2 * n * e.rate / (n - pull + math.Sqrt((n+pull)*(n+pull)-4*pull*n*(1-e.rate)))
}

// lost is how much the logarithm of the likelihood is smaller at p than at the
// estimate.
func (e estimate) lost(p float64) float64 {
	if e.trials == 0 {
		return 0
	}
	l := 0.0
	if e.rate > 0 {
		l += e.rate * math.Log(e.rate/p)
	}
	if e.rate < 1 {
		l += (1 - e.rate) * math.Log((1-e.rate)/(1-p))
	}
	return e.trials * math.Max(0, l)
}
