package cli

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func (a *app) configCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "Print the settings and where each value comes from",
		Example: `  lab config
  LAB_CPUS=4 lab config --go 1.24.6`,
		Args: exactly(),
		RunE: func(*cobra.Command, []string) error {
			t := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
			for _, o := range a.origins {
				value := o.Value
				if value == "" {
					value = `""`
				}
				fmt.Fprintf(t, "%s\t%s\t%s\n", o.Key, value, o.From)
			}
			return t.Flush()
		},
	}
}
