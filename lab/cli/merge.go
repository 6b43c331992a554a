package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"ghostlab/lab/journal"
	"ghostlab/lab/usage"
)

func (a *app) mergeCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "merge RUN...",
		Short: "Make one run of the parts that --shard has made",
		Long: `Make one run of the parts that ` + "`lab run --shard`" + ` has made, on one host or on several.
The parts must be all of one matrix, complete, and made with the same images, the same
QEMU and the same kind of host; what is missing, doubled or different is named. The parts
stay as they are.

Where the matrix has a stop rule each part stops by its own counts. A cell may so get more
trials than in one run, and its interval still holds: it is valid for any way to stop.`,
		Example: `  lab run matrix.yaml --shard 1/2      on one host
  lab run matrix.yaml --shard 2/2      on another
  lab merge part-1 part-2              run names or folders`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage.New(errors.New("merge: want the runs that are the parts"), "usage: "+cmd.UseLine())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var parts []string
			for _, name := range args {
				dir, err := journal.Find(a.cfg.Runs, name, nil)
				if err != nil {
					return err
				}
				parts = append(parts, dir)
			}
			dir, err := journal.Merge(cmd.Context(), a.cfg.Runs, parts, a.trust)
			if err != nil {
				return err
			}
			return a.conclude(dir, asJSON, nil)
		},
	}
	a.trustFlag(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as one JSON document")
	return cmd
}
