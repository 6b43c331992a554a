package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"ghostlab/lab/journal"
	"ghostlab/lab/report"
	"ghostlab/lab/usage"
)

type reportFlags struct {
	formats []string
	out     string
}

func (a *app) reportCommand() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:   "report [RUN]",
		Short: "Write a run's result for a browser, a comment or a CI system",
		Long: `Write a run's result for a browser, a comment or a CI system; without a name the newest
run's. HTML goes to report.html in the run's folder, as ` + "`lab run`" + ` has written it; the
other forms go to stdout. With several formats, -o names a folder for report.html,
report.md, report.xml, report.json and report.txt.

In JUnit a cell is a test case, which fails where an expectation of the matrix is unmet.
The exit code is 0 whatever the result.`,
		Example: `  lab report
  lab report --format markdown >> "$GITHUB_STEP_SUMMARY"
  lab report 20261123-231500-ghost-map --format junit -o result.xml
  lab report --format html,junit,json -o artefacts`,
		Args: atMost("a run"),
		RunE: func(_ *cobra.Command, args []string) error { return a.report(args, f) },
	}
	cmd.Flags().StringSliceVar(&f.formats, "format", []string{"html"}, "`names` of the forms: html, markdown, junit, json, terminal")
	cmd.Flags().StringVarP(&f.out, "out", "o", "", "`file` to write, or folder where there are several formats; - is stdout")
	return cmd
}

func (a *app) report(args []string, f reportFlags) error {
	var formats []report.Format
	for _, name := range f.formats {
		format, err := report.FormatOf(name)
		if err != nil {
			return usage.New(fmt.Errorf("--format: %w", err), "")
		}
		formats = append(formats, format)
	}
	if len(formats) > 1 && (f.out == "" || f.out == "-") {
		return usage.New(errors.New("--format: several need a folder"), "name it with -o")
	}
	s, err := a.summary(args)
	if err != nil {
		return err
	}
	switch {
	case len(formats) > 1:
		if err := os.MkdirAll(f.out, 0o755); err != nil {
			return err
		}
		for _, format := range formats {
			if err := a.writeReport(s, format, filepath.Join(f.out, "report"+format.Ext)); err != nil {
				return err
			}
		}
		return nil
	case f.out == "" && formats[0].Name == report.HTML.Name:
		return a.writeReport(s, formats[0], s.HTMLFile())
	case f.out == "" || f.out == "-":
		return formats[0].Write(s, a.stdout)
	}
	return a.writeReport(s, formats[0], f.out)
}

func (a *app) writeReport(s *report.Summary, f report.Format, file string) error {
	if err := s.WriteFile(f, file); err != nil {
		return err
	}
	_, err := fmt.Fprintln(a.stdout, report.Near(file))
	return err
}

// summary is that of the run named, or of the newest.
func (a *app) summary(args []string) (*report.Summary, error) {
	name := ""
	if len(args) > 0 {
		name = args[0]
	}
	dir, err := journal.Find(a.cfg.Runs, name, a.skipped)
	if err != nil {
		return nil, err
	}
	return report.Read(dir)
}
