package cli

import (
	"github.com/spf13/cobra"

	"ghostlab/lab/matrix"
	"ghostlab/scenarios"
)

// The shipped schema knows no scenario: adding one is to touch its folder only.
//
//go:generate sh -c "go run .. schema --scenarios none > ../../scenarios/matrix.schema.json"

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of matrix files, for editors",
		Long: `Print the JSON Schema of matrix files (draft 2020-12), which editors check and complete
them by. It knows the scenarios of the scenarios folder with their parameters. An editor
with the YAML language server reads it with a first line such as

  # yaml-language-server: $schema=matrix.schema.json

scenarios/matrix.schema.json is the same without the scenarios' parameters.`,
		Example: `  lab schema > matrix.schema.json`,
		Args:    exactly(),
		RunE:    func(*cobra.Command, []string) error { return a.schema() },
	}
}

func (a *app) schema() error {
	var all []*scenarios.Scenario
	for _, name := range scenarios.Names(a.cfg.Scenarios) {
		s, err := scenarios.Find(a.cfg.Scenarios, name)
		if err != nil {
			return err
		}
		all = append(all, s)
	}
	text, err := matrix.Schema(all...)
	if err != nil {
		return err
	}
	_, err = a.stdout.Write(text)
	return err
}
