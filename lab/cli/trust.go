package cli

import (
	"github.com/spf13/pflag"
)

// trustFlag defines the flag of the verbs that open past runs.
func (a *app) trustFlag(flags *pflag.FlagSet) {
	flags.BoolVar(&a.trust, "trust", false, "build and follow what the run names on this host, though no lab of yours has made it here")
}
