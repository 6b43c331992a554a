package cli

import (
	"github.com/spf13/cobra"
)

func (a *app) showCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show [RUN]",
		Short: "Print a run's result again; without a name the newest run's",
		Long: `Print a run's result again; without a name the newest run's. RUN is the name that
` + "`lab run`" + ` prints, or a run's folder. The exit code is 0 whatever the result.`,
		Example: `  lab show
  lab show 20261123-231500-ghost-map --json | jq '.cells[].rate'`,
		Args: atMost("a run"),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := a.summary(args)
			if err != nil {
				return err
			}
			if asJSON {
				return s.JSON(a.stdout)
			}
			return s.Terminal(a.stdout)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as one JSON document")
	return cmd
}
